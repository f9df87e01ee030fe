import EncodedMedia

/// Which frames of one encoder a receiver can decode when some of its temporal layers are left out.
///
/// Left out is what would refer to something the receiver never got: a layer before its sync frame, a frame whose base layer frame was
/// left out. Where the encoder has no temporal layers every frame is of the base.
public struct LayerForwarding: Sendable {
  /// Frames of so many layers are forwarded at most; 1 for the base alone.
  public var layersMax: Int
  private var layersOpen: UInt8 = 1
  /// TL0PICIDX of the last base layer frame that was forwarded.
  private var baseIndex: UInt8?

  public init(layersMax: Int = 4) { self.layersMax = layersMax }

  /// Whether the frame would be forwarded, so that it can be refused for other reasons.
  public func admits(_ frame: PacketizedFrame) -> Bool {
    guard let place = frame.temporal, place.layer > 0, !frame.isKeyframe else { return true }
    guard Int(place.layer) < layersMax, place.baseIndex == baseIndex else { return false }
    return place.layer < layersOpen || place.isLayerSync
  }

  /// The frame was forwarded: call for each that was, and `leftOut` for each that was not.
  public mutating func forwarded(_ frame: PacketizedFrame) {
    guard let place = frame.temporal else { return }
    if frame.isKeyframe { layersOpen = 1 }
    if place.layer == 0 {
      baseIndex = place.baseIndex
    } else if place.layer == layersOpen {
      // A sync frame above a layer that is not open refers to the base alone, but what follows it need not.
      layersOpen &+= 1
    }
  }

  /// The frame was not forwarded: its layer and those above open again with a sync frame. A base layer frame left out is another
  /// matter: nothing can be forwarded any more before a key frame.
  public mutating func leftOut(_ frame: PacketizedFrame) {
    guard let place = frame.temporal, place.layer < layersOpen else { return }
    layersOpen = max(place.layer, 1)
  }
}
