#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))
#define AVX2_INLINE static inline __attribute__((target("avx2"), always_inline))

/// 16 samples as fixed point with 7 bits below the point.
AVX2_INLINE __m256i sixteen(const uint8_t *in) {
  return _mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)in)), 7);
}

AVX2_INLINE void weigh_rows(
    const uint8_t *rows, ptrdiff_t stride, const int16_t *weights, int32_t taps, int16_t *out, int32_t width) {
  for (int32_t x = 0; x < width; x += 32) {
    const uint8_t *in = rows + x;
    __m256i a = _mm256_setzero_si256(), b = a;
    for (int32_t t = 0; t < taps; t++, in += stride) {
      __m256i weight = _mm256_set1_epi16(weights[t]);
      a = _mm256_adds_epi16(a, _mm256_mulhrs_epi16(sixteen(in), weight));
      b = _mm256_adds_epi16(b, _mm256_mulhrs_epi16(sixteen(in + 16), weight));
    }
    _mm256_storeu_si256((__m256i *)(out + x), a);
    _mm256_storeu_si256((__m256i *)(out + x + 16), b);
  }
}

/// The usual numbers of taps as constants: unrolled, each row is a stream of its own to the prefetcher.
AVX2 static void avx2_weigh_rows(
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

/// Eight samples for each of two groups of 4 outputs.
AVX2_INLINE __m256i two_octets(const int16_t *a, const int16_t *b) {
  return _mm256_inserti128_si256(
      _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)a)), _mm_loadu_si128((const __m128i *)b), 1);
}

/// Two groups of 4 outputs, each within 8 samples or, if `wide`, within 16: shuffles and a multiply-add for each pair of taps.
AVX2_INLINE __m256i eight_near(
    const pk_axis *axis, const int16_t *row, int32_t x, const int16_t *weights, int32_t pairs, int wide) {
  const int16_t *a = row + axis->left[x], *b = row + axis->left[x + 4];
  __m256i low = _mm256_loadu_si256((const __m256i *)(axis->shuffles + 4 * x)), high = low;
  if (wide) high = _mm256_loadu_si256((const __m256i *)(axis->high_shuffles + 4 * x));
  __m256i sum = _mm256_set1_epi32(PK_ROUND);
  for (int32_t p = 0; p < pairs; p++) {
    __m256i in = _mm256_shuffle_epi8(two_octets(a + 2 * p, b + 2 * p), low);
    if (wide) in = _mm256_or_si256(in, _mm256_shuffle_epi8(two_octets(a + 2 * p + 8, b + 2 * p + 8), high));
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(in, _mm256_loadu_si256((const __m256i *)(weights + 32 * p))));
  }
  return _mm256_srai_epi32(sum, PK_SHIFT);
}

/// Four neighbouring outputs whose samples lie far apart: eight taps of each at a time.
AVX2_INLINE __m128i four_far(const pk_axis *axis, const int16_t *row, int32_t x) {
  const int32_t *left = axis->left + x;
  const int16_t *weights = axis->weights + (ptrdiff_t)x * axis->taps;
  ptrdiff_t taps = axis->taps;
  __m256i even = _mm256_setzero_si256(), odd = even;
  for (ptrdiff_t t = 0; t < taps; t += 8) {
    const int16_t *in = row + t, *w = weights + t;
    even = _mm256_add_epi32(
        even, _mm256_madd_epi16(two_octets(in + left[0], in + left[2]), two_octets(w, w + 2 * taps)));
    odd = _mm256_add_epi32(
        odd, _mm256_madd_epi16(two_octets(in + left[1], in + left[3]), two_octets(w + taps, w + 3 * taps)));
  }
  // Halves of 0 0 1 1 and of 2 2 3 3.
  __m256i halves = _mm256_hadd_epi32(even, odd);
  __m128i added = _mm_hadd_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
  return _mm_srai_epi32(_mm_add_epi32(added, _mm_set1_epi32(PK_ROUND)), PK_SHIFT);
}

AVX2_INLINE __m256i eight_far(const pk_axis *axis, const int16_t *row, int32_t x) {
  return _mm256_inserti128_si256(
      _mm256_castsi128_si256(four_far(axis, row, x)), four_far(axis, row, x + 4), 1);
}

