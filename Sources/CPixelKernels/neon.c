#include "kernels.h"

#if defined(__aarch64__)
#include <arm_neon.h>

static void neon_weigh_rows(
    const uint8_t *rows, ptrdiff_t stride, const int16_t *weights, int32_t taps, int16_t *out, int32_t width) {
  for (int32_t x = 0; x < width; x += 16) {
    const uint8_t *in = rows + x;
    int16x8_t a = vdupq_n_s16(0), b = a;
    for (int32_t t = 0; t < taps; t++, in += stride) {
      int16x8_t low = vreinterpretq_s16_u16(vshll_n_u8(vld1_u8(in), 7));
      int16x8_t high = vreinterpretq_s16_u16(vshll_n_u8(vld1_u8(in + 8), 7));
      a = vqaddq_s16(a, vqrdmulhq_n_s16(low, weights[t]));
      b = vqaddq_s16(b, vqrdmulhq_n_s16(high, weights[t]));
    }
    vst1q_s16(out + x, a);
    vst1q_s16(out + x + 8, b);
  }
}

/// Four sums of one output.
static inline int32x4_t sums(const int16_t *samples, const int16_t *weights, int32_t taps) {
  int32x4_t sum = vmull_s16(vld1_s16(samples), vld1_s16(weights));
  for (int32_t t = 4; t < taps; t += 4) sum = vmlal_s16(sum, vld1_s16(samples + t), vld1_s16(weights + t));
  return sum;
}

/// Four outputs, rounded.
static inline uint16x4_t four(const pk_axis *axis, const int16_t *row, int32_t x) {
  const int16_t *weights = axis->weights + (ptrdiff_t)x * axis->taps;
  int32x4_t each[4];
  for (int i = 0; i < 4; i++, weights += axis->taps) each[i] = sums(row + axis->left[x + i], weights, axis->taps);
  int32x4_t all = vpaddq_s32(vpaddq_s32(each[0], each[1]), vpaddq_s32(each[2], each[3]));
  return vqmovun_s32(vrshrq_n_s32(all, PK_SHIFT));
}

static void neon_weigh_samples(const pk_axis *axis, const int16_t *row, uint8_t *out, int32_t first, int32_t end) {
  for (int32_t x = first; x < end; x += 8, out += 8) {
    uint8x8_t bytes = vqmovn_u16(vcombine_u16(four(axis, row, x), four(axis, row, x + 4)));
    if (end - x >= 8) {
      vst1_u8(out, bytes);
    } else {
      uint8_t last[8];
      vst1_u8(last, bytes);
      for (int32_t i = 0; i < end - x; i++) out[i] = last[i];
    }
  }
}

static void neon_halve(
    const uint8_t *in, ptrdiff_t in_stride, uint8_t *out, ptrdiff_t out_stride, int32_t width, int32_t height) {
  int32_t wide = width & ~7;
  for (int32_t y = 0; y < height; y++) {
    const uint8_t *row = in + 2 * y * in_stride;
    for (int32_t x = 0; x < wide; x += 8, row += 16) {
      uint16x8_t sum = vpadalq_u8(vpaddlq_u8(vld1q_u8(row)), vld1q_u8(row + in_stride));
      vst1_u8(out + y * out_stride + x, vrshrn_n_u16(sum, 2));
    }
  }
  pk_scalar_halve(in + 2 * wide, in_stride, out + wide, out_stride, width - wide, height);
}

static void neon_quarter(
    const uint8_t *in, ptrdiff_t in_stride, uint8_t *out, ptrdiff_t out_stride, int32_t width, int32_t height) {
  int32_t wide = width & ~7;
  for (int32_t y = 0; y < height; y++) {
    const uint8_t *row = in + 4 * y * in_stride;
    for (int32_t x = 0; x < wide; x += 8, row += 32) {
      uint16x8_t low = vdupq_n_u16(0), high = low;
      for (int t = 0; t < 4; t++) {
        low = vpadalq_u8(low, vld1q_u8(row + t * in_stride));
        high = vpadalq_u8(high, vld1q_u8(row + t * in_stride + 16));
      }
      vst1_u8(out + y * out_stride + x, vrshrn_n_u16(vpaddq_u16(low, high), 4));
    }
  }
  pk_scalar_quarter(in + 4 * wide, in_stride, out + wide, out_stride, width - wide, height);
}

static void neon_blend(uint8_t *out, const uint8_t *over, const uint8_t *alpha, int32_t width) {
  int32_t x = 0;
  for (; x + 8 <= width; x += 8) {
    uint8x8_t a = vld1_u8(alpha + x);
    uint16x8_t sum = vmlal_u8(vmull_u8(vld1_u8(out + x), vmvn_u8(a)), vld1_u8(over + x), a);
    sum = vaddq_u16(sum, vdupq_n_u16(128));
    vst1_u8(out + x, vshrn_n_u16(vsraq_n_u16(sum, sum, 8), 8));
  }
  pk_scalar_blend(out + x, over + x, alpha + x, width - x);
}

static const pk_kernels neon = {
    .name = "neon",
    .weigh_rows = neon_weigh_rows,
    .weigh_samples = neon_weigh_samples,
    .halve = neon_halve,
    .quarter = neon_quarter,
    .blend = neon_blend,
    .transpose = pk_scalar_transpose,
};

/// Every arm64 has it.
const pk_kernels *pk_neon(void) { return &neon; }

#else
const pk_kernels *pk_neon(void) { return NULL; }
#endif
