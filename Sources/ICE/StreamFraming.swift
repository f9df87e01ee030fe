import Bytes

/// Datagrams on a TCP connection: each is preceded by its length in two bytes (RFC 4571, for ICE RFC 6544 section 3).
public enum StreamFraming {
  public static let headerLength = 2

  /// Writes the header and `datagram` to the start of `target`.
  ///
  /// - Returns: how many bytes; nil where they do not fit or the datagram has more than 65535.
  public static func write(_ datagram: Span<UInt8>, into target: inout MutableSpan<UInt8>) -> Int? {
    guard let length = UInt16(exactly: datagram.count), datagram.count &+ headerLength <= target.count else { return nil }
    target.setBigEndian(length, at: 0)
    target.copy(datagram, at: headerLength)
    return datagram.count &+ headerLength
  }

  /// The two bytes that go before a datagram of `count` bytes; nil above 65535.
  public static func header(count: Int) -> (UInt8, UInt8)? {
    guard let length = UInt16(exactly: count) else { return nil }
    return (UInt8(length >> 8), UInt8(truncatingIfNeeded: length))
  }
}

/// Finds the datagrams in what a TCP connection delivers, in whatever pieces it does.
///
/// Holds at most one frame. A frame longer than allowed ends the connection: there is no way to find the next one that a peer
/// could not forge.
public struct StreamDeframer: Sendable {
  public enum Failure: Error, Hashable, Sendable {
    /// The peer announced a frame of so many bytes.
    case oversizedFrame(Int)
  }

  private var frame: [UInt8] = []
  private let maximum: Int
  /// Bytes of the header read so far: 0, 1 or 2.
  private var headerCount = 0
  private var length = 0
  /// Bytes of the frame read so far.
  private var count = 0
  private var failure: Failure?

  /// - Parameter frameLengthMax: the longest frame accepted, in bytes; the buffer grows to it once and stays.
  public init(frameLengthMax: Int = 2048) { maximum = Swift.min(Swift.max(frameLengthMax, 0), 65535) }

  /// Takes the next bytes of the stream and hands out each frame they complete; frames without content are skipped.
  ///
  /// - Parameter body: gets the frame, which it may change in place (decrypt) and which is gone when it returns.
  /// - Throws: where a frame is too long; the connection is to be closed, and every later call throws the same.
  public mutating func append(_ bytes: Span<UInt8>, _ body: (inout MutableSpan<UInt8>) -> Void) throws(Failure) {
    if let failure { throw failure }
    var offset = 0
    while offset < bytes.count {
      if headerCount < StreamFraming.headerLength {
        try readHeader(bytes[offset])
        offset &+= 1
        continue
      }
      let taken = Swift.min(length &- count, bytes.count &- offset)
      let start = count
      var target = frame.mutableSpan
      target.copy(bytes.extracting(offset..<(offset &+ taken)), at: start)
      count &+= taken
      offset &+= taken
      if count == length { finishFrame(body) }
    }
  }

  private mutating func readHeader(_ byte: UInt8) throws(Failure) {
    length = (length << 8 | Int(byte)) & 0xFFFF
    headerCount &+= 1
    guard headerCount == StreamFraming.headerLength else { return }
    guard length <= maximum else {
      let failure = Failure.oversizedFrame(length)
      self.failure = failure
      throw failure
    }
    if length == 0 { headerCount = 0 }
    if frame.isEmpty, length > 0 { frame = [UInt8](repeating: 0, count: maximum) }
  }

  private mutating func finishFrame(_ body: (inout MutableSpan<UInt8>) -> Void) {
    let end = length
    var all = frame.mutableSpan
    var whole = all._mutatingExtracting(0..<end)
    body(&whole)
    headerCount = 0
    length = 0
    count = 0
  }
}
