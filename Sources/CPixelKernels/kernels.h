#ifndef KERNELS_H
#define KERNELS_H
#include "CPixelKernels.h"

/// Bits below the point after both passes: 7 of the row, 14 of the weights.
enum { PK_SHIFT = 21, PK_ROUND = 1 << 20 };

void pk_scalar_weigh_rows(const uint8_t *, ptrdiff_t, const int16_t *, int32_t, int16_t *, int32_t);
void pk_scalar_weigh_samples(const pk_axis *, const int16_t *, uint8_t *, int32_t, int32_t);
void pk_scalar_halve(const uint8_t *, ptrdiff_t, uint8_t *, ptrdiff_t, int32_t, int32_t);
void pk_scalar_quarter(const uint8_t *, ptrdiff_t, uint8_t *, ptrdiff_t, int32_t, int32_t);
void pk_scalar_blend(uint8_t *, const uint8_t *, const uint8_t *, int32_t);
void pk_scalar_transpose(const uint8_t *, ptrdiff_t, uint8_t *, ptrdiff_t);

void pk_avx2_halve(const uint8_t *, ptrdiff_t, uint8_t *, ptrdiff_t, int32_t, int32_t);
void pk_sse2_transpose(const uint8_t *, ptrdiff_t, uint8_t *, ptrdiff_t);

void pk_avx512_weigh_samples(const pk_axis *, const int16_t *, uint8_t *, int32_t, int32_t);
void pk_avx512vnni_weigh_samples(const pk_axis *, const int16_t *, uint8_t *, int32_t, int32_t);
#endif
