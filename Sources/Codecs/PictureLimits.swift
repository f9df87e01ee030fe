import RawMedia

/// The largest picture a decoder is to make; what claims to be larger is refused before any of it is decoded.
package struct PictureLimits: Hashable, Sendable {
  /// Pixels; neither side alone.
  package var pixels: Int
  /// Pixels a side, at most `Picture.sideMax`.
  package var side: Int

  /// The default takes 4096x2160 either way up.
  package init(pixels: Int = 4096 * 2160, side: Int = 4096) {
    self.pixels = pixels
    self.side = min(side, Picture.sideMax)
  }

  package func allow(width: Int, height: Int) -> Bool {
    (1...side).contains(width) && (1...side).contains(height) && width * height <= pixels
  }
}
