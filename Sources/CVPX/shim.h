#ifndef CVPX_SHIM_H
#define CVPX_SHIM_H
#include <vpx/vp8cx.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>
#include <vpx/vpx_encoder.h>

/* The init functions are macros over the version of the headers, the controls take variable arguments. */

static inline vpx_codec_err_t tutti_vpx_encoder_defaults(int is_vp9, vpx_codec_enc_cfg_t *settings) {
  return vpx_codec_enc_config_default(is_vp9 ? vpx_codec_vp9_cx() : vpx_codec_vp8_cx(), settings, 0);
}

static inline vpx_codec_err_t tutti_vpx_encoder_init(int is_vp9, vpx_codec_ctx_t *context, const vpx_codec_enc_cfg_t *settings) {
  return vpx_codec_enc_init(context, is_vp9 ? vpx_codec_vp9_cx() : vpx_codec_vp8_cx(), settings, 0);
}

static inline vpx_codec_err_t tutti_vpx_set_speed(vpx_codec_ctx_t *context, int cpu_used) {
  return vpx_codec_control(context, VP8E_SET_CPUUSED, cpu_used);
}

static inline vpx_codec_err_t tutti_vpx_set_static_threshold(vpx_codec_ctx_t *context, unsigned int threshold) {
  return vpx_codec_control(context, VP8E_SET_STATIC_THRESHOLD, threshold);
}

static inline vpx_codec_err_t tutti_vpx_set_max_intra_bitrate(vpx_codec_ctx_t *context, unsigned int percent) {
  return vpx_codec_control(context, VP8E_SET_MAX_INTRA_BITRATE_PCT, percent);
}

/* One byte a macroblock, 1 for those that may change; NULL lets all change. */
static inline vpx_codec_err_t tutti_vpx_set_active_map(vpx_codec_ctx_t *context, unsigned char *map, unsigned rows, unsigned columns) {
  vpx_active_map_t active = {map, rows, columns};
  return vpx_codec_control(context, VP8E_SET_ACTIVEMAP, &active);
}

/* One byte a macroblock, 1 for those whose quantizer is to differ by so much, in the 64 of the settings; NULL for none. */
static inline vpx_codec_err_t tutti_vp8_set_finer_blocks(
  vpx_codec_ctx_t *context, unsigned char *map, unsigned rows, unsigned columns, int difference) {
  vpx_roi_map_t regions = {0};
  regions.rows = rows;
  regions.cols = columns;
  regions.roi_map = map;
  regions.delta_q[1] = difference;
  return vpx_codec_control(context, VP8E_SET_ROI_MAP, &regions);
}

/* Of the last frame, in the 64 of the settings. */
static inline vpx_codec_err_t tutti_vpx_get_quantizer(vpx_codec_ctx_t *context, int *quantizer) {
  return vpx_codec_control(context, VP8E_GET_LAST_QUANTIZER_64, quantizer);
}

static inline vpx_codec_err_t tutti_vp8_set_screen(vpx_codec_ctx_t *context, int is_screen) {
  return vpx_codec_control(context, VP8E_SET_SCREEN_CONTENT_MODE, is_screen ? 1u : 0u);
}

/* What real-time VP9 wants beside its speed: cyclic refresh, threads by rows, tiles for as many. */
static inline vpx_codec_err_t tutti_vp9_set_realtime(vpx_codec_ctx_t *context, int tile_columns_log2) {
  vpx_codec_err_t status = vpx_codec_control(context, VP9E_SET_AQ_MODE, 3u);
  if (status == VPX_CODEC_OK) status = vpx_codec_control(context, VP9E_SET_TILE_COLUMNS, tile_columns_log2);
  if (status == VPX_CODEC_OK) status = vpx_codec_control(context, VP9E_SET_ROW_MT, 1u);
  if (status == VPX_CODEC_OK) status = vpx_codec_control(context, VP9E_SET_FRAME_PARALLEL_DECODING, 0u);
  return status;
}

static inline vpx_codec_err_t tutti_vp9_decoder_init(vpx_codec_ctx_t *context, unsigned int threads) {
  vpx_codec_dec_cfg_t settings = {threads, 0, 0};
  return vpx_codec_dec_init(context, vpx_codec_vp9_dx(), &settings, 0);
}

static inline vpx_codec_err_t tutti_vpx_get_corrupted(vpx_codec_ctx_t *context, int *corrupted) {
  return vpx_codec_control(context, VP8D_GET_FRAME_CORRUPTED, corrupted);
}