/// Narrows 16 sums to bytes and writes as many as are left of the row.
AVX2_INLINE void store_sixteen(__m256i a, __m256i b, uint8_t *out, int32_t room) {
  __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xD8);
  __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  if (room >= 16) {
    _mm_storeu_si128((__m128i *)out, bytes);
  } else {
    uint8_t last[16];
    _mm_storeu_si128((__m128i *)last, bytes);
    memcpy(out, last, (size_t)room);
  }
}

AVX2_INLINE void near_samples(
    const pk_axis *axis, const int16_t *row, uint8_t *out, int32_t first, int32_t end, int32_t pairs, int wide) {
  const int16_t *weights = axis->paired + (ptrdiff_t)first * 2 * axis->pairs;
  for (int32_t x = first; x < end; x += 16, weights += 32 * axis->pairs, out += 16) {
    __m256i a = eight_near(axis, row, x, weights, pairs, wide);
    __m256i b = eight_near(axis, row, x + 8, weights + 16, pairs, wide);
    store_sixteen(a, b, out, end - x);
  }
}

AVX2 static void avx2_weigh_samples(const pk_axis *axis, const int16_t *row, uint8_t *out, int32_t first, int32_t end) {
  if (!axis->shuffles) {
    for (int32_t x = first; x < end; x += 16, out += 16)
      store_sixteen(eight_far(axis, row, x), eight_far(axis, row, x + 8), out, end - x);
  } else if (axis->high_shuffles) {
    switch (axis->pairs) {
      case 2: near_samples(axis, row, out, first, end, 2, 1); break;
      case 3: near_samples(axis, row, out, first, end, 3, 1); break;
      default: near_samples(axis, row, out, first, end, axis->pairs, 1); break;
    }
  } else {
    switch (axis->pairs) {
      case 1: near_samples(axis, row, out, first, end, 1, 0); break;
      case 2: near_samples(axis, row, out, first, end, 2, 0); break;
      default: near_samples(axis, row, out, first, end, axis->pairs, 0); break;
    }
  }
}

/// How many rows ahead of those in work the cache is told of what will be read, even: about 8 kB, since what comes from memory takes
/// longer than a row, and more would push out what is not read yet. Measured with rows of 320 to 1280 bytes, in the third level of the
/// cache and in memory.
static ptrdiff_t rows_ahead(ptrdiff_t stride) {
  ptrdiff_t rows = stride > 0 ? (8192 / stride) & ~(ptrdiff_t)1 : 0;
  return rows > 2 ? rows : 2;
}

/// The AVX-512 sets take it too: it waits for memory, and with registers and stores of 64 bytes waits longer.
AVX2 void pk_avx2_halve(
    const uint8_t *in, ptrdiff_t in_stride, uint8_t *out, ptrdiff_t out_stride, int32_t width, int32_t height) {
  __m256i ones = _mm256_set1_epi8(1), two = _mm256_set1_epi16(2);
  ptrdiff_t ahead = rows_ahead(in_stride) * in_stride;
  int32_t wide = width & ~31;
  for (int32_t y = 0; y < height; y++) {
    const uint8_t *row = in + 2 * y * in_stride;
    for (int32_t x = 0; x < wide; x += 32, row += 64) {
      __m256i sum[2];
      _mm_prefetch((const char *)(row + ahead), _MM_HINT_T0);
      _mm_prefetch((const char *)(row + ahead + in_stride), _MM_HINT_T0);
      for (int half = 0; half < 2; half++) {
        __m256i above = _mm256_maddubs_epi16(_mm256_loadu_si256((const __m256i *)(row + 32 * half)), ones);
        __m256i below = _mm256_maddubs_epi16(_mm256_loadu_si256((const __m256i *)(row + 32 * half + in_stride)), ones);
        sum[half] = _mm256_srli_epi16(_mm256_add_epi16(_mm256_add_epi16(above, below), two), 2);
      }
      __m256i bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(sum[0], sum[1]), 0xD8);
      _mm256_storeu_si256((__m256i *)(out + y * out_stride + x), bytes);
    }
  }
  pk_scalar_halve(in + 2 * wide, in_stride, out + wide, out_stride, width - wide, height);
}

