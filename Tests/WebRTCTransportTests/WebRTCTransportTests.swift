// WebRTCTransportTests
