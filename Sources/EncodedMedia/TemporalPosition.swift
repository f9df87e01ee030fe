/// Where a frame stands among the temporal layers of its stream: frames of upper layers can be left out, and the rest plays on at a
/// lower frame rate (RFC 7741 section 4.2, RFC 9628 section 4.2).
public struct TemporalPosition: Hashable, Sendable {
  /// TID: 0 for the base layer, which builds on nothing but itself.
  public var layer: UInt8
  /// Y: the frame builds on the base layer's newest frame alone, so that its layer can be taken up here.
  public var isLayerSync: Bool
  /// U of VP9: frames of higher layers after this one build on nothing of their layers before it, so that all can be taken up here.
  public var isSwitchingPoint: Bool
  /// TL0PICIDX: counts the frames of the base layer, from whichever number, and wraps; a frame of an upper layer has the number of
  /// the base frame it builds on. nil where a sender of VP9 does not count them.
  public var baseIndex: UInt8?

  public init(layer: UInt8, isLayerSync: Bool, isSwitchingPoint: Bool = false, baseIndex: UInt8?) {
    self.layer = layer
    self.isLayerSync = isLayerSync
    self.isSwitchingPoint = isSwitchingPoint
    self.baseIndex = baseIndex
  }
}
