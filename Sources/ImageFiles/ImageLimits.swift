/// What an image may cost before it is refused.
package struct ImageLimits: Sendable, Equatable {
  /// Bytes of the file.
  package var bytesMax: Int
  /// Pixels of the image.
  package var pixelsMax: Int
  /// Pixels of either side.
  package var sideMax: Int
  /// A larger image is made smaller while or after it is decoded: its longer side comes to this, in pixels, if that is less than it
  /// was. No canvas shows more.
  package var sideKept: Int

  package init(bytesMax: Int = 10 << 20, pixelsMax: Int = 16 << 20, sideMax: Int = 16_384, sideKept: Int = 2560) {
    (self.bytesMax, self.pixelsMax, self.sideMax, self.sideKept) = (bytesMax, pixelsMax, sideMax, sideKept)
  }
}
