import EncodedMedia

/// Knows which frames of a stream in temporal layers can be decoded though packets before them are missing, by what VP8's payload
/// descriptor tells of them (RFC 7741 section 4.2: TL0PICIDX, TID and Y).
///
/// The base layer builds on itself alone and counts its frames, so a gap in upper layers takes nothing from it. An upper layer can be
/// had again from a frame on that builds on the base alone.
struct TemporalTracker: Sendable {
  /// That of the last base frame handed out; nil where there are no layers or nothing is known.
  private var baseIndex: UInt8?
  /// A bit for each layer of which nothing is missing that its frames may build on.
  private var intact: UInt8 = .max
  /// Frames passed over since the last one that could be decoded in an upper layer.
  private var passedOver = 0

  /// After so many it is not to be expected that a frame will come from which on upper layers can be had.
  private static let passedOverMax = 60

  var isKnown: Bool { baseIndex != nil }
  /// Upper layers are missing and only a keyframe brings them back.
  var needsKeyframe: Bool { passedOver > Self.passedOverMax }

  mutating func reset() { self = TemporalTracker() }

  /// Whether a frame builds on nothing but base frames that were handed out.
  func bridges(_ position: TemporalPosition?) -> Bool {
    guard let baseIndex, let position, let index = position.baseIndex else { return false }
    return position.layer == 0 ? index == baseIndex &+ 1 : index == baseIndex && position.isLayerSync
  }

  /// Frames of upper layers are missing.
  mutating func noteGap() { intact = 1 }

  /// Whether a frame can be decoded, as far as is known.
  mutating func takes(_ position: TemporalPosition?) -> Bool {
    guard let position, position.layer > 0, !position.isLayerSync else { return true }
    let needed = UInt8(truncatingIfNeeded: (1 << (Int(position.layer) + 1)) - 1)
    guard intact & needed == needed else {
      passedOver += 1
      return false
    }
    return true
  }

  /// The frame was handed out.
  mutating func noteHandedOut(_ position: TemporalPosition?, isKeyframe: Bool) {
    guard let position, let index = position.baseIndex else { return reset() }
    if position.layer == 0 { baseIndex = index } else { passedOver = 0 }
    if isKeyframe {
      (intact, passedOver) = (.max, 0)
    } else if position.isLayerSync {
      intact |= 1 << position.layer
    }
  }
}
