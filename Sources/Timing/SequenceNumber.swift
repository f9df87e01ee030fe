/// An RTP sequence number: 16 bits that wrap (RFC 3550 section 5.1).
@frozen public struct SequenceNumber: Hashable, Sendable {
  public var rawValue: UInt16

  @inlinable public init(_ rawValue: UInt16) { self.rawValue = rawValue }

  /// How many steps ahead of `other` this number is, the shorter way round: -32768 to 32767.
  @inlinable public func distance(from other: SequenceNumber) -> Int {
    Int(Int16(truncatingIfNeeded: rawValue &- other.rawValue))
  }

  @inlinable public static func + (a: SequenceNumber, n: Int) -> SequenceNumber {
    .init(a.rawValue &+ UInt16(truncatingIfNeeded: n))
  }
}

/// An RTP timestamp: 32 bits of a stream's media clock that wrap (RFC 3550 section 5.1).
@frozen public struct RTPTimestamp: Hashable, Sendable {
  public var rawValue: UInt32

  @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }

  /// How many ticks after `other` this timestamp is, the shorter way round.
  @inlinable public func distance(from other: RTPTimestamp) -> Int {
    Int(Int32(truncatingIfNeeded: rawValue &- other.rawValue))
  }

  @inlinable public static func + (a: RTPTimestamp, ticks: Int) -> RTPTimestamp {
    .init(a.rawValue &+ UInt32(truncatingIfNeeded: ticks))
  }
}

/// Turns numbers that wrap into ones that count on, by taking each as the nearest to the highest seen.
@frozen public struct SequenceUnwrapper: Sendable {
  /// The highest number unwrapped so far; nil before the first.
  public private(set) var highest: Int64?

  @inlinable public init() {}

  /// The extended number. The first one maps to itself, so extended numbers may go below zero when earlier packets follow.
  public mutating func unwrap(_ number: SequenceNumber) -> Int64 {
    guard let highest else {
      self.highest = Int64(number.rawValue)
      return Int64(number.rawValue)
    }
    let step = number.distance(from: SequenceNumber(UInt16(truncatingIfNeeded: highest)))
    let extended = highest &+ Int64(step)
    if extended > highest { self.highest = extended }
    return extended
  }
}

/// The same for 32-bit RTP timestamps.
@frozen public struct TimestampUnwrapper: Sendable {
  /// The timestamp unwrapped last; nil before the first.
  public private(set) var last: Int64?

  @inlinable public init() {}

  /// The extended timestamp, nearest to the one before it.
  public mutating func unwrap(_ timestamp: RTPTimestamp) -> Int64 {
    let extended: Int64
    if let last {
      extended = last &+ Int64(timestamp.distance(from: RTPTimestamp(UInt32(truncatingIfNeeded: last))))
    } else {
      extended = Int64(timestamp.rawValue)
    }
    last = extended
    return extended
  }
}
