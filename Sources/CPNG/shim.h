#ifndef CPNG_SHIM_H
#define CPNG_SHIM_H
#include <png.h>
#include <string.h>

/// Decodes a whole PNG into rows of blue, green, red, alpha (not premultiplied); 0 where it is damaged or not of this size.
static inline int cpng_decode(const void *bytes, size_t count, unsigned width, unsigned height, void *pixels) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_memory(&image, bytes, count)) return 0;
  int decoded = 0;
  if (image.width == width && image.height == height) {
    image.format = PNG_FORMAT_BGRA;
    decoded = png_image_finish_read(&image, NULL, pixels, (png_int_32)(4 * width), NULL) && !PNG_IMAGE_FAILED(image);
  }
  png_image_free(&image);
  return decoded;
}

#endif
