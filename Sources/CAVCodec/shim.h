#ifndef CAVCODEC_SHIM_H
#define CAVCODEC_SHIM_H
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/buffer.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>

/* Macros that Swift does not import. */
static const int tutti_averror_again = AVERROR(EAGAIN);
static const int tutti_averror_invalid = AVERROR(EINVAL);
static const int tutti_av_flag_low_delay = AV_CODEC_FLAG_LOW_DELAY;
static const int tutti_av_frame_flag_corrupt = AV_FRAME_FLAG_CORRUPT;
static const int tutti_av_log_quiet = AV_LOG_QUIET;

/* Has a 4:2:0 frame live in memory of ours until the library calls `release`; not called where this fails. */
static inline int tutti_av_give_planes(
  AVFrame *frame, uint8_t *luma, int luma_stride, uint8_t *blue, uint8_t *red, int chroma_stride, size_t byte_count, void *owner,
  void (*release)(void *owner, uint8_t *memory)) {
  AVBufferRef *buffer = av_buffer_create(luma, byte_count, release, owner, 0);
  if (!buffer) return AVERROR(ENOMEM);
  frame->buf[0] = buffer;
  frame->data[0] = luma;
  frame->data[1] = blue;
  frame->data[2] = red;
  frame->linesize[0] = luma_stride;
  frame->linesize[1] = frame->linesize[2] = chroma_stride;
  frame->extended_data = frame->data;
  return 0;
}

#endif
