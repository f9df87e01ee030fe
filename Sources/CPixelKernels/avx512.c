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
      // The rows of the next output lie right below.
      _mm_prefetch((const char *)(in + taps * stride), _MM_HINT_T0);
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
    case 5: weigh_rows(rows, stride, weights, 5, out, width); break;
    case 6: weigh_rows(rows, stride, weights, 6, out, width); break;
    case 7: weigh_rows(rows, stride, weights, 7, out, width); break;
    case 8: weigh_rows(rows, stride, weights, 8, out, width); break;
    case 9: weigh_rows(rows, stride, weights, 9, out, width); break;
    default: weigh_rows(rows, stride, weights, taps, out, width); break;
  }
}

#define SAMPLES_NAME pk_avx512_weigh_samples
#define SAMPLES_TARGET "avx512f,avx512bw,avx512vl,avx512dq"
#define MULTIPLY_ADD(sum, a, b) _mm512_add_epi32(sum, _mm512_madd_epi16(a, b))
#include "avx512samples.h"

/// Writes as many of 32 bytes as are left of the row; masks cost several times a plain store.
AVX512_INLINE void store_thirty_two(__m256i bytes, uint8_t *out, int32_t room) {
  if (room >= 32)
    _mm256_storeu_si256((__m256i *)out, bytes);
  else
    _mm256_mask_storeu_epi8(out, (1u << room) - 1, bytes);
}

AVX512 static void avx512_quarter(
    const uint8_t *in, ptrdiff_t in_stride, uint8_t *out, ptrdiff_t out_stride, int32_t width, int32_t height) {
  __m512i ones = _mm512_set1_epi8(1), pairs = _mm512_set1_epi16(1), eight = _mm512_set1_epi32(8);
  for (int32_t y = 0; y < height; y++, in += 4 * in_stride, out += out_stride) {
    for (int32_t x = 0; x < width; x += 16) {
      const uint8_t *row = in + 4 * x;
      __m512i words = _mm512_setzero_si512();
      for (int t = 0; t < 4; t++, row += in_stride) {
        _mm_prefetch((const char *)(row + 4 * in_stride), _MM_HINT_T0);
        words = _mm512_add_epi16(words, _mm512_maddubs_epi16(_mm512_loadu_si512(row), ones));
      }
      __m512i sums = _mm512_srli_epi32(_mm512_add_epi32(_mm512_madd_epi16(words, pairs), eight), 4);
      store_sixteen(_mm512_cvtepi32_epi8(sums), out + x, width - x);
    }
  }
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
    store_thirty_two(_mm512_cvtepi16_epi8(sum), out + x, room);
  }
}

/// Both sets: they differ in the horizontal pass alone.
#define AVX512_SET(set, samples)          \
  {                                       \
    .name = set,                          \
    .weigh_rows = avx512_weigh_rows,      \
    .weigh_samples = samples,             \
    .halve = pk_avx2_halve,               \
    .quarter = avx512_quarter,            \
    .blend = avx512_blend,                \
    .transpose = pk_sse2_transpose,       \
  }
static const pk_kernels avx512 = AVX512_SET("avx512", pk_avx512_weigh_samples);
static const pk_kernels avx512vnni = AVX512_SET("avx512vnni", pk_avx512vnni_weigh_samples);

const pk_kernels *pk_avx512(void) {
  int all = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  return all ? &avx512 : NULL;
}

const pk_kernels *pk_avx512vnni(void) {
  return pk_avx512() && __builtin_cpu_supports("avx512vnni") ? &avx512vnni : NULL;
}

#else
const pk_kernels *pk_avx512(void) { return NULL; }
const pk_kernels *pk_avx512vnni(void) { return NULL; }
#endif
