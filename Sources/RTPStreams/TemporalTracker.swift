import EncodedMedia

/// Knows which frames of a stream in temporal layers can be decoded though packets before them are missing, by what VP8's payload
/// descriptor tells of them (RFC 7741 section 4.2: TL0PICIDX, TID and Y).
///
/// The base layer builds on itself alone and counts its frames, so a gap in upper layers takes nothing from it. An upper layer can be
/// had again from a frame on that builds on the base alone.
struct TemporalTracker: Sendable {
  /// That of the last base frame handed out; nil where there are no layers or nothing is known.
  private var baseIndex: UInt8?
  /// The last frame handed out.
  private var last: PacketStore.FrameStart?
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

  /// Whether a frame behind a gap builds on nothing but frames that were handed out.
  ///
  /// - Parameter wanted: how many layers are decoded.
  func bridges(_ start: PacketStore.FrameStart?, wanted: UInt8) -> Bool {
    guard let baseIndex, let position = start?.position, let index = position.baseIndex else { return false }
    guard position.layer > 0 else { return index == baseIndex &+ 1 }
    guard index == baseIndex else { return false }
    return position.isLayerSync
      || position.layer < wanted && isIntact(position.layer) && missesOnly(fromLayer: wanted, before: start)
  }

  /// Whether nothing below a layer is missing before a frame of which `bridges` holds. With the base alone that is so; else where a
  /// single picture is missing between two that are decoded, one of them of the highest layer that is: each layer's pictures stand
  /// between those of the layers below.
  func missesOnly(fromLayer wanted: UInt8, before start: PacketStore.FrameStart?) -> Bool {
    guard wanted > 1 else { return true }
    guard let start, let position = start.position, let last, let before = last.position, let picture = start.picture,
      let lastPicture = last.picture
    else { return false }
    return max(position.layer, before.layer) == wanted &- 1 && (picture &- lastPicture) & start.pictureMask == 2
  }

  /// Whether nothing is missing that a frame of a layer may build on.
  private func isIntact(_ layer: UInt8) -> Bool {
    let needed = UInt8(truncatingIfNeeded: (1 << (Int(layer) + 1)) - 1)
    return intact & needed == needed
  }

  /// Frames of this layer, 1 or more, and those above are missing.
  mutating func noteGap(fromLayer layer: UInt8) { intact &= UInt8(truncatingIfNeeded: (1 << Int(min(layer, 8))) - 1) }

  /// Whether a frame can be decoded, as far as is known.
  mutating func takes(_ position: TemporalPosition?) -> Bool {
    guard let position, position.layer > 0, !position.isLayerSync else { return true }
    guard isIntact(position.layer) else {
      passedOver += 1
      return false
    }
    return true
  }

  /// The frame was handed out.
  mutating func noteHandedOut(_ start: PacketStore.FrameStart?, isKeyframe: Bool) {
    guard let position = start?.position, let index = position.baseIndex else { return reset() }
    last = start
    if position.layer == 0 { baseIndex = index } else { passedOver = 0 }
    if isKeyframe {
      (intact, passedOver) = (.max, 0)
    } else if position.isLayerSync {
      intact |= 1 << position.layer
    }
  }
}
