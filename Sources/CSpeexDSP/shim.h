#ifndef CSPEEXDSP_SHIM_H
#define CSPEEXDSP_SHIM_H
#include <speex/speex_preprocess.h>

/* speex_preprocess_ctl takes its values by untyped pointer. */

static inline int tutti_speex_set_denoise(SpeexPreprocessState *state, spx_int32_t on) {
  return speex_preprocess_ctl(state, SPEEX_PREPROCESS_SET_DENOISE, &on);
}

static inline int tutti_speex_set_noise_suppress(SpeexPreprocessState *state, spx_int32_t decibels) {
  return speex_preprocess_ctl(state, SPEEX_PREPROCESS_SET_NOISE_SUPPRESS, &decibels);
}

#endif
