import EncodedMedia

/// Which temporal layers of a picture stream are decoded: all, or fewer where the tile is so small that half the frame rate does.
///
/// A layer is taken up again at a frame that builds on nothing that was left out: VP8 says so of the frame itself (Y), VP9 of what
/// comes after it (U). Nothing of a lower layer builds on an upper one, so leaving those out is right at any time.
struct TemporalChoice {
  /// Width times height of the largest tile; nil for any size.
  var wantedPixels: Int?
  /// Layers below this are whole.
  private var layersOpen: UInt8 = 0
  /// The highest layers before and since the newest base frame.
  private var tops: (before: UInt8, since: UInt8) = (0, 0)

  /// Tiles of fewer pixels do with half the frame rate, those below the second with a quarter.
  private static let smallPixels = 40_000
  private static let tinyPixels = 10_000

  /// Whether a frame of the stream that is decoded is to be decoded itself.
  mutating func takes(_ frame: EncodedFrame) -> Bool {
    guard let temporal = frame.temporal else { return true }
    if temporal.layer == 0 { tops = (tops.since, 0) }
    tops.since = max(tops.since, temporal.layer)
    guard temporal.layer > 0 else {
      layersOpen = frame.isKeyframe || temporal.isSwitchingPoint ? layersWanted : max(layersOpen, 1)
      return true
    }
    guard temporal.layer < layersWanted else {
      layersOpen = min(layersOpen, layersWanted)
      return false
    }
    guard temporal.layer < layersOpen || temporal.isLayerSync else { return false }
    // A sync frame above a layer that is not open builds on the base alone, but what follows it need not.
    if temporal.layer == layersOpen { layersOpen += 1 }
    if temporal.isSwitchingPoint { layersOpen = layersWanted }
    return true
  }

  /// How many layers are decoded: always the base; `.max` for all.
  var layersWanted: UInt8 {
    let layers = max(tops.before, tops.since) + 1
    guard let wantedPixels, wantedPixels < Self.smallPixels else { return .max }
    return max(layers - (wantedPixels < Self.tinyPixels ? min(2, layers) : 1), 1)
  }
}
