// RTPStreamsTests
