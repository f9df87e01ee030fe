import Bytes
import EncodedMedia
import Timing

/// The values of one packet's header extensions (RFC 8285); nil for those it does not carry.
public struct HeaderExtensions: Sendable {
  public var mid: ShortToken?
  public var rid: ShortToken?
  public var repairedRID: ShortToken?
  /// RFC 6464, in -dBov: 0 loudest, 127 silence.
  public var audioLevel: UInt8?
  /// Whether the sender took the packet for speech; stands beside `audioLevel`.
  public var voiceActivity = false
  /// 24 bits: seconds with 18 fractional bits, modulo 64 s.
  public var absoluteSendTime: UInt32?
  public var transportSequenceNumber: UInt16?
  public var rotation: Rotation?
  public var playoutDelay: PlayoutDelay?
  /// RFC 6465: the level of each CSRC, in -dBov, as far as `contributorLevelCount`. Only read; writing takes them from the CSRC list.
  public private(set) var contributorLevels: [15 of UInt8] = .init(repeating: 127)
  /// Levels that the packet carried: 0 to 15.
  public private(set) var contributorLevelCount = 0
  /// Where in the packet the dependency descriptor lies; only read.
  private var descriptorStart: UInt16 = 0
  private var descriptorSize: UInt8 = 0

  public init() {}

  /// The values in a packet; what is malformed or unknown is passed over.
  public init(_ header: RTPHeader, in packet: Span<UInt8>, map: HeaderExtensionMap) {
    guard let profile = header.extensionProfile, header.extensionRange.upperBound <= packet.count else { return }
    let elements = packet.extracting(header.extensionRange)
    switch profile {
    case 0xBEDE: readOneByteElements(elements, at: header.extensionRange.lowerBound, map)
    case 0x1000...0x100F: readTwoByteElements(elements, at: header.extensionRange.lowerBound, map)
    default: return
    }
  }

  /// RFC 8285 section 4.2.
  private mutating func readOneByteElements(_ elements: Span<UInt8>, at start: Int, _ map: HeaderExtensionMap) {
    var reader = ByteReader(elements)
    while let first = reader.readUInt8() {
      let id = first >> 4
      if id == 0 { continue }
      guard id != 15, let value = reader.readBytes(Int(first & 0x0F) &+ 1) else { return }
      take(value, endingAt: start &+ reader.offset, as: map.kind(of: id))
    }
  }

  /// RFC 8285 section 4.3.
  private mutating func readTwoByteElements(_ elements: Span<UInt8>, at start: Int, _ map: HeaderExtensionMap) {
    var reader = ByteReader(elements)
    while let id = reader.readUInt8() {
      if id == 0 { continue }
      guard let length = reader.readUInt8(), let value = reader.readBytes(Int(length)) else { return }
      take(value, endingAt: start &+ reader.offset, as: map.kind(of: id))
    }
  }

  private mutating func take(_ value: Span<UInt8>, endingAt end: Int, as kind: HeaderExtensionKind?) {
    switch kind {
    case nil: return
    case .mid: mid = ShortToken(value)
    case .rid: rid = ShortToken(value)
    case .repairedRID: repairedRID = ShortToken(value)
    case .audioLevel:
      guard value.count >= 1 else { return }
      audioLevel = value[0] & 0x7F
      voiceActivity = value[0] & 0x80 != 0
    case .contributorAudioLevel:
      contributorLevelCount = min(value.count, 15)
      for index in 0..<contributorLevelCount { contributorLevels[index] = value[index] & 0x7F }
    case .absoluteSendTime:
      var reader = ByteReader(value)
      absoluteSendTime = reader.readUInt24()
    case .transportSequenceNumber: transportSequenceNumber = value.bigEndianUInt16(at: 0)
    case .videoOrientation:
      guard value.count >= 1 else { return }
      rotation = Rotation(rawValue: value[0] & 0x03)
    case .playoutDelay:
      var reader = ByteReader(value)
      playoutDelay = reader.readUInt24().map { PlayoutDelay(bits: $0) }
    case .dependencyDescriptor:
      guard value.count <= 255, let start = UInt16(exactly: end &- value.count) else { return }
      descriptorStart = start
      descriptorSize = UInt8(truncatingIfNeeded: value.count)
    }
  }

  /// The dependency descriptor, as it stands in the packet that these were read from; empty where there is none.
  @_lifetime(copy packet)
  public func dependencyDescriptor(in packet: Span<UInt8>) -> Span<UInt8> {
    let start = Int(descriptorStart)
    let end = start &+ Int(descriptorSize)
    return packet.extracting(end <= packet.count ? start..<end : 0..<0)
  }

  /// The value of `absoluteSendTime` for a packet sent at `time`.
  public static func absoluteSendTime(_ time: NTPTime) -> UInt32 { UInt32(truncatingIfNeeded: time.rawValue >> 14) & 0xFF_FFFF }
}

/// The least and most playout delay a sender asks of the receiver, in steps of 10 ms up to 40.95 s.
public struct PlayoutDelay: Hashable, Sendable {
  public var minimum: Interval
  public var maximum: Interval

  /// Both are held to 0 ... 40.95 s and rounded down to 10 ms when written.
  public init(minimum: Interval, maximum: Interval) {
    self.minimum = minimum
    self.maximum = maximum
  }

  /// 12 bits of minimum, then 12 of maximum.
  init(bits: UInt32) {
    self.init(minimum: .milliseconds(Int64(bits >> 12 & 0xFFF) &* 10), maximum: .milliseconds(Int64(bits & 0xFFF) &* 10))
  }

  var bits: UInt32 {
    func steps(_ interval: Interval) -> UInt32 { UInt32(min(max(interval.nanoseconds / 10_000_000, 0), 0xFFF)) }
    return steps(minimum) << 12 | steps(maximum)
  }
}
