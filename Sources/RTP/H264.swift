import Bytes
import EncodedMedia

/// The units an H.264 stream is made of, as far as transport looks at them (ITU-T H.264 table 7-1).
public enum H264Unit {
  public static let instantaneousRefresh: UInt8 = 5
  public static let sequenceParameters: UInt8 = 7
  public static let pictureParameters: UInt8 = 8
  public static let accessUnitDelimiter: UInt8 = 9

  /// nal_unit_type.
  public static func type(_ firstByte: UInt8) -> UInt8 { firstByte & 0x1F }
}

/// Reads the units of a byte stream (ITU-T H.264 annex B), without their start codes.
public struct AnnexBReader: ~Escapable {
  private let bytes: Span<UInt8>
  private var offset: Int

  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>) {
    self.bytes = bytes
    self.offset = 0
    self.offset = startCode(from: 0).end
  }

  /// The next unit that is not empty; nil at the end. Bytes before the first start code are passed over.
  @_lifetime(copy self)
  public mutating func next() -> Span<UInt8>? {
    while offset < bytes.count {
      let start = offset
      let code = startCode(from: start)
      offset = code.end
      // No unit ends in a zero byte: those before a start code belong to the code.
      var end = code.start
      while end > start, bytes[end &- 1] == 0 { end &-= 1 }
      if end > start { return bytes.extracting(start..<end) }
    }
    return nil
  }

  /// The next 00 00 01; both at the end of the bytes where there is none.
  private func startCode(from: Int) -> (start: Int, end: Int) {
    var at = from
    while at &+ 2 < bytes.count {
      let third = bytes[at &+ 2]
      if third > 1 {
        at &+= 3
      } else if third == 1, bytes[at] == 0, bytes[at &+ 1] == 0 {
        return (at, at &+ 3)
      } else {
        at &+= 1
      }
    }
    return (bytes.count, bytes.count)
  }
}

/// What an H.264 payload is (RFC 6184 section 5.2), as far as packetization modes 0 and 1 know.
public enum H264Payload: ~Escapable {
  case singleUnit(Span<UInt8>)
  /// STAP-A: units behind one another, each with its length.
  case aggregate(H264AggregateReader)
  /// FU-A: a piece of a unit; `header` is the first byte of the whole unit.
  case fragment(header: UInt8, isFirst: Bool, isLast: Bool, Span<UInt8>)

  /// - Returns: nil for no bytes, for types of packetization mode 2 and for reserved ones.
  @_lifetime(copy payload)
  public init?(_ payload: Span<UInt8>) {
    guard payload.count >= 1 else { return nil }
    switch H264Unit.type(payload[0]) {
    case 1...23: self = .singleUnit(payload)
    case 24: self = .aggregate(H264AggregateReader(payload.extracting(1..<payload.count)))
    case 28:
      guard payload.count >= 3 else { return nil }
      let flags = payload[1]
      self = .fragment(
        header: payload[0] & 0xE0 | flags & 0x1F, isFirst: flags & 0x80 != 0, isLast: flags & 0x40 != 0,
        payload.extracting(2..<payload.count))
    default: return nil
    }
  }
}

/// The units of a STAP-A payload.
public struct H264AggregateReader: ~Escapable {
  private var reader: ByteReader

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.reader = ByteReader(bytes) }

  /// The next unit; nil after the last and from where the payload is malformed.
  @_lifetime(copy self)
  public mutating func next() -> Span<UInt8>? {
    guard let size = reader.readUInt16(), size > 0 else { return nil }
    return reader.readBytes(Int(size))
  }
}

/// Cuts H.264 byte streams into payloads of packetization mode 1 (RFC 6184): single units, STAP-A of small ones, FU-A of large ones.
public struct H264Packetizer: Sendable {
  /// The most bytes of a payload.
  public let payloadSizeMax: Int

  public init(payloadSizeMax: Int) { self.payloadSizeMax = max(payloadSizeMax, 16) }

  /// The frame's payloads; those of one large unit are equally long but for the last.
  public func packetize(_ frame: EncodedFrame) -> PacketizedFrame {
    let media = frame.payload.bytes
    var bytes: [UInt8] = []
    bytes.reserveCapacity(media.count &+ media.count / 64 &+ 64)
    var ranges: [Range<Int>] = []
    // Where the packet begins that small units are still added to, and how many it has.
    var open = 0
    var openUnits = 0
    var units = AnnexBReader(media.span)
    while let unit = units.next() {
      if unit.count > payloadSizeMax {
        close(&bytes, &ranges, from: open, units: &openUnits)
        fragment(unit, &bytes, &ranges)
        open = bytes.count
        continue
      }
      if openUnits > 0, bytes.count &- open &+ 2 &+ unit.count > payloadSizeMax {
        close(&bytes, &ranges, from: open, units: &openUnits)
        open = bytes.count
      }
      if openUnits == 0 { bytes.append(24) }
      bytes.append(UInt8(truncatingIfNeeded: unit.count >> 8))
      bytes.append(UInt8(truncatingIfNeeded: unit.count))
      bytes.append(contentsOf: unit)
      bytes[open] = 24 | max(bytes[open] & 0x60, unit[0] & 0x60)
      openUnits &+= 1
    }
    close(&bytes, &ranges, from: open, units: &openUnits)
    return PacketizedFrame(
      codec: .h264, bytes: bytes, ranges: ranges, timestamp: frame.timestamp, isKeyframe: frame.isKeyframe, time: frame.time,
      temporal: frame.temporal, contributors: frame.contributors)
  }

  /// Ends the packet of small units; one with a single unit is that unit, without the header of an aggregate.
  private func close(_ bytes: inout [UInt8], _ ranges: inout [Range<Int>], from start: Int, units: inout Int) {
    if units > 0 { ranges.append((units == 1 ? start &+ 3 : start)..<bytes.count) }
    units = 0
  }

  private func fragment(_ unit: Span<UInt8>, _ bytes: inout [UInt8], _ ranges: inout [Range<Int>]) {
    let split = EvenSplit(unit.count &- 1, limit: payloadSizeMax &- 2)
    for index in 0..<split.packetCount {
      let start = bytes.count
      let range = split.range(index)
      bytes.append(unit[0] & 0xE0 | 28)
      bytes.append(
        unit[0] & 0x1F | (index == 0 ? 0x80 : 0) | (index == split.packetCount &- 1 ? 0x40 : 0))
      bytes.append(contentsOf: unit.extracting((range.lowerBound &+ 1)..<(range.upperBound &+ 1)))
      ranges.append(start..<bytes.count)
    }
  }
}
