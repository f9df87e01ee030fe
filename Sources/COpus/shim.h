#ifndef COPUS_SHIM_H
#define COPUS_SHIM_H
#include <opus.h>
#include <string.h>

/* opus_encoder_ctl and opus_decoder_ctl take variable arguments, which Swift does not import. */

static inline int tutti_opus_set_bitrate(OpusEncoder *encoder, opus_int32 bits_per_second) {
  return opus_encoder_ctl(encoder, OPUS_SET_BITRATE(bits_per_second));
}

static inline int tutti_opus_set_complexity(OpusEncoder *encoder, opus_int32 complexity) {
  return opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(complexity));
}

static inline int tutti_opus_set_inband_fec(OpusEncoder *encoder, opus_int32 on) {
  return opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(on));
}

static inline int tutti_opus_set_packet_loss(OpusEncoder *encoder, opus_int32 percent) {
  return opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(percent));
}

static inline int tutti_opus_set_signal(OpusEncoder *encoder, opus_int32 signal) {
  return opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(signal));
}

static inline int tutti_opus_set_max_bandwidth(OpusEncoder *encoder, opus_int32 bandwidth) {
  return opus_encoder_ctl(encoder, OPUS_SET_MAX_BANDWIDTH(bandwidth));
}

static inline int tutti_opus_set_force_channels(OpusEncoder *encoder, opus_int32 channels) {
  return opus_encoder_ctl(encoder, OPUS_SET_FORCE_CHANNELS(channels));
}

static inline int tutti_opus_set_vbr_constraint(OpusEncoder *encoder, opus_int32 on) {
  return opus_encoder_ctl(encoder, OPUS_SET_VBR_CONSTRAINT(on));
}

static inline int tutti_opus_set_dtx(OpusEncoder *encoder, opus_int32 on) {
  return opus_encoder_ctl(encoder, OPUS_SET_DTX(on));
}

static inline int tutti_opus_get_lookahead(OpusEncoder *encoder, opus_int32 *samples) {
  return opus_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(samples));
}

static inline int tutti_opus_reset_encoder(OpusEncoder *encoder) {
  return opus_encoder_ctl(encoder, OPUS_RESET_STATE);
}

static inline int tutti_opus_reset_decoder(OpusDecoder *decoder) {
  return opus_decoder_ctl(decoder, OPUS_RESET_STATE);
}

/* "The Opus decoder state is always continuous in memory and only a shallow copy is required to copy it" (opus.h). */
static inline void tutti_opus_copy_decoder(OpusDecoder *to, const OpusDecoder *from, int channels) {
  memcpy(to, from, (size_t)opus_decoder_get_size(channels));
}

#endif
