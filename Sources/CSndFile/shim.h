#ifndef CSNDFILE_SHIM_H
#define CSNDFILE_SHIM_H
#include <sndfile.h>

/* Constants of an enumeration that Swift imports as another type than the calls take. */
static const int tutti_sf_read = SFM_READ;
static const int tutti_sf_write = SFM_WRITE;
static const int tutti_sf_wav_pcm16 = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
static const int tutti_sf_flac_pcm16 = SF_FORMAT_FLAC | SF_FORMAT_PCM_16;
static const int tutti_sf_ogg_vorbis = SF_FORMAT_OGG | SF_FORMAT_VORBIS;
static const int tutti_sf_wav_float = SF_FORMAT_WAV | SF_FORMAT_FLOAT;

#endif
