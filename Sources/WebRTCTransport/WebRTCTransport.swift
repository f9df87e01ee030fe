// WebRTCTransport
