import Bytes
import EncodedMedia

/// The VP8 payload descriptor at the start of each packet's payload (RFC 7741 section 4.2).
public struct VP8Descriptor: Hashable, Sendable {
  /// N: no other frame refers to this one.
  public var isNonReference = false
  /// S: a partition begins in this packet.
  public var startsPartition = false
  /// PID: 0 to 7.
  public var partitionIndex: UInt8 = 0
  /// 7 or 15 bits; nil where the sender does not number its frames.
  public var pictureID: UInt16?
  /// M: whether `pictureID` has 15 bits.
  public var hasLongPictureID = false
  /// TL0PICIDX.
  public var temporalBaseIndex: UInt8?
  /// TID: 0 to 3.
  public var temporalLayer: UInt8?
  /// Y: the frame refers to the base layer only; stands beside `temporalLayer`.
  public var isLayerSync = false
  /// KEYIDX: 0 to 31.
  public var keyIndex: UInt8?

  /// What it says of temporal layers; nil where it says nothing.
  public var temporalPosition: TemporalPosition? {
    temporalLayer.map { TemporalPosition(layer: $0, isLayerSync: isLayerSync, baseIndex: temporalBaseIndex) }
  }

  public init() {}

  /// Reads the descriptor and moves `reader` to the VP8 data behind it.
  ///
  /// - Returns: nil where the payload ends within it.
  public init?(_ reader: inout ByteReader) {
    guard let first = reader.readUInt8() else { return nil }
    isNonReference = first & 0x20 != 0
    startsPartition = first & 0x10 != 0
    partitionIndex = first & 0x07
    guard first & 0x80 != 0 else { return }
    guard let present = reader.readUInt8() else { return nil }
    if present & 0x80 != 0 {
      guard let id = PictureID(&reader) else { return nil }
      (pictureID, hasLongPictureID) = (id.value, id.isLong)
    }
    if present & 0x40 != 0 {
      guard let index = reader.readUInt8() else { return nil }
      temporalBaseIndex = index
    }
    if present & 0x30 != 0 {
      guard let bits = reader.readUInt8() else { return nil }
      if present & 0x20 != 0 {
        temporalLayer = bits >> 6
        isLayerSync = bits & 0x20 != 0
      }
      if present & 0x10 != 0 { keyIndex = bits & 0x1F }
    }
  }

  /// Writes the descriptor, without an extension byte where nothing needs one.
  @_lifetime(writer: copy writer)
  public func write(to writer: inout ByteWriter) {
    var present: UInt8 = 0
    if pictureID != nil { present |= 0x80 }
    if temporalBaseIndex != nil { present |= 0x40 }
    if temporalLayer != nil { present |= 0x20 }
    if keyIndex != nil { present |= 0x10 }
    writer.write(
      (present == 0 ? 0 : 0x80) | (isNonReference ? 0x20 : 0) | (startsPartition ? 0x10 : 0) | partitionIndex & 0x07 as UInt8)
    guard present != 0 else { return }
    writer.write(present)
    if let pictureID {
      if hasLongPictureID {
        writer.write(pictureID | 0x8000)
      } else {
        writer.write(UInt8(truncatingIfNeeded: pictureID) & 0x7F)
      }
    }
    if let temporalBaseIndex { writer.write(temporalBaseIndex) }
    if present & 0x30 != 0 {
      writer.write((temporalLayer ?? 0) << 6 | (isLayerSync ? 0x20 : 0) | (keyIndex ?? 0) & 0x1F)
    }
  }
}

extension VP8Descriptor {
  /// Puts a frame's picture id and TL0PICIDX in place of those in a payload descriptor, where it has them; lengths stay.
  ///
  /// - Parameters:
  ///   - payload: where the descriptor begins in `packet`.
  ///   - size: bytes of the payload.
  /// - Returns: false, with nothing written, where the payload ends within the descriptor.
  @_lifetime(packet: copy packet)
  public static func rewrite(
    _ packet: inout MutableSpan<UInt8>, payload: Int, size: Int, pictureID: UInt16, temporalBaseIndex: UInt8
  ) -> Bool {
    guard payload >= 0, size > 0, payload <= packet.count, size <= packet.count &- payload else { return false }
    guard packet[payload] & 0x80 != 0 else { return true }
    guard size >= 2 else { return false }
    let present = packet[payload &+ 1]
    var offset = 2
    let hasID = present & 0x80 != 0
    if hasID, offset >= size { return false }
    let isLong = hasID && packet[payload &+ offset] & 0x80 != 0
    if hasID { offset &+= isLong ? 2 : 1 }
    let hasIndex = present & 0x40 != 0
    let end = offset &+ (hasIndex ? 1 : 0) &+ (present & 0x30 != 0 ? 1 : 0)
    guard end <= size else { return false }
    if isLong {
      packet[payload &+ 2] = 0x80 | UInt8(truncatingIfNeeded: pictureID >> 8)
      packet[payload &+ 3] = UInt8(truncatingIfNeeded: pictureID)
    } else if hasID {
      packet[payload &+ 2] = UInt8(truncatingIfNeeded: pictureID) & 0x7F
    }
    if hasIndex { packet[payload &+ offset] = temporalBaseIndex }
    return true
  }
}
