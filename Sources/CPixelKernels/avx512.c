#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define AVX512_INLINE static inline __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq"), always_inline))

/// 32 samples as fixed point with 7 bits below the point.
AVX512_INLINE __m512i thirty_two(const uint8_t *in) {
  return _mm512_slli_epi16(_mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)in)), 7);
}

AVX512_INLINE void weigh_rows(
    const uint8_t *rows, ptrdiff_t stride, const int16_t *weights, int32_t taps, int16_t *out, int32_t width) {
  for (int32_t x = 0; x < width; x += 64) {
    const uint8_t *in = rows + x;
    __m512i a = _mm512_setzero_si512(), b = a;
    for (int32_t t = 0; t < taps; t++, in += stride) {
      __m512i weight = _mm512_set1_epi16(weights[t]);
      a = _mm512_adds_epi16(a, _mm512_mulhrs_epi16(thirty_two(in), weight));
      b = _mm512_adds_epi16(b, _mm512_mulhrs_epi16(thirty_two(in + 32), weight));
    }
    _mm512_storeu_si512(out + x, a);
    _mm512_storeu_si512(out + x + 32, b);
  }
}

AVX512 static void avx512_weigh_rows(
    const uint8_t *rows, ptrdiff_t stride, const int16_t *weights, int32_t taps, int16_t *out, int32_t width) {
  switch (taps) {
    case 1: weigh_rows(rows, stride, weights, 1, out, width); break;
    case 2: weigh_rows(rows, stride, weights, 2, out, width); break;
    case 3: weigh_rows(rows, stride, weights, 3, out, width); break;
    case 4: weigh_rows(rows, stride, weights, 4, out, width); break;
    default: weigh_rows(rows, stride, weights, taps, out, width); break;
  }
}

/// 16 outputs at a time from one or two registers of samples, a permutation and a multiply-add for each pair of taps.
AVX512_INLINE void weigh_samples(const pk_axis *axis, const int16_t *row, uint8_t *out, int32_t pairs, int wide) {
  const int16_t *weights = axis->paired;
  for (int32_t x = 0; x < axis->count; x += 16, weights += 32 * axis->pairs) {
    const int16_t *in = row + axis->left[x];
    __m512i pick = _mm512_loadu_si512(axis->permutations + 2 * x);
    __m512i sum = _mm512_set1_epi32(PK_ROUND);
    for (int32_t p = 0; p < pairs; p++) {
      __m512i samples = _mm512_loadu_si512(in + 2 * p);
      samples = wide ? _mm512_permutex2var_epi16(samples, pick, _mm512_loadu_si512(in + 2 * p + 32))
                     : _mm512_permutexvar_epi16(pick, samples);
      sum = _mm512_add_epi32(sum, _mm512_madd_epi16(samples, _mm512_loadu_si512(weights + 32 * p)));
    }
    __m128i bytes = _mm512_cvtusepi32_epi8(_mm512_srai_epi32(sum, PK_SHIFT));
    int32_t room = axis->count - x;
    if (room >= 16)
      _mm_storeu_si128((__m128i *)(out + x), bytes);
    else
      _mm_mask_storeu_epi8(out + x, (__mmask16)((1u << room) - 1), bytes);
  }
}

AVX512 static void avx512_weigh_samples(const pk_axis *axis, const int16_t *row, uint8_t *out) {
  if (axis->registers == 1) {
    switch (axis->pairs) {
      case 1: weigh_samples(axis, row, out, 1, 0); break;
      case 2: weigh_samples(axis, row, out, 2, 0); break;
      default: weigh_samples(axis, row, out, axis->pairs, 0); break;
    }
  } else if (axis->registers == 2) {
    weigh_samples(axis, row, out, axis->pairs, 1);
  } else {
    pk_avx2_weigh_samples(axis, row, out);
  }
}

AVX512 static void avx512_halve(const uint8_t *rows, ptrdiff_t stride, uint8_t *out, int32_t width) {
  __m512i ones = _mm512_set1_epi8(1), two = _mm512_set1_epi16(2);
  int32_t x = 0;
  for (; x + 32 <= width; x += 32) {
    const uint8_t *in = rows + 2 * x;
    __m512i above = _mm512_maddubs_epi16(_mm512_loadu_si512(in), ones);
    __m512i below = _mm512_maddubs_epi16(_mm512_loadu_si512(in + stride), ones);
    __m512i sum = _mm512_srli_epi16(_mm512_add_epi16(_mm512_add_epi16(above, below), two), 2);
    _mm256_storeu_si256((__m256i *)(out + x), _mm512_cvtepi16_epi8(sum));
  }
  pk_scalar_halve(rows + 2 * x, stride, out + x, width - x);
}

AVX512 static void avx512_blend(uint8_t *out, const uint8_t *over, const uint8_t *alpha, int32_t width) {
  __m512i all = _mm512_set1_epi16(255), half = _mm512_set1_epi16(128);
  for (int32_t x = 0; x < width; x += 32) {
    int32_t room = width - x;
    __mmask32 live = room >= 32 ? 0xFFFFFFFFu : (1u << room) - 1;
    __m512i a = _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(live, alpha + x));
    __m512i top = _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(live, over + x));
    __m512i bottom = _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(live, out + x));
    __m512i sum = _mm512_add_epi16(_mm512_mullo_epi16(bottom, _mm512_sub_epi16(all, a)), _mm512_mullo_epi16(top, a));
    sum = _mm512_add_epi16(sum, half);
    sum = _mm512_srli_epi16(_mm512_add_epi16(sum, _mm512_srli_epi16(sum, 8)), 8);
    _mm256_mask_storeu_epi8(out + x, live, _mm512_cvtepi16_epi8(sum));
  }
}

static const pk_kernels avx512 = {
    .name = "avx512",
    .weigh_rows = avx512_weigh_rows,
    .weigh_samples = avx512_weigh_samples,
    .halve = avx512_halve,
    .blend = avx512_blend,
    .transpose = pk_sse2_transpose,
};

const pk_kernels *pk_avx512(void) {
  int all = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  return all ? &avx512 : NULL;
}

#else
const pk_kernels *pk_avx512(void) { return NULL; }
#endif
