#ifndef CAVCODEC_SHIM_H
#define CAVCODEC_SHIM_H
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>

/* Macros that Swift does not import. */
static const int tutti_averror_again = AVERROR(EAGAIN);
static const int tutti_av_flag_low_delay = AV_CODEC_FLAG_LOW_DELAY;
static const int tutti_av_frame_flag_corrupt = AV_FRAME_FLAG_CORRUPT;
static const int tutti_av_log_quiet = AV_LOG_QUIET;

#endif
