#ifndef COPENH264_SHIM_H
#define COPENH264_SHIM_H
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wels/codec_api.h>

/* The encoder is a table of functions behind two pointers, and its parameters are full of arrays: both are kept from Swift. */
typedef struct tutti_h264_encoder tutti_h264_encoder;

static inline ISVCEncoder *tutti_h264_handle(tutti_h264_encoder *encoder) { return (ISVCEncoder *)(void *)encoder; }

/* Constrained baseline in one slice, keyframes only when asked for. With two temporal layers nothing refers to every other frame.
   Null where the library refuses. */
static inline tutti_h264_encoder *tutti_h264_encoder_make(
  int width, int height, int bits_per_second, float frames_per_second, bool is_screen, int temporal_layers,
  int quantizer_max) {
  ISVCEncoder *encoder = 0;
  if (WelsCreateSVCEncoder(&encoder) != 0 || !encoder) return 0;
  int log_level = WELS_LOG_QUIET;
  (*encoder)->SetOption(encoder, ENCODER_OPTION_TRACE_LEVEL, &log_level);
  SEncParamExt parameters;
  memset(&parameters, 0, sizeof parameters);
  bool is_made = (*encoder)->GetDefaultParams(encoder, &parameters) == 0;
  parameters.iUsageType = is_screen ? SCREEN_CONTENT_REAL_TIME : CAMERA_VIDEO_REAL_TIME;
  parameters.iPicWidth = width;
  parameters.iPicHeight = height;
  parameters.iTargetBitrate = bits_per_second;
  parameters.iMaxBitrate = UNSPECIFIED_BIT_RATE;
  parameters.iRCMode = RC_BITRATE_MODE;
  parameters.fMaxFrameRate = frames_per_second;
  parameters.iTemporalLayerNum = temporal_layers;
  parameters.iSpatialLayerNum = 1;
  parameters.iComplexityMode = LOW_COMPLEXITY;
  parameters.uiIntraPeriod = 0;
  parameters.iNumRefFrame = 1;
  parameters.eSpsPpsIdStrategy = CONSTANT_ID;
  parameters.bEnableFrameSkip = false;
  /* With either unsaid, screens get 26 to 35: text 7 dB worse than a line of 1.5 Mb/s carries, and two thirds of it unused. */
  parameters.iMinQp = 12;
  parameters.iMaxQp = quantizer_max;
  parameters.iMultipleThreadIdc = 1;
  parameters.bEnableDenoise = false;
  /* Its search costs a tenth of the time of a picture that moves, and 0.2 dB. */
  parameters.bEnableBackgroundDetection = false;
  parameters.bEnableAdaptiveQuant = false;
  parameters.bEnableSceneChangeDetect = false;
  SSpatialLayerConfig *layer = &parameters.sSpatialLayers[0];
  layer->iVideoWidth = width;
  layer->iVideoHeight = height;
  layer->fFrameRate = frames_per_second;
  layer->iSpatialBitrate = bits_per_second;
  layer->iMaxSpatialBitrate = UNSPECIFIED_BIT_RATE;
  layer->uiProfileIdc = PRO_BASELINE;
  layer->sSliceArgument.uiSliceMode = SM_SINGLE_SLICE;
  is_made = is_made && (*encoder)->InitializeExt(encoder, &parameters) == 0;
  int format = videoFormatI420;
  is_made = is_made && (*encoder)->SetOption(encoder, ENCODER_OPTION_DATAFORMAT, &format) == 0;
  if (is_made) return (tutti_h264_encoder *)(void *)encoder;
  WelsDestroySVCEncoder(encoder);
  return 0;
}

static inline void tutti_h264_encoder_free(tutti_h264_encoder *encoder) {
  ISVCEncoder *handle = tutti_h264_handle(encoder);
  (*handle)->Uninitialize(handle);
  WelsDestroySVCEncoder(handle);
}

static inline bool tutti_h264_encoder_set_bitrate(tutti_h264_encoder *encoder, int bits_per_second) {
  ISVCEncoder *handle = tutti_h264_handle(encoder);
  SBitrateInfo info = {SPATIAL_LAYER_ALL, bits_per_second};
  return (*handle)->SetOption(handle, ENCODER_OPTION_BITRATE, &info) == 0;
}

/* What one picture became: pieces in Annex B that lie in the encoder's memory until the next picture. */
typedef struct {
  int count;
  const uint8_t *pieces[MAX_LAYER_NUM_OF_FRAME];
  size_t sizes[MAX_LAYER_NUM_OF_FRAME];
  bool is_keyframe;
  int temporal_layer;
} tutti_h264_frame;

static inline bool tutti_h264_encode(
  tutti_h264_encoder *encoder, uint8_t *const planes[3], const int strides[3], int width, int height, int64_t milliseconds,
  bool as_keyframe, tutti_h264_frame *frame) {
  ISVCEncoder *handle = tutti_h264_handle(encoder);
  SSourcePicture picture;
  memset(&picture, 0, sizeof picture);
  picture.iColorFormat = videoFormatI420;
  picture.iPicWidth = width;
  picture.iPicHeight = height;
  picture.uiTimeStamp = milliseconds;
  for (int plane = 0; plane < 3; plane++) {
    picture.pData[plane] = planes[plane];
    picture.iStride[plane] = strides[plane];
  }
  if (as_keyframe && (*handle)->ForceIntraFrame(handle, true) != 0) return false;
  SFrameBSInfo info;
  memset(&info, 0, sizeof info);
  if ((*handle)->EncodeFrame(handle, &picture, &info) != 0) return false;
  frame->count = 0;
  frame->temporal_layer = 0;
  frame->is_keyframe = info.eFrameType == videoFrameTypeIDR;
  for (int layer = 0; layer < info.iLayerNum && layer < MAX_LAYER_NUM_OF_FRAME; layer++) {
    size_t size = 0;
    frame->temporal_layer = info.sLayerInfo[layer].uiTemporalId;
    for (int nal = 0; nal < info.sLayerInfo[layer].iNalCount; nal++) size += (size_t)info.sLayerInfo[layer].pNalLengthInByte[nal];
    frame->pieces[frame->count] = info.sLayerInfo[layer].pBsBuf;
    frame->sizes[frame->count++] = size;
  }
  return true;
}

#endif
