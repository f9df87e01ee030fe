// What Linux offers and the Glibc overlay lacks.
//
// Not under _GNU_SOURCE: it changes types (fd_set, __rusage_who) which then differ from those of the Glibc module, and no file that
// sees both compiles. The GNU functions needed are declared here instead.
#ifndef CLINUX_SHIM_H
#define CLINUX_SHIM_H
#include "datagram_io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#endif
