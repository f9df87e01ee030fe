// RawMediaTests
