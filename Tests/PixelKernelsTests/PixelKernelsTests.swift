// PixelKernelsTests
