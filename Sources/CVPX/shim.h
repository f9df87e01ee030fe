#ifndef CVPX_SHIM_H
#define CVPX_SHIM_H
#include <vpx/vp8cx.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>
#include <vpx/vpx_encoder.h>

/* The init functions are macros over the version of the headers, the controls take variable arguments. */

static inline vpx_codec_err_t tutti_vp8_encoder_defaults(vpx_codec_enc_cfg_t *settings) {
  return vpx_codec_enc_config_default(vpx_codec_vp8_cx(), settings, 0);
}

static inline vpx_codec_err_t tutti_vp8_encoder_init(vpx_codec_ctx_t *context, const vpx_codec_enc_cfg_t *settings) {
  return vpx_codec_enc_init(context, vpx_codec_vp8_cx(), settings, 0);
}

static inline vpx_codec_err_t tutti_vp8_set_speed(vpx_codec_ctx_t *context, int cpu_used) {
  return vpx_codec_control(context, VP8E_SET_CPUUSED, cpu_used);
}

static inline vpx_codec_err_t tutti_vp8_set_static_threshold(vpx_codec_ctx_t *context, unsigned int threshold) {
  return vpx_codec_control(context, VP8E_SET_STATIC_THRESHOLD, threshold);
}

static inline vpx_codec_err_t tutti_vp8_set_max_intra_bitrate(vpx_codec_ctx_t *context, unsigned int percent) {
  return vpx_codec_control(context, VP8E_SET_MAX_INTRA_BITRATE_PCT, percent);
}

static inline vpx_codec_err_t tutti_vp8_decoder_init(vpx_codec_ctx_t *context, unsigned int threads) {
  vpx_codec_dec_cfg_t settings = {threads, 0, 0};
  return vpx_codec_dec_init(context, vpx_codec_vp8_dx(), &settings, 0);
}

static inline vpx_codec_err_t tutti_vp8_get_corrupted(vpx_codec_ctx_t *context, int *corrupted) {
  return vpx_codec_control(context, VP8D_GET_FRAME_CORRUPTED, corrupted);
}

static const vpx_enc_frame_flags_t tutti_vp8_force_keyframe = VPX_EFLAG_FORCE_KF;
static const unsigned int tutti_vpx_frame_is_key = VPX_FRAME_IS_KEY;

#endif
