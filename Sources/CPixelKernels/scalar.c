// The reference: what every other implementation must equal bit for bit. Also what runs where there is no other.
#include "kernels.h"

void pk_scalar_weigh_rows(
    const uint8_t *rows, ptrdiff_t stride, const int16_t *weights, int32_t taps, int16_t *restrict out, int32_t width) {
  // Row by row, which compilers turn into vectors.
  for (int32_t x = 0; x < width; x++) out[x] = 0;
  for (int32_t t = 0; t < taps; t++) {
    const uint8_t *restrict row = rows + t * stride;
    int32_t weight = weights[t];
    for (int32_t x = 0; x < width; x++) {
      int32_t sum = out[x] + (((row[x] << 7) * weight + (1 << 14)) >> 15);
      out[x] = (int16_t)(sum > INT16_MAX ? INT16_MAX : sum);
    }
  }
}

void pk_scalar_weigh_samples(const pk_axis *axis, const int16_t *row, uint8_t *out, int32_t first, int32_t end) {
  const int16_t *weights = axis->weights + (ptrdiff_t)first * axis->taps;
  for (int32_t x = first; x < end; x++, weights += axis->taps) {
    const int16_t *samples = row + axis->left[x];
    int32_t sum = PK_ROUND;
    for (int32_t t = 0; t < axis->taps; t++) sum += samples[t] * weights[t];
    sum >>= PK_SHIFT;
    *out++ = (uint8_t)(sum > 255 ? 255 : sum);
  }
}

void pk_scalar_halve(
    const uint8_t *in, ptrdiff_t in_stride, uint8_t *out, ptrdiff_t out_stride, int32_t width, int32_t height) {
  for (int32_t y = 0; y < height; y++, in += 2 * in_stride, out += out_stride) {
    const uint8_t *below = in + in_stride;
    for (int32_t x = 0; x < width; x++)
      out[x] = (uint8_t)((in[2 * x] + in[2 * x + 1] + below[2 * x] + below[2 * x + 1] + 2) >> 2);
  }
}

void pk_scalar_quarter(
    const uint8_t *in, ptrdiff_t in_stride, uint8_t *out, ptrdiff_t out_stride, int32_t width, int32_t height) {
  for (int32_t y = 0; y < height; y++, in += 4 * in_stride, out += out_stride) {
    for (int32_t x = 0; x < width; x++) {
      int32_t sum = 8;
      for (int32_t row = 0; row < 4; row++)
        for (int32_t column = 0; column < 4; column++) sum += in[row * in_stride + 4 * x + column];
      out[x] = (uint8_t)(sum >> 4);
    }
  }
}

void pk_scalar_blend(uint8_t *out, const uint8_t *over, const uint8_t *alpha, int32_t width) {
  for (int32_t x = 0; x < width; x++) {
    uint32_t sum = (uint32_t)out[x] * (255u - alpha[x]) + (uint32_t)over[x] * alpha[x] + 128u;
    out[x] = (uint8_t)((sum + (sum >> 8)) >> 8);
  }
}

void pk_scalar_transpose(const uint8_t *in, ptrdiff_t in_stride, uint8_t *out, ptrdiff_t out_stride) {
  for (int y = 0; y < 8; y++)
    for (int x = 0; x < 8; x++) out[x * out_stride + y] = in[y * in_stride + x];
}

static const pk_kernels scalar = {
    .name = "scalar",
    .weigh_rows = pk_scalar_weigh_rows,
    .weigh_samples = pk_scalar_weigh_samples,
    .halve = pk_scalar_halve,
    .quarter = pk_scalar_quarter,
    .blend = pk_scalar_blend,
    .transpose = pk_scalar_transpose,
};

const pk_kernels *pk_scalar(void) { return &scalar; }
