// Intel's multi-buffer library: AES-GCM of one message by one call, in the form that suits the processor (to AVX-512 with VAES).
#ifndef CIPSECMB_SHIM_H
#define CIPSECMB_SHIM_H
#include <intel-ipsec-mb.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// What a key needs, in one block of 16 lines of cache.
typedef struct shim_gcm {
  struct gcm_key_data key;
  aes_gcm_enc_dec_t seal, open;
} shim_gcm;

// The library, set up for this processor; null where that has no instructions for AES, or there is no memory. Lasts as long as the process.
static inline IMB_MGR *shim_gcm_library(void) {
  IMB_MGR *manager = alloc_mb_mgr(0);
  if (!manager) return NULL;
  init_mb_mgr_auto(manager, NULL);
  if (imb_get_errno(manager) == 0 && (manager->features & IMB_FEATURE_AESNI)) return manager;
  free_mb_mgr(manager);
  return NULL;
}

// Null where there is no memory.
static inline shim_gcm *shim_gcm_new(const IMB_MGR *library, const uint8_t key[16]) {
  shim_gcm *gcm = (shim_gcm *)aligned_alloc(64, (sizeof(shim_gcm) + 63) & ~(size_t)63);
  if (!gcm) return NULL;
  memset(gcm, 0, sizeof *gcm);
  library->gcm128_pre(key, &gcm->key);
  gcm->seal = library->gcm128_enc;
  gcm->open = library->gcm128_dec;
  return gcm;
}
static inline void shim_gcm_free(shim_gcm *gcm) {
  imb_clear_mem(gcm, sizeof *gcm);
  free(gcm);
}

// In place (RFC 5116): `prefix`, then the four bytes at `suffix` where there are any, are authenticated only. With a suffix the prefix
// has 8 bytes.
static inline void shim_gcm_apply(
  aes_gcm_enc_dec_t function, const shim_gcm *gcm, const uint8_t iv[12], const uint8_t *prefix, uint64_t prefix_count,
  const uint8_t *suffix, uint8_t *bytes, uint64_t count, uint8_t tag[16]) {
  struct gcm_context_data state;
  uint8_t joined[12];
  if (suffix) {
    memcpy(joined, prefix, 8);
    memcpy(joined + 8, suffix, 4);
    prefix = joined, prefix_count = sizeof joined;
  }
  function(&gcm->key, &state, bytes, bytes, count, iv, prefix, prefix_count, tag, 16);
}
// Encrypts `bytes` and writes 16 bytes of tag; 1 always.
static inline int shim_gcm_block_seal(
  const shim_gcm *gcm, const uint8_t iv[12], const uint8_t *prefix, uint64_t prefix_count, const uint8_t *suffix, uint8_t *bytes,
  uint64_t count, uint8_t tag[16]) {
  shim_gcm_apply(gcm->seal, gcm, iv, prefix, prefix_count, suffix, bytes, count, tag);
  return 1;
}
// Decrypts `bytes`; 0 where the 16 bytes at `tag` are not theirs.
static inline int shim_gcm_block_open(
  const shim_gcm *gcm, const uint8_t iv[12], const uint8_t *prefix, uint64_t prefix_count, const uint8_t *suffix, uint8_t *bytes,
  uint64_t count, const uint8_t tag[16]) {
  uint8_t right[16], difference = 0;
  shim_gcm_apply(gcm->open, gcm, iv, prefix, prefix_count, suffix, bytes, count, right);
  for (int i = 0; i < 16; i++) difference |= (uint8_t)(right[i] ^ tag[i]);
  return difference == 0;
}
#endif
