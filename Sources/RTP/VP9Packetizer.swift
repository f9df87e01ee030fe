import Bytes
import EncodedMedia

/// Cuts VP9 frames into payloads (RFC 9628) of flexible mode with one spatial layer, each with a 15-bit PictureID and, where there are
/// temporal layers, TID.
///
///     keyframe  1 0 0 1 … PictureID [TID]        others  1 1 0 1 … PictureID [TID] P_DIFF…
///
/// A frame of an upper layer refers to the base frame before it and, unless it is a sync frame, to the newest of each layer between.
public struct VP9Packetizer: Sendable {
  /// Bytes of the shortest descriptor it writes: flags and PictureID.
  private static let descriptorSizeMin = 3
  /// The most: TID and three references more.
  private static let descriptorSizeMax = 7
  /// The most bytes of a payload.
  public let payloadSizeMax: Int
  private var pictureID: UInt16 = 0
  /// Pictures since the newest of each layer; nil before the first of the stream or since an older one than the newest base.
  private var ages: [3 of UInt8?] = .init(repeating: nil)

  public init(payloadSizeMax: Int) { self.payloadSizeMax = max(payloadSizeMax, Self.descriptorSizeMax &+ 1) }

  /// The frame's payloads, equally long but for the last.
  public mutating func packetize(_ frame: EncodedFrame) -> PacketizedFrame {
    let media = frame.payload.bytes
    let tail = descriptorTail(frame)
    note(frame)
    let split = EvenSplit(media.count, limit: payloadSizeMax &- Self.descriptorSizeMin &- tail.count)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(media.count &+ split.packetCount &* (Self.descriptorSizeMin &+ tail.count))
    var ranges: [Range<Int>] = []
    ranges.reserveCapacity(split.packetCount)
    for index in 0..<split.packetCount {
      let start = bytes.count
      // PictureID present, flexible mode; a keyframe refers to nothing.
      var flags: UInt8 = frame.isKeyframe ? 0x90 : 0xD0
      if frame.temporal != nil { flags |= 0x20 }
      if index == 0 { flags |= 0x08 }
      if index == split.packetCount &- 1 { flags |= 0x04 }
      bytes.append(flags)
      bytes.append(0x80 | UInt8(truncatingIfNeeded: pictureID >> 8))
      bytes.append(UInt8(truncatingIfNeeded: pictureID))
      bytes.append(contentsOf: tail)
      bytes.append(contentsOf: media.span.extracting(split.range(index)))
      ranges.append(start..<bytes.count)
    }
    pictureID = (pictureID &+ 1) & 0x7FFF
    return PacketizedFrame(
      codec: .vp9, bytes: bytes, ranges: ranges, timestamp: frame.timestamp, isKeyframe: frame.isKeyframe, time: frame.time,
      temporal: frame.temporal, contributors: frame.contributors)
  }

  /// What comes behind the PictureID, the same in every packet of a frame.
  private func descriptorTail(_ frame: EncodedFrame) -> [UInt8] {
    var tail: [UInt8] = []
    // U always: no frame builds on one of its own upper layer from before the base frame.
    if let temporal = frame.temporal { tail.append(temporal.layer << 5 | 0x10) }
    guard !frame.isKeyframe else { return tail }
    let layer = min(Int(frame.temporal?.layer ?? 0), 2)
    var references: [UInt8] = []
    if layer == 0 || frame.temporal?.isLayerSync == true {
      references = [ages[0] ?? 1]
    } else {
      for lower in 0..<layer { if let age = ages[lower] { references.append(age) } }
      if references.isEmpty { references = [1] }
    }
    for (index, age) in references.enumerated() { tail.append(age << 1 | (index == references.count - 1 ? 0 : 1)) }
    return tail
  }

  private mutating func note(_ frame: EncodedFrame) {
    let layer = min(Int(frame.temporal?.layer ?? 0), 2)
    if layer == 0 { ages = .init(repeating: nil) }
    for index in 0..<3 { if let age = ages[index] { ages[index] = age < 127 ? age &+ 1 : nil } }
    ages[layer] = 1
  }
}

extension VP9Packetizer {
  private static let pictureIDOffset = 1

  /// The PictureID of a frame that was cut here; nil for one that was not.
  public static func pictureID(of frame: PacketizedFrame) -> UInt16? {
    guard let first = frame.ranges.first, first.count >= descriptorSizeMin else { return nil }
    let at = first.lowerBound &+ pictureIDOffset
    return UInt16(frame.bytes[at] & 0x7F) << 8 | UInt16(frame.bytes[at &+ 1])
  }

  /// Puts another PictureID into a payload that was cut here.
  ///
  /// - Parameters:
  ///   - payload: where the payload begins in `packet`.
  ///   - size: its bytes.
  @_lifetime(packet: copy packet)
  public static func rewrite(_ packet: inout MutableSpan<UInt8>, payload: Int, size: Int, pictureID: UInt16) {
    guard payload >= 0, size >= descriptorSizeMin, size <= packet.count &- payload else { return }
    let at = payload &+ pictureIDOffset
    guard packet[payload] & packet[at] & 0x80 != 0 else { return }
    packet.setBigEndian(pictureID | 0x8000, at: at)
  }
}
