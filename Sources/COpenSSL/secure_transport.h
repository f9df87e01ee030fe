// What SecureTransport needs of OpenSSL beyond its plain functions: macros as functions, and HMAC-SHA1 with its key schedule kept.
#ifndef COPENSSL_SECURE_TRANSPORT_H
#define COPENSSL_SECURE_TRANSPORT_H
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/time.h>

static const uint64_t shim_dtls_options = SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION
  | SSL_OP_CIPHER_SERVER_PREFERENCE;

static inline EVP_PKEY *shim_generate_p256(void) { return EVP_EC_gen("P-256"); }

static inline int shim_ctx_require_dtls12(SSL_CTX *ctx) {
  return SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) && SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION);
}
static inline void shim_ctx_disable_session_cache(SSL_CTX *ctx) { SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); }
static inline int shim_ctx_set_groups(SSL_CTX *ctx, const char *groups) { return (int)SSL_CTX_set1_groups_list(ctx, groups); }
static inline void shim_ctx_set_max_handshake_message(SSL_CTX *ctx, long bytes) { SSL_CTX_set_max_cert_list(ctx, bytes); }
static inline int shim_ssl_set_mtu(SSL *ssl, long mtu) { return (int)SSL_set_mtu(ssl, mtu); }
static inline long shim_ssl_handle_timeout(SSL *ssl) { return DTLSv1_handle_timeout(ssl); }

static inline void shim_bio_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void shim_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

// AES-GCM in place (RFC 5116), under a context that has its key and the default length of vector, 12 bytes: what differs from message to
// message, by the fewest calls that change it. Setting the whole vector as a "fixed part" of all its length, as OpenSSH does, and asking
// for nothing but the tag takes a sixth less time than EVP_CipherInit and EVP_CIPHER_CTX_ctrl, which look up every parameter by name.
static inline OSSL_PARAM shim_gcm_vector(uint8_t *iv) {
  return OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_IV_FIXED, iv, (size_t)-1);
}
static inline OSSL_PARAM shim_gcm_tag(uint8_t *tag) {
  return OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, 16);
}
// `prefix`, then the four bytes at `suffix` where there are any, are authenticated only.
static inline int shim_gcm_update(
  EVP_CIPHER_CTX *context, const uint8_t *prefix, int prefix_count, const uint8_t *suffix, uint8_t *bytes, int count) {
  int written;
  return EVP_CipherUpdate(context, NULL, &written, prefix, prefix_count) == 1
    && (!suffix || EVP_CipherUpdate(context, NULL, &written, suffix, 4) == 1)
    && (count == 0 || EVP_CipherUpdate(context, bytes, &written, bytes, count) == 1);
}
// Encrypts `bytes` and writes 16 bytes of tag; the context encrypts.
static inline int shim_gcm_seal(
  EVP_CIPHER_CTX *context, uint8_t iv[12], const uint8_t *prefix, int prefix_count, const uint8_t *suffix, uint8_t *bytes, int count,
  uint8_t tag[16]) {
  const OSSL_PARAM before[] = {shim_gcm_vector(iv), OSSL_PARAM_construct_end()};
  OSSL_PARAM after[] = {shim_gcm_tag(tag), OSSL_PARAM_construct_end()};
  int written;
  return EVP_CIPHER_CTX_set_params(context, before) == 1
    && shim_gcm_update(context, prefix, prefix_count, suffix, bytes, count)
    && EVP_EncryptFinal_ex(context, tag, &written) == 1 && EVP_CIPHER_CTX_get_params(context, after) == 1;
}
// Decrypts `bytes`; 0 where the 16 bytes at `tag` are not theirs. The context decrypts.
static inline int shim_gcm_open(
  EVP_CIPHER_CTX *context, uint8_t iv[12], const uint8_t *prefix, int prefix_count, const uint8_t *suffix, uint8_t *bytes, int count,
  uint8_t tag[16]) {
  const OSSL_PARAM before[] = {shim_gcm_vector(iv), shim_gcm_tag(tag), OSSL_PARAM_construct_end()};
  uint8_t rest[16];
  int written;
  return EVP_CIPHER_CTX_set_params(context, before) == 1
    && shim_gcm_update(context, prefix, prefix_count, suffix, bytes, count)
    && EVP_DecryptFinal_ex(context, rest, &written) == 1;
}

