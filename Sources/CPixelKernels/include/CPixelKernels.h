#ifndef CPIXELKERNELS_H
#define CPIXELKERNELS_H

#include <stddef.h>
#include <stdint.h>

/// The horizontal half of a scaling plan: for each output sample, where its source samples begin and their weights.
///
/// `left`, `weights` and the tables cover `count` rounded up to 16; the extra outputs repeat the last index with weights 0.
/// Weights are Q14 and add up to 16384 for each real output.
typedef struct {
  /// Output samples.
  int32_t count;
  /// Source samples an output: a multiple of 4, and of 8 where `spread` is not NULL. Surplus weights are 0.
  int32_t taps;
  /// Pairs of source samples that carry any weight: at most taps / 2.
  int32_t pairs;
  /// 64-byte registers of source samples that 16 neighbouring outputs of one pair read: 1, 2, or 0 for "more".
  int32_t registers;
  /// First source sample of each output, never falling.
  const int32_t *left;
  /// `taps` weights for each output.
  const int16_t *weights;
  /// The same weights by 16 outputs, then by pair: two weights for each of the 16.
  const int16_t *paired;
  /// For each 4 outputs, the byte shuffle that picks two samples for each from 8; NULL where they span more than 16.
  const uint8_t *shuffles;
  /// The same for the next 8 samples, to be joined with the first; NULL where 8 are enough.
  const uint8_t *high_shuffles;
  /// For each 16 outputs, the word permutation that picks two samples for each from `registers`; NULL where that is 0.
  const uint16_t *permutations;
  /// The weights by 16 outputs, for those that lie far apart: of outputs 0, 4, 8, 12 the first eight each, the next eight each, and
  /// so on; then of outputs 1, 5, 9, 13; and so on. NULL where `shuffles` and `permutations` are enough.
  const int16_t *spread;
} pk_axis;

/// One implementation of the kernels. All give the same bits.
///
/// Source rows of bytes may be read up to 63 bytes past their last sample; nothing is ever written past a destination's last.
typedef struct {
  const char *name;
  /// Weighs `taps` rows into one row of fixed point: 128 for each step of a sample, each product rounded, sums saturating at
  /// 32767. Weights are Q15. Writes `width` rounded up to 64 words.
  void (*weigh_rows)(const uint8_t *rows, ptrdiff_t stride, const int16_t *weights, int32_t taps, int16_t *out, int32_t width);
  /// Weighs samples of one such row into bytes, rounding half up: outputs `first`, a multiple of 16, to `end`, into `out` from its
  /// beginning. Reads up to 96 words past the row's last.
  void (*weigh_samples)(const pk_axis *axis, const int16_t *row, uint8_t *out, int32_t first, int32_t end);
  /// Averages 2x2 samples each into `height` rows of `width` bytes, rounding half up.
  void (*halve)(
      const uint8_t *in, ptrdiff_t in_stride, uint8_t *out, ptrdiff_t out_stride, int32_t width, int32_t height);
  /// The same of 4x4 samples.
  void (*quarter)(
      const uint8_t *in, ptrdiff_t in_stride, uint8_t *out, ptrdiff_t out_stride, int32_t width, int32_t height);
  /// out = over where alpha is 255, out where it is 0; in between the rounded quotient by 255.
  void (*blend)(uint8_t *out, const uint8_t *over, const uint8_t *alpha, int32_t width);
  /// Transposes 8x8 samples.
  void (*transpose)(const uint8_t *in, ptrdiff_t in_stride, uint8_t *out, ptrdiff_t out_stride);
} pk_kernels;

/// The reference, in plain C.
const pk_kernels *pk_scalar(void);
/// NULL where the processor (or the architecture) lacks it.
const pk_kernels *pk_avx2(void);
const pk_kernels *pk_avx512(void);
const pk_kernels *pk_avx512vnni(void);
const pk_kernels *pk_neon(void);

#endif
