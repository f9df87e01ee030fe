// RTPStreams
