// libwebsockets. Macros that compute become constants here, since Swift sees no macros with arguments.
#ifndef CWEBSOCKETS_SHIM_H
#define CWEBSOCKETS_SHIM_H
#include <libwebsockets.h>

// Bytes that lws_write may use in front of what it sends.
static const int lws_pre_bytes = LWS_PRE;
static const enum lws_write_protocol lws_write_raw = LWS_WRITE_RAW;
static const unsigned long long lws_option_only_raw = LWS_SERVER_OPTION_ONLY_RAW;
static const unsigned long long lws_option_disable_ipv6 = LWS_SERVER_OPTION_DISABLE_IPV6;
static const unsigned long long lws_option_init_tls = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
static const unsigned long long lws_option_must_bind = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;

// Closes a connection as soon as control is back in the service loop.
static inline void lws_close_soon(struct lws *wsi) { lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC); }
#endif
