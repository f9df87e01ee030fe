// SecureTransportTests
