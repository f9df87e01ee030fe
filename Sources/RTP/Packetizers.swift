import EncodedMedia

/// How an encoded frame's bytes are divided among packets: equally, so that runs of them can leave in one system call.
struct EvenSplit {
  let packetCount: Int
  /// Bytes of every packet but the last, which may have fewer.
  let packetSize: Int
  private let total: Int

  /// - Parameter limit: the most bytes of the frame in one packet; less than 1 counts as 1.
  init(_ total: Int, limit: Int) {
    self.total = total
    let most = max(limit, 1)
    let packets = max((total &+ most &- 1) / most, 1)
    packetSize = max((total &+ packets &- 1) / packets, 1)
    packetCount = max((total &+ packetSize &- 1) / packetSize, 1)
  }

  /// - Parameter index: 0 ..< `packetCount`
  func range(_ index: Int) -> Range<Int> {
    let start = min(index &* packetSize, total)
    return start..<min(start &+ packetSize, total)
  }
}

/// Cuts VP8 frames into payloads (RFC 7741), each with a 15-bit PictureID, and TL0PICIDX and TID where there are temporal layers.
public struct VP8Packetizer: Sendable {
  /// Bytes of the shortest descriptor it writes, and more of it where there are temporal layers.
  public static let descriptorSize = 4
  private static let layerSize = 2
  /// The most bytes of a payload.
  public let payloadSizeMax: Int
  private var pictureID: UInt16 = 0

  public init(payloadSizeMax: Int) { self.payloadSizeMax = max(payloadSizeMax, Self.descriptorSize &+ Self.layerSize &+ 1) }

  /// The frame's payloads, equally long but for the last.
  public mutating func packetize(_ frame: EncodedFrame) -> PacketizedFrame {
    let media = frame.payload.bytes
    let descriptorSize = Self.descriptorSize &+ (frame.temporal == nil ? 0 : Self.layerSize)
    let split = EvenSplit(media.count, limit: payloadSizeMax &- descriptorSize)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(media.count &+ split.packetCount &* descriptorSize)
    var ranges: [Range<Int>] = []
    ranges.reserveCapacity(split.packetCount)
    for index in 0..<split.packetCount {
      let start = bytes.count
      bytes.append(index == 0 ? 0x90 : 0x80)
      bytes.append(frame.temporal == nil ? 0x80 : 0xE0)
      bytes.append(0x80 | UInt8(truncatingIfNeeded: pictureID >> 8))
      bytes.append(UInt8(truncatingIfNeeded: pictureID))
      if let temporal = frame.temporal {
        bytes.append(temporal.baseIndex ?? 0)
        bytes.append(temporal.layer << 6 | (temporal.isLayerSync ? 0x20 : 0))
      }
      bytes.append(contentsOf: media.span.extracting(split.range(index)))
      ranges.append(start..<bytes.count)
    }
    pictureID = (pictureID &+ 1) & 0x7FFF
    return PacketizedFrame(
      codec: .vp8, bytes: bytes, ranges: ranges, timestamp: frame.timestamp, isKeyframe: frame.isKeyframe, time: frame.time,
      temporal: frame.temporal, contributors: frame.contributors)
  }
}

/// Audio frames as packets: each is one payload as it is (RFC 7587, RFC 3551).
public enum AudioPacketizer {
  /// - Parameter startsTalkspurt: whether silence that was not sent came before the frame.
  public static func packetize(_ frame: EncodedFrame, startsTalkspurt: Bool = false) -> PacketizedFrame {
    PacketizedFrame(
      codec: frame.codec, bytes: frame.payload.bytes, ranges: [0..<frame.payload.count], timestamp: frame.timestamp,
      isKeyframe: true, time: frame.time, contributors: frame.contributors, startsTalkspurt: startsTalkspurt,
      audioLevel: frame.audioLevel)
  }
}
