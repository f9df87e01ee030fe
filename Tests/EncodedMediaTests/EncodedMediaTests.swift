// EncodedMediaTests
