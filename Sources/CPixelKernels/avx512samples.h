// The horizontal pass in 512 bits. Included by each source that has a multiply-add of its own: SAMPLES_NAME is what its function is
// called, SAMPLES_TARGET names its instruction sets, MULTIPLY_ADD(sum, a, b) adds to each 32-bit sum the products of two words.
#define SAMPLES_INLINE static inline __attribute__((target(SAMPLES_TARGET), always_inline))

/// Writes as many of 16 bytes as are left of the row.
SAMPLES_INLINE void store_sixteen(__m128i bytes, uint8_t *out, int32_t room) {
  if (room >= 16)
    _mm_storeu_si128((__m128i *)out, bytes);
  else
    _mm_mask_storeu_epi8(out, (__mmask16)((1u << room) - 1), bytes);
}

/// Rounds 16 sums to bytes and writes as many as are left of the row.
SAMPLES_INLINE void store_sums(__m512i sums, uint8_t *out, int32_t room) {
  store_sixteen(_mm512_cvtusepi32_epi8(_mm512_srai_epi32(sums, PK_SHIFT)), out, room);
}

/// 16 outputs at a time from one or two registers of samples, a permutation and a multiply-add for each pair of taps.
SAMPLES_INLINE void near_samples(
    const pk_axis *axis, const int16_t *row, uint8_t *out, int32_t first, int32_t end, int32_t pairs, int wide) {
  const int16_t *weights = axis->paired + (ptrdiff_t)first * 2 * axis->pairs;
  for (int32_t x = first; x < end; x += 16, weights += 32 * axis->pairs, out += 16) {
    const int16_t *in = row + axis->left[x];
    __m512i pick = _mm512_loadu_si512(axis->permutations + 2 * x);
    __m512i sums = _mm512_set1_epi32(PK_ROUND);
    for (int32_t p = 0; p < pairs; p++) {
      __m512i samples = _mm512_loadu_si512(in + 2 * p);
      samples = wide ? _mm512_permutex2var_epi16(samples, pick, _mm512_loadu_si512(in + 2 * p + 32))
                     : _mm512_permutexvar_epi16(pick, samples);
      sums = MULTIPLY_ADD(sums, samples, _mm512_loadu_si512(weights + 32 * p));
    }
    store_sums(sums, out, end - x);
  }
}

/// Of every fourth of 16 outputs eight samples each.
SAMPLES_INLINE __m512i every_fourth(const int16_t *row, const int32_t *left) {
  __m512i samples = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(row + left[0])));
  samples = _mm512_mask_broadcast_i32x4(samples, 0x00F0, _mm_loadu_si128((const __m128i *)(row + left[4])));
  samples = _mm512_mask_broadcast_i32x4(samples, 0x0F00, _mm_loadu_si128((const __m128i *)(row + left[8])));
  return _mm512_mask_broadcast_i32x4(samples, 0xF000, _mm_loadu_si128((const __m128i *)(row + left[12])));
}

/// Of two registers of four sums for each of four outputs: two sums for each of eight.
SAMPLES_INLINE __m512i joined(__m512i a, __m512i b) {
  return _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
}

/// 16 outputs at a time that lie far apart: eight taps of each by themselves.
SAMPLES_INLINE void far_samples(
    const pk_axis *axis, const int16_t *row, uint8_t *out, int32_t first, int32_t end, int32_t taps) {
  const int16_t *weights = axis->spread + (ptrdiff_t)first * axis->taps;
  for (int32_t x = first; x < end; x += 16, out += 16) {
    __m512i parts[4];
    for (int part = 0; part < 4; part++) {
      parts[part] = _mm512_setzero_si512();
      for (int32_t t = 0; t < taps; t += 8, weights += 32)
        parts[part] = MULTIPLY_ADD(
            parts[part], every_fourth(row + t, axis->left + x + part), _mm512_loadu_si512(weights));
    }
    __m512i a = joined(parts[0], parts[1]), b = joined(parts[2], parts[3]);
    __m512i sums = _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    store_sums(_mm512_add_epi32(sums, _mm512_set1_epi32(PK_ROUND)), out, end - x);
  }
}

__attribute__((target(SAMPLES_TARGET))) void SAMPLES_NAME(
    const pk_axis *axis, const int16_t *row, uint8_t *out, int32_t first, int32_t end) {
  if (axis->registers == 1) {
    switch (axis->pairs) {
      case 1: near_samples(axis, row, out, first, end, 1, 0); break;
      case 2: near_samples(axis, row, out, first, end, 2, 0); break;
      default: near_samples(axis, row, out, first, end, axis->pairs, 0); break;
    }
  } else if (axis->registers == 2) {
    switch (axis->pairs) {
      case 2: near_samples(axis, row, out, first, end, 2, 1); break;
      case 3: near_samples(axis, row, out, first, end, 3, 1); break;
      default: near_samples(axis, row, out, first, end, axis->pairs, 1); break;
    }
  } else if (axis->taps == 8) {
    far_samples(axis, row, out, first, end, 8);
  } else {
    far_samples(axis, row, out, first, end, axis->taps);
  }
}