// OpenSSL keeps DTLS's retransmission deadline against the real clock, in a field it shows to the read BIO by this address. In 3.0 the
// address is that of the field itself; later versions hand out a copy on their stack, which must not be kept.
static inline int shim_next_timeout_is_the_field_itself(void) {
  return OPENSSL_version_major() == 3 && OPENSSL_version_minor() == 0;
}
static inline int shim_timeout_is_set(const void *timeout) {
  const struct timeval *t = (const struct timeval *)timeout;
  return t->tv_sec != 0 || t->tv_usec != 0;
}
// A second after 1970: over, whatever the real clock says.
static inline void shim_timeout_make_past(void *timeout) {
  struct timeval *t = (struct timeval *)timeout;
  t->tv_sec = 1;
  t->tv_usec = 0;
}
static inline void shim_timeout_make_never(void *timeout) {
  struct timeval *t = (struct timeval *)timeout;
  t->tv_sec = (time_t)1 << 40;
  t->tv_usec = 0;
}

// HMAC-SHA1 (RFC 2104) whose two key blocks are hashed once, not once a message: the states of SHA-1 behind the inner and the outer one.
static inline void shim_sha1_save(const SHA_CTX *state, uint32_t words[5]) {
  words[0] = state->h0, words[1] = state->h1, words[2] = state->h2, words[3] = state->h3, words[4] = state->h4;
}
static inline void shim_sha1_resume(SHA_CTX *state, const uint32_t words[5]) {
  SHA1_Init(state);
  state->h0 = words[0], state->h1 = words[1], state->h2 = words[2], state->h3 = words[3], state->h4 = words[4];
  state->Nl = 8 * SHA_CBLOCK;
}

static inline void shim_hmac_sha1_set_key(uint32_t hmac[10], const uint8_t *key, size_t count) {
  uint8_t block[SHA_CBLOCK] = {0};
  SHA_CTX state;
  memcpy(block, key, count < SHA_CBLOCK ? count : SHA_CBLOCK);
  for (int i = 0; i < SHA_CBLOCK; i++) block[i] ^= 0x36;
  SHA1_Init(&state);
  SHA1_Update(&state, block, SHA_CBLOCK);
  shim_sha1_save(&state, hmac);
  for (int i = 0; i < SHA_CBLOCK; i++) block[i] ^= 0x36 ^ 0x5c;
  SHA1_Init(&state);
  SHA1_Update(&state, block, SHA_CBLOCK);
  shim_sha1_save(&state, hmac + 5);
  OPENSSL_cleanse(block, sizeof block);
  OPENSSL_cleanse(&state, sizeof state);
}

// The digest of `bytes` followed by the four bytes of `suffix` in network order, cut to `tag_count` bytes.
static inline void shim_hmac_sha1_with_suffix(
  const uint32_t hmac[10], const uint8_t *bytes, size_t count, uint32_t suffix, uint8_t *tag, size_t tag_count) {
  uint8_t digest[SHA_DIGEST_LENGTH];
  uint8_t tail[4] = {(uint8_t)(suffix >> 24), (uint8_t)(suffix >> 16), (uint8_t)(suffix >> 8), (uint8_t)suffix};
  SHA_CTX state;
  shim_sha1_resume(&state, hmac);
  SHA1_Update(&state, bytes, count);
  SHA1_Update(&state, tail, sizeof tail);
  SHA1_Final(digest, &state);
  shim_sha1_resume(&state, hmac + 5);
  SHA1_Update(&state, digest, sizeof digest);
  SHA1_Final(digest, &state);
  memcpy(tag, digest, tag_count < sizeof digest ? tag_count : sizeof digest);
}
#endif
