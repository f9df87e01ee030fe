#ifndef KERNELS_H
#define KERNELS_H
#include "CPixelKernels.h"

/// Bits below the point after both passes: 7 of the row, 14 of the weights.
enum { PK_SHIFT = 21, PK_ROUND = 1 << 20 };

/// How many rows ahead of the one in work the cache is told of what will be read, even: about 4 kB, since what comes from memory takes
/// longer than a row, and more would push out what is not read yet. Measured with rows of 320 to 1280 bytes.
static inline ptrdiff_t pk_rows_ahead(ptrdiff_t stride) {
  ptrdiff_t rows = stride > 0 ? (4096 / stride) & ~(ptrdiff_t)1 : 0;
  return rows > 2 ? rows : 2;
}

void pk_scalar_weigh_rows(const uint8_t *, ptrdiff_t, const int16_t *, int32_t, int16_t *, int32_t);
void pk_scalar_weigh_samples(const pk_axis *, const int16_t *, uint8_t *, int32_t, int32_t);
void pk_scalar_halve(const uint8_t *, ptrdiff_t, uint8_t *, ptrdiff_t, int32_t, int32_t);
void pk_scalar_quarter(const uint8_t *, ptrdiff_t, uint8_t *, ptrdiff_t, int32_t, int32_t);
void pk_scalar_blend(uint8_t *, const uint8_t *, const uint8_t *, int32_t);
void pk_scalar_transpose(const uint8_t *, ptrdiff_t, uint8_t *, ptrdiff_t);

void pk_sse2_transpose(const uint8_t *, ptrdiff_t, uint8_t *, ptrdiff_t);

void pk_avx512_weigh_samples(const pk_axis *, const int16_t *, uint8_t *, int32_t, int32_t);
void pk_avx512vnni_weigh_samples(const pk_axis *, const int16_t *, uint8_t *, int32_t, int32_t);
#endif
