import Bytes
import EncodedMedia

/// The VP9 payload descriptor at the start of each packet's payload (RFC 9628 section 4.2).
public struct VP9Descriptor: Sendable {
  /// 7 or 15 bits; nil where the sender does not number its pictures.
  public var pictureID: UInt16?
  /// M: whether `pictureID` has 15 bits.
  public var hasLongPictureID = false
  /// P: the frame refers to other pictures.
  public var isInterPredicted = false
  /// F: the pictures referred to are told in the packet.
  public var isFlexible = false
  /// B: a layer's frame begins in this packet.
  public var startsFrame = false
  /// E: a layer's frame ends in this packet.
  public var endsFrame = false
  /// Z: no higher spatial layer of a later picture refers to the frame.
  public var isNotReferenceForUpperLayers = false
  /// TID: 0 to 7; nil without layer indices.
  public var temporalLayer: UInt8?
  /// U: later frames of higher temporal layers build on nothing before this one.
  public var isSwitchingPoint = false
  /// SID: 0 to 7; stands beside `temporalLayer`.
  public var spatialLayer: UInt8?
  /// D: the frame refers to the spatial layer below it.
  public var isInterLayerPredicted = false
  /// TL0PICIDX; in non-flexible mode beside the layers.
  public var temporalBaseIndex: UInt8?
  /// P_DIFF: how many pictures back those referred to are, 1 to 127; 0 where there are fewer than three.
  public var references: [3 of UInt8] = .init(repeating: 0)
  public private(set) var referenceCount = 0
  /// Of how many spatial layers the scalability structure tells the sizes; 0 where there is none.
  public private(set) var spatialLayerCount = 0

  /// What it says of temporal layers; nil where it says nothing.
  public var temporalPosition: TemporalPosition? {
    temporalLayer.map {
      TemporalPosition(layer: $0, isLayerSync: false, isSwitchingPoint: isSwitchingPoint, baseIndex: temporalBaseIndex)
    }
  }

  /// What it says of the spatial layer that its frame is of; nil where it says nothing.
  public var spatialFrame: SpatialLayers.Frame? {
    spatialLayer.map {
      SpatialLayers.Frame(
        layer: $0, buildsOnEarlier: isInterPredicted, buildsOnLower: isInterLayerPredicted,
        isNotForUpper: isNotReferenceForUpperLayers)
    }
  }

  /// Reads the descriptor and moves `reader` to the VP9 data behind it.
  ///
  /// - Returns: nil where the payload ends within it, and for more than three references.
  public init?(_ reader: inout ByteReader) {
    guard let first = reader.readUInt8() else { return nil }
    isInterPredicted = first & 0x40 != 0
    isFlexible = first & 0x10 != 0
    startsFrame = first & 0x08 != 0
    endsFrame = first & 0x04 != 0
    isNotReferenceForUpperLayers = first & 0x01 != 0
    if first & 0x80 != 0 {
      guard let id = PictureID(&reader) else { return nil }
      (pictureID, hasLongPictureID) = (id.value, id.isLong)
    }
    if first & 0x20 != 0 { guard readLayers(&reader) else { return nil } }
    if isFlexible, isInterPredicted { guard readReferences(&reader) else { return nil } }
    if first & 0x02 != 0 { guard readStructure(&reader) else { return nil } }
  }

  private mutating func readLayers(_ reader: inout ByteReader) -> Bool {
    guard let layers = reader.readUInt8() else { return false }
    temporalLayer = layers >> 5
    isSwitchingPoint = layers & 0x10 != 0
    spatialLayer = layers >> 1 & 7
    isInterLayerPredicted = layers & 1 != 0
    guard !isFlexible else { return true }
    guard let index = reader.readUInt8() else { return false }
    temporalBaseIndex = index
    return true
  }

  private mutating func readReferences(_ reader: inout ByteReader) -> Bool {
    for index in 0..<3 {
      guard let reference = reader.readUInt8() else { return false }
      references[index] = reference >> 1
      referenceCount = index &+ 1
      if reference & 1 == 0 { return true }
    }
    return false
  }

  /// The scalability structure: nothing of it is needed but its length.
  private mutating func readStructure(_ reader: inout ByteReader) -> Bool {
    guard let first = reader.readUInt8() else { return false }
    let layers = Int(first >> 5) &+ 1
    if first & 0x10 != 0 {
      guard reader.skip(layers &* 4) else { return false }
      spatialLayerCount = layers
    }
    guard first & 0x08 != 0 else { return true }
    guard let pictures = reader.readUInt8() else { return false }
    for _ in 0..<pictures {
      guard let picture = reader.readUInt8(), reader.skip(Int(picture >> 2 & 3)) else { return false }
    }
    return true
  }
}
