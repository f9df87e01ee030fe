// OpenSSL 3. Macros become functions here, since Swift sees no macros with arguments.
#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H
#include "secure_transport.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#endif
