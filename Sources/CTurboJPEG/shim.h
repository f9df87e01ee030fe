#ifndef CTURBOJPEG_SHIM_H
#define CTURBOJPEG_SHIM_H
#include <turbojpeg.h>

/// Decodes a whole JPEG into rows of blue, green, red and an unused byte; 0 where it is damaged beyond a warning.
///
/// `width` and `height` are those of the image divided by 1, 2, 4 or 8 and rounded up. Files of very many scans are refused.
static inline int cjpeg_decode(const unsigned char *bytes, unsigned long count, int width, int height, unsigned char *pixels) {
  tjhandle decoder = tjInitDecompress();
  if (!decoder) return 0;
  int result = tjDecompress2(decoder, bytes, count, pixels, width, 4 * width, height, TJPF_BGRX, TJFLAG_LIMITSCANS);
  int decoded = result == 0 || tjGetErrorCode(decoder) == TJERR_WARNING;
  tjDestroy(decoder);
  return decoded;
}

/// The size that a side has at one `denominator`-th.
static inline int cjpeg_scaled(int side, int denominator) {
  tjscalingfactor factor = {1, denominator};
  return TJSCALED(side, factor);
}

/// Encodes rows of blue, green, red and an unused byte, for tests; the bytes written, at most `capacity`.
static inline unsigned long cjpeg_encode(
  const unsigned char *pixels, int width, int height, int quality, int progressive, unsigned char *out, unsigned long capacity) {
  tjhandle encoder = tjInitCompress();
  if (!encoder) return 0;
  unsigned long count = capacity;
  int result = tjCompress2(
    encoder, pixels, width, 4 * width, height, TJPF_BGRX, &out, &count, TJSAMP_420, quality,
    TJFLAG_NOREALLOC | (progressive ? TJFLAG_PROGRESSIVE : 0));
  tjDestroy(encoder);
  return result == 0 ? count : 0;
}

#endif
