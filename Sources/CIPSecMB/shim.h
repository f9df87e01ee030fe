// Intel's multi-buffer library, in the form that suits the processor (to AVX-512 with VAES): AES-GCM of one message by one call, AES-128 in
// counter mode with HMAC-SHA1 of many.
#ifndef CIPSECMB_SHIM_H
#define CIPSECMB_SHIM_H
// Old names of its own that others use.
#define NO_COMPAT_IMB_API_053
#include <intel-ipsec-mb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// What a key needs, in one block of 16 lines of cache.
typedef struct shim_gcm {
  struct gcm_key_data key;
  aes_gcm_enc_dec_t seal, open;
} shim_gcm;

// The library, set up for this processor; null where that has no instructions for AES, or there is no memory. Lasts as long as the process.
static inline IMB_MGR *shim_multi_buffer_library(void) {
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
// What a packet of AES_CM and HMAC-SHA1 (RFC 3711) needs of its keys: AES's schedule, and the states of SHA-1 behind HMAC's inner and outer
// key block (RFC 2104). Four lines of cache.
typedef struct shim_cm_key {
  uint8_t schedule[11 * 16];
  uint32_t hmac[10];
} shim_cm_key;

// Null where there is no memory.
static inline shim_cm_key *shim_cm_new(const IMB_MGR *library, const uint8_t key[16], const uint32_t hmac[10]) {
  shim_cm_key *cm = (shim_cm_key *)aligned_alloc(64, (sizeof(shim_cm_key) + 63) & ~(size_t)63);
  if (!cm) return NULL;
  _Alignas(16) uint8_t decryption[11 * 16];
  library->keyexp_128(key, cm->schedule, decryption);
  imb_clear_mem(decryption, sizeof decryption);
  memcpy(cm->hmac, hmac, sizeof cm->hmac);
  return cm;
}
static inline void shim_cm_free(shim_cm_key *cm) {
  imb_clear_mem(cm, sizeof *cm);
  free(cm);
}

// Packets that wait to be sealed, and copies of their keys: a peer may be gone by then.
enum { shim_cm_batch_capacity = 64, shim_cm_tag_count = 10 };
typedef struct shim_cm_packet {
  _Alignas(16) shim_cm_key key;
  uint8_t counter[16], digest[20];
  // Where it begins, where its payload does and where it ends, counted from where all packets lie.
  uint64_t start, payload, end;
  // Is authenticated behind it, and not sent.
  uint32_t word;
} shim_cm_packet;
typedef struct shim_cm_batch {
  IMB_JOB jobs[shim_cm_batch_capacity];
  shim_cm_packet packets[shim_cm_batch_capacity];
  IMB_MGR *manager;
  uint32_t count;
} shim_cm_batch;

static inline void shim_cm_batch_free(shim_cm_batch *batch) {
  if (batch->manager) free_mb_mgr(batch->manager);
  imb_clear_mem(batch, sizeof *batch);
  free(batch);
}
// Null where there is no memory. Belongs to one thread: its manager keeps what is under way.
static inline shim_cm_batch *shim_cm_batch_new(void) {
  shim_cm_batch *batch = (shim_cm_batch *)aligned_alloc(64, (sizeof(shim_cm_batch) + 63) & ~(size_t)63);
  if (!batch) return NULL;
  memset(batch, 0, sizeof *batch);
  batch->manager = shim_multi_buffer_library();
  if (!batch->manager) {
    shim_cm_batch_free(batch);
    return NULL;
  }
  for (int i = 0; i < shim_cm_batch_capacity; i++) {
    IMB_JOB *job = &batch->jobs[i];
    shim_cm_packet *packet = &batch->packets[i];
    job->cipher_mode = IMB_CIPHER_CNTR;
    job->cipher_direction = IMB_DIR_ENCRYPT;
    job->chain_order = IMB_ORDER_CIPHER_HASH;
    job->hash_alg = IMB_AUTH_HMAC_SHA_1;
    job->enc_keys = job->dec_keys = packet->key.schedule;
    job->key_len_in_bytes = IMB_KEY_128_BYTES;
    job->iv = packet->counter;
    job->iv_len_in_bytes = sizeof packet->counter;
    job->u.HMAC._hashed_auth_key_xor_ipad = (const uint8_t *)packet->key.hmac;
    job->u.HMAC._hashed_auth_key_xor_opad = (const uint8_t *)(packet->key.hmac + 5);
    // The library writes 12 bytes or 20, whatever it is asked for.
    job->auth_tag_output = packet->digest;
    job->auth_tag_output_len_in_bytes = sizeof packet->digest;
  }
  return batch;
}

static inline const shim_cm_packet *_Nonnull shim_cm_batch_packet(const shim_cm_batch *batch, uint32_t index) { return &batch->packets[index]; }
static inline const uint32_t *_Nonnull shim_cm_packet_hmac(const shim_cm_packet *packet) { return packet->key.hmac; }

// There must be room.
static inline void shim_cm_batch_add(
  shim_cm_batch *batch, const shim_cm_key *key, const uint8_t counter[16], uint32_t word, uint64_t start, uint64_t payload, uint64_t end) {
  shim_cm_packet *packet = &batch->packets[batch->count++];
  packet->key = *key;
  memcpy(packet->counter, counter, sizeof packet->counter);
  packet->start = start, packet->payload = payload, packet->end = end, packet->word = word;
}

// Encrypts all packets, which lie in `bytes`, in place, and authenticates the first `hashed` of them: the word is put where the tag comes to
// lie. False where packets do not lie there, or the library left some.
static inline bool shim_cm_batch_apply(shim_cm_batch *batch, uint8_t *bytes, uint64_t byte_count, uint32_t hashed) {
  for (uint32_t i = 0; i < batch->count; i++) {
    const shim_cm_packet *packet = &batch->packets[i];
    IMB_JOB *job = &batch->jobs[i];
    if (packet->end + shim_cm_tag_count > byte_count) return false;
    job->src = bytes + packet->start;
    job->dst = bytes + packet->payload;
    job->cipher_start_src_offset_in_bytes = packet->payload - packet->start;
    job->msg_len_to_cipher_in_bytes = packet->end - packet->payload;
    job->msg_len_to_hash_in_bytes = packet->end - packet->start + sizeof packet->word;
    uint32_t word = __builtin_bswap32(packet->word);
    memcpy(bytes + packet->end, &word, sizeof word);
  }
  IMB_MGR *manager = batch->manager;
  uint32_t encrypted = manager->submit_cipher_burst_nocheck(
    manager, batch->jobs, batch->count, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT, IMB_KEY_128_BYTES);
  if (encrypted != batch->count) return false;
  if (hashed == 0) return true;
  if (manager->submit_hash_burst_nocheck(manager, batch->jobs, hashed, IMB_AUTH_HMAC_SHA_1) != hashed) return false;
  for (uint32_t i = 0; i < hashed; i++) memcpy(bytes + batch->packets[i].end, batch->packets[i].digest, shim_cm_tag_count);
  return true;
}
#endif
