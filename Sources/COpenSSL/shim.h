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

// ICE: HMAC-SHA1 of STUN messages (RFC 8489 section 14.5).
//
// The low-level SHA-1 keeps its state on the stack, where EVP_MAC allocates at every message. A key is the two hash states after
// the padded password, so a message costs no key schedule.
#ifndef COPENSSL_STUN_HMAC_H
#define COPENSSL_STUN_HMAC_H
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <string.h>

static inline void stun_hmac_half_key(const uint8_t *password, size_t count, uint8_t pad, uint32_t state[5]) {
  uint8_t block[64];
  SHA_CTX sha;
  memset(block, pad, sizeof block);
  for (size_t i = 0; i < count && i < sizeof block; i++) block[i] = (uint8_t)(block[i] ^ password[i]);
  SHA1_Init(&sha);
  SHA1_Update(&sha, block, sizeof block);
  state[0] = sha.h0, state[1] = sha.h1, state[2] = sha.h2, state[3] = sha.h3, state[4] = sha.h4;
}

// Ten words: the inner state, then the outer one.
static inline void stun_hmac_key(const uint8_t *password, size_t count, uint32_t states[10]) {
  uint8_t digest[20];
  if (count > 64) {
    SHA1(password, count, digest);
    password = digest, count = sizeof digest;
  }
  stun_hmac_half_key(password, count, 0x36, states);
  stun_hmac_half_key(password, count, 0x5c, states + 5);
}

static inline void stun_hmac_resume(SHA_CTX *sha, const uint32_t state[5]) {
  SHA1_Init(sha);
  sha->h0 = state[0], sha->h1 = state[1], sha->h2 = state[2], sha->h3 = state[3], sha->h4 = state[4];
  sha->Nl = 512;
}

// The HMAC of four bytes followed by `count` bytes at `rest`.
static inline void stun_hmac(const uint32_t states[10], uint32_t prefix, const uint8_t *rest, size_t count, uint8_t digest[20]) {
  const uint8_t head[4] = {(uint8_t)(prefix >> 24), (uint8_t)(prefix >> 16), (uint8_t)(prefix >> 8), (uint8_t)prefix};
  SHA_CTX sha;
  stun_hmac_resume(&sha, states);
  SHA1_Update(&sha, head, sizeof head);
  if (count > 0) SHA1_Update(&sha, rest, count);
  SHA1_Final(digest, &sha);
  stun_hmac_resume(&sha, states + 5);
  SHA1_Update(&sha, digest, 20);
  SHA1_Final(digest, &sha);
}

static inline int stun_equal_in_constant_time(const uint8_t *a, const uint8_t *b, size_t count) {
  return CRYPTO_memcmp(a, b, count) == 0;
}
#endif