/* Temporal layers: the base in the last-frame buffer, the middle in the golden one; VP9 takes these flags as VP8 does. */
static const vpx_enc_frame_flags_t tutti_vpx_base_layer_flags =
  VP8_EFLAG_NO_REF_GF | VP8_EFLAG_NO_REF_ARF | VP8_EFLAG_NO_UPD_GF | VP8_EFLAG_NO_UPD_ARF;
static const vpx_enc_frame_flags_t tutti_vpx_middle_layer_flags =
  VP8_EFLAG_NO_REF_GF | VP8_EFLAG_NO_REF_ARF | VP8_EFLAG_NO_UPD_LAST | VP8_EFLAG_NO_UPD_ARF | VP8_EFLAG_NO_UPD_ENTROPY;
static const vpx_enc_frame_flags_t tutti_vpx_top_layer_flags = VP8_EFLAG_NO_REF_GF | VP8_EFLAG_NO_REF_ARF | VP8_EFLAG_NO_UPD_LAST
  | VP8_EFLAG_NO_UPD_GF | VP8_EFLAG_NO_UPD_ARF | VP8_EFLAG_NO_UPD_ENTROPY;
static const vpx_enc_frame_flags_t tutti_vp9_second_top_layer_flags =
  VP8_EFLAG_NO_REF_ARF | VP8_EFLAG_NO_UPD_LAST | VP8_EFLAG_NO_UPD_GF | VP8_EFLAG_NO_UPD_ARF | VP8_EFLAG_NO_UPD_ENTROPY;
/* Without a second reference to search VP8 takes less time, and its frames come out finer: the base is three frames away by then. */
static const vpx_enc_frame_flags_t tutti_vp8_second_top_layer_flags = VP8_EFLAG_NO_REF_LAST | VP8_EFLAG_NO_REF_ARF
  | VP8_EFLAG_NO_UPD_LAST | VP8_EFLAG_NO_UPD_GF | VP8_EFLAG_NO_UPD_ARF | VP8_EFLAG_NO_UPD_ENTROPY;

/* One of the temporal layers told in the settings: cumulative kb/s, one frame in `divisor`. */
static inline void tutti_vpx_describe_layer(vpx_codec_enc_cfg_t *settings, int layer, unsigned kilobits, unsigned divisor) {
  if (layer < 0 || layer >= VPX_TS_MAX_LAYERS) return;
  settings->ts_target_bitrate[layer] = kilobits;
  settings->layer_target_bitrate[layer] = kilobits;
  settings->ts_rate_decimator[layer] = divisor;
}

/* The layer of each frame, over and over; the references of each are told with it. */
static inline void tutti_vpx_describe_pattern(vpx_codec_enc_cfg_t *settings, unsigned layers, const uint8_t *ids, unsigned count) {
  settings->ts_number_layers = layers;
  settings->ts_periodicity = count;
  settings->temporal_layering_mode = VP9E_TEMPORAL_LAYERING_MODE_BYPASS;
  settings->ss_number_layers = 1;
  for (unsigned i = 0; i < count && i < VPX_TS_MAX_PERIODICITY; i++) settings->ts_layer_id[i] = ids[i];
}

/* VP9 wants to be told that there are layers, and that none is spatial. */
static inline vpx_codec_err_t tutti_vp9_set_temporal_layers(vpx_codec_ctx_t *context, const vpx_codec_enc_cfg_t *settings) {
  vpx_svc_extra_cfg_t extra = {0};
  for (unsigned i = 0; i < settings->ts_number_layers && i < VPX_MAX_LAYERS; i++) {
    extra.max_quantizers[i] = (int)settings->rc_max_quantizer;
    extra.min_quantizers[i] = (int)settings->rc_min_quantizer;
  }
  extra.scaling_factor_num[0] = extra.scaling_factor_den[0] = 1;
  vpx_codec_err_t status = vpx_codec_control(context, VP9E_SET_SVC, 1);
  if (status == VPX_CODEC_OK) status = vpx_codec_control(context, VP9E_SET_SVC_PARAMETERS, &extra);
  return status;
}

static inline vpx_codec_err_t tutti_vpx_set_temporal_layer(vpx_codec_ctx_t *context, int is_vp9, int layer) {
  if (!is_vp9) return vpx_codec_control(context, VP8E_SET_TEMPORAL_LAYER_ID, layer);
  vpx_svc_layer_id_t id = {0};
  id.temporal_layer_id = layer;
  id.temporal_layer_id_per_spatial[0] = layer;
  return vpx_codec_control(context, VP9E_SET_SVC_LAYER_ID, &id);
}

static const vpx_enc_frame_flags_t tutti_vpx_force_keyframe = VPX_EFLAG_FORCE_KF;
static const unsigned int tutti_vpx_frame_is_key = VPX_FRAME_IS_KEY;

#endif