AVX2 static void avx2_quarter(
    const uint8_t *in, ptrdiff_t in_stride, uint8_t *out, ptrdiff_t out_stride, int32_t width, int32_t height) {
  __m256i ones = _mm256_set1_epi8(1), pairs = _mm256_set1_epi16(1), eight = _mm256_set1_epi32(8);
  int32_t wide = width & ~15;
  for (int32_t y = 0; y < height; y++) {
    for (int32_t x = 0; x < wide; x += 16) {
      __m256i sum[2];
      for (int half = 0; half < 2; half++) {
        const uint8_t *row = in + 4 * y * in_stride + 4 * x + 32 * half;
        __m256i words = _mm256_setzero_si256();
        for (int t = 0; t < 4; t++, row += in_stride)
          words = _mm256_add_epi16(words, _mm256_maddubs_epi16(_mm256_loadu_si256((const __m256i *)row), ones));
        sum[half] = _mm256_srli_epi32(_mm256_add_epi32(_mm256_madd_epi16(words, pairs), eight), 4);
      }
      store_sixteen(sum[0], sum[1], out + y * out_stride + x, 16);
    }
  }
  pk_scalar_quarter(in + 4 * wide, in_stride, out + wide, out_stride, width - wide, height);
}

AVX2 static void avx2_blend(uint8_t *out, const uint8_t *over, const uint8_t *alpha, int32_t width) {
  __m256i all = _mm256_set1_epi16(255), half = _mm256_set1_epi16(128);
  int32_t x = 0;
  for (; x + 16 <= width; x += 16) {
    __m256i a = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(alpha + x)));
    __m256i top = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(over + x)));
    __m256i bottom = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(out + x)));
    __m256i sum = _mm256_add_epi16(_mm256_mullo_epi16(bottom, _mm256_sub_epi16(all, a)), _mm256_mullo_epi16(top, a));
    sum = _mm256_add_epi16(sum, half);
    sum = _mm256_srli_epi16(_mm256_add_epi16(sum, _mm256_srli_epi16(sum, 8)), 8);
    __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    _mm_storeu_si128((__m128i *)(out + x), bytes);
  }
  pk_scalar_blend(out + x, over + x, alpha + x, width - x);
}

/// SSE2, which every x86-64 has: three rounds of interleaving.
void pk_sse2_transpose(const uint8_t *in, ptrdiff_t in_stride, uint8_t *out, ptrdiff_t out_stride) {
  __m128i pairs[4], quads[4];
  for (int i = 0; i < 4; i++) {
    __m128i even = _mm_loadl_epi64((const __m128i *)(in + 2 * i * in_stride));
    __m128i odd = _mm_loadl_epi64((const __m128i *)(in + (2 * i + 1) * in_stride));
    pairs[i] = _mm_unpacklo_epi8(even, odd);
  }
  quads[0] = _mm_unpacklo_epi16(pairs[0], pairs[1]);
  quads[1] = _mm_unpackhi_epi16(pairs[0], pairs[1]);
  quads[2] = _mm_unpacklo_epi16(pairs[2], pairs[3]);
  quads[3] = _mm_unpackhi_epi16(pairs[2], pairs[3]);
  for (int i = 0; i < 4; i++) {
    __m128i columns = (i & 1) ? _mm_unpackhi_epi32(quads[i / 2], quads[i / 2 + 2])
                              : _mm_unpacklo_epi32(quads[i / 2], quads[i / 2 + 2]);
    _mm_storel_epi64((__m128i *)(out + 2 * i * out_stride), columns);
    _mm_storel_epi64((__m128i *)(out + (2 * i + 1) * out_stride), _mm_unpackhi_epi64(columns, columns));
  }
}

static const pk_kernels avx2 = {
    .name = "avx2",
    .weigh_rows = avx2_weigh_rows,
    .weigh_samples = avx2_weigh_samples,
    .halve = pk_avx2_halve,
    .quarter = avx2_quarter,
    .blend = avx2_blend,
    .transpose = pk_sse2_transpose,
};

const pk_kernels *pk_avx2(void) { return __builtin_cpu_supports("avx2") ? &avx2 : NULL; }

#else
const pk_kernels *pk_avx2(void) { return NULL; }
#endif
