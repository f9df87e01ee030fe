#ifndef CDAV1D_SHIM_H
#define CDAV1D_SHIM_H
#include <dav1d/dav1d.h>
#include <errno.h>
#include <string.h>

/* dav1d's errors are negated errno values. */
static const int tutti_dav1d_again = DAV1D_ERR(EAGAIN);

#if defined(__x86_64__)
/* Exported, but in no header of the library. Bit 4 are the kernels for AVX-512. */
extern void dav1d_set_cpu_flags_mask(unsigned mask);

/* Those of 1.0.0 read beyond what there is when they restore pictures of some sizes: a stream of anybody's could end the process. */
static inline void tutti_dav1d_use_safe_kernels(void) { dav1d_set_cpu_flags_mask(~(1u << 4)); }
#else
static inline void tutti_dav1d_use_safe_kernels(void) {}
#endif

/* One thread, no frame held back, every spatial layer, nothing larger than `pixels`, nothing said on standard error. */
static inline Dav1dContext *tutti_dav1d_open(unsigned pixels) {
  Dav1dSettings settings;
  Dav1dContext *context = NULL;
  tutti_dav1d_use_safe_kernels();
  dav1d_default_settings(&settings);
  /* Grain is noise made up by the receiver: nothing to mix. */
  settings.apply_grain = 0;
  settings.n_threads = 1;
  settings.max_frame_delay = 1;
  settings.all_layers = 1;
  settings.frame_size_limit = pixels;
  settings.logger.callback = NULL;
  return dav1d_open(&context, &settings) < 0 ? NULL : context;
}

/* Hands in a copy of the bytes; 0 where they were taken whole. */
static inline int tutti_dav1d_send(Dav1dContext *context, const uint8_t *bytes, size_t count) {
  Dav1dData data = {0};
  uint8_t *copy = dav1d_data_create(&data, count);
  if (!copy) return DAV1D_ERR(ENOMEM);
  memcpy(copy, bytes, count);
  int status = dav1d_send_data(context, &data);
  if (status == 0 && data.sz != 0) status = DAV1D_ERR(EINVAL);
  if (data.sz != 0) dav1d_data_unref(&data);
  return status;
}

/* The next picture in place of the one before; that one stays where there is none. */
static inline int tutti_dav1d_get(Dav1dContext *context, Dav1dPicture *picture) {
  Dav1dPicture next = {0};
  int status = dav1d_get_picture(context, &next);
  if (status < 0) return status;
  dav1d_picture_unref(picture);
  *picture = next;
  return 0;
}

#endif
