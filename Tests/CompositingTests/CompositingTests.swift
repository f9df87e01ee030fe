// CompositingTests
