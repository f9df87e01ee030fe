// What DatagramIO needs of Linux beyond its plain functions.
#ifndef CLINUX_DATAGRAM_IO_H
#define CLINUX_DATAGRAM_IO_H
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#ifndef _GNU_SOURCE
// As glibc declares them under _GNU_SOURCE.
struct mmsghdr {
  struct msghdr msg_hdr;
  unsigned int msg_len;
};
int recvmmsg(int socket, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout);
int sendmmsg(int socket, struct mmsghdr *messages, unsigned count, int flags);
int accept4(int socket, struct sockaddr *address, socklen_t *count, int flags);
int pthread_setname_np(pthread_t thread, const char *name);
#endif

static inline int shim_errno(void) { return errno; }

// Room for one control message that carries the segment size, with its header and padding.
enum { shim_segment_control_bytes = CMSG_SPACE(sizeof(uint16_t)) };

// Has the kernel cut the message into datagrams of `bytes` each (UDP_SEGMENT); `control` has shim_segment_control_bytes.
static inline void shim_set_segment_size(struct msghdr *message, void *control, uint16_t bytes) {
  memset(control, 0, shim_segment_control_bytes);
  message->msg_control = control;
  message->msg_controllen = shim_segment_control_bytes;
  struct cmsghdr *header = CMSG_FIRSTHDR(message);
  header->cmsg_level = IPPROTO_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof(uint16_t));
  memcpy(CMSG_DATA(header), &bytes, sizeof bytes);
}

static inline int shim_receive_batch(int socket, struct mmsghdr *messages, unsigned count) {
  return recvmmsg(socket, messages, count, MSG_DONTWAIT, NULL);
}
static inline int shim_send_batch(int socket, struct mmsghdr *messages, unsigned count) {
  return sendmmsg(socket, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// Whether a datagram finds room in the socket's buffer within so many milliseconds.
static inline int shim_wait_for_room(int socket, int milliseconds) {
  struct pollfd wanted = {.fd = socket, .events = POLLOUT};
  return poll(&wanted, 1, milliseconds) > 0;
}

// Socket addresses as the numbers of a TransportAddress, and back. `family` is AF_INET or AF_INET6, 0 for any other.
typedef struct shim_address {
  int family;
  uint64_t high, low;
  uint16_t port;
} shim_address;

static inline uint64_t shim_load_64(const uint8_t *bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = value << 8 | bytes[i];
  return value;
}
static inline void shim_store_64(uint8_t *bytes, uint64_t value) {
  for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(value >> (56 - 8 * i));
}

static inline shim_address shim_read_address(const struct sockaddr_storage *storage) {
  shim_address address = {0, 0, 0, 0};
  if (storage->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)storage;
    address.family = AF_INET;
    address.low = ntohl(in->sin_addr.s_addr);
    address.port = ntohs(in->sin_port);
  } else if (storage->ss_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)storage;
    address.family = AF_INET6;
    address.high = shim_load_64(in6->sin6_addr.s6_addr);
    address.low = shim_load_64(in6->sin6_addr.s6_addr + 8);
    address.port = ntohs(in6->sin6_port);
  }
  return address;
}

static inline socklen_t shim_write_address(shim_address address, struct sockaddr_storage *storage) {
  if (address.family == AF_INET) {
    struct sockaddr_in *in = (struct sockaddr_in *)storage;
    memset(in, 0, sizeof *in);
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl((uint32_t)address.low);
    in->sin_port = htons(address.port);
    return sizeof *in;
  }
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;
  memset(in6, 0, sizeof *in6);
  in6->sin6_family = AF_INET6;
  shim_store_64(in6->sin6_addr.s6_addr, address.high);
  shim_store_64(in6->sin6_addr.s6_addr + 8, address.low);
  in6->sin6_port = htons(address.port);
  return sizeof *in6;
}

static inline int shim_bind(int socket, const struct sockaddr_storage *address, socklen_t count) {
  return bind(socket, (const struct sockaddr *)address, count);
}
static inline int shim_connect(int socket, const struct sockaddr_storage *address, socklen_t count) {
  return connect(socket, (const struct sockaddr *)address, count);
}
static inline int shim_accept(int socket, struct sockaddr_storage *address) {
  socklen_t count = sizeof *address;
  return accept4(socket, (struct sockaddr *)address, &count, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
static inline int shim_local_address(int socket, struct sockaddr_storage *address) {
  socklen_t count = sizeof *address;
  return getsockname(socket, (struct sockaddr *)address, &count);
}
static inline int shim_set_option(int socket, int level, int name, int value) {
  return setsockopt(socket, level, name, &value, sizeof value);
}
static inline int shim_open_socket(int family, int isStream) {
  return socket(family, (isStream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}
#endif
