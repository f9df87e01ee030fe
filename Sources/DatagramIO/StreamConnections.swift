import ICE
import Timing

/// The TCP connections of ICE-TCP (RFC 6544), each with the datagrams framed on it (RFC 4571).
struct StreamConnections {
  final class Connection {
    let stream: TCPConnection
    let path: TransportPath
    var deframer = StreamDeframer()
    var lastRead: Instant
    /// Whether an authenticated check came on it.
    fileprivate(set) var isPeers = false

    init(stream: TCPConnection, path: TransportPath, at now: Instant) {
      self.stream = stream
      self.path = path
      lastRead = now
    }
  }

  /// One on its way from the loop that accepted it to that which has its peer, with what was read of it.
  ///
  /// Unchecked: whoever sends it keeps nothing of it.
  struct Moved: @unchecked Sendable {
    fileprivate let connection: Connection
    var datagrams = HandedDatagrams()
  }

  private static let countMax = 4096
  /// A peer checks its consent each few seconds; who says nothing for so long is gone or never was one.
  private static let idleMax = Interval.seconds(40)

  private var byToken: [UInt64: Connection] = [:]
  private var strange = StrangeConnections()
  private var nextNumber: UInt32 = 0
  private var buffer = [UInt8](repeating: 0, count: 16_384)
  private var frame = [UInt8](repeating: 0, count: 2_050)

  var count: Int { byToken.count }
  var all: some Sequence<Connection> { byToken.values }
  subscript(token: UInt64) -> Connection? { byToken[token] }

  /// Takes a new connection, for which another stranger's may be closed; nil, and the connection closed, where there are too many.
  ///
  /// - Parameter deframer: with what was read of it and is no whole datagram yet.
  mutating func add(_ stream: TCPConnection, deframer: StreamDeframer = StreamDeframer(), at now: Instant) -> UInt64? {
    guard byToken.count < Self.countMax else {
      stream.close()
      return nil
    }
    nextNumber &+= 1
    let token = NetworkWorker.firstConnectionToken + UInt64(nextNumber)
    let path = TransportPath(transport: .tcp, socket: nextNumber, remote: stream.remoteAddress)
    let connection = Connection(stream: stream, path: path, at: now)
    connection.deframer = deframer
    byToken[token] = connection
    if let oldest = strange.add(token, from: stream.remoteAddress, at: now) { byToken[oldest]?.stream.close() }
    return token
  }

  /// Takes one that another loop accepted; nil as for `add`.
  mutating func add(_ moved: Moved, at now: Instant) -> UInt64? {
    add(moved.connection.stream, deframer: moved.connection.deframer, at: now)
  }

  /// Takes out one that another loop is to have.
  mutating func move(_ token: UInt64) -> Moved? {
    let connection = byToken[token]
    remove(token)
    return connection.map { Moved(connection: $0) }
  }

  mutating func remove(_ token: UInt64) {
    guard let connection = byToken.removeValue(forKey: token), !connection.isPeers else { return }
    strange.remove(token)
  }

  /// An authenticated check came on it: it may stay while it is used.
  mutating func admit(_ token: UInt64) {
    guard let connection = byToken[token], !connection.isPeers else { return }
    connection.isPeers = true
    strange.remove(token)
  }

  /// Reads what has come and hands out each whole datagram; closes the connection where the framing is broken.
  mutating func read(_ token: UInt64, at now: Instant, _ body: (inout MutableSpan<UInt8>, TransportPath) -> Void) {
    guard let connection = byToken[token] else { return }
    connection.stream.flush()
    var room = buffer.mutableSpan
    // A few reads a turn: the others wait.
    for _ in 0..<4 {
      guard case .bytes(let count) = connection.stream.read(into: &room) else { return }
      connection.lastRead = now
      do {
        try connection.deframer.append(room.span.extracting(0..<count)) { datagram in body(&datagram, connection.path) }
      } catch {
        connection.stream.close()
        return
      }
    }
  }

  mutating func write(_ datagram: Span<UInt8>, to token: UInt64) {
    guard let connection = byToken[token] else { return }
    var target = frame.mutableSpan
    guard let length = StreamFraming.write(datagram, into: &target) else { return }
    connection.stream.write(frame.span.extracting(0..<length))
  }

  /// Closes those that nothing came on for long, and those that are a stranger's still.
  mutating func closeIdle(at now: Instant) {
    while let token = strange.takeExpired(at: now) { byToken[token]?.stream.close() }
    for connection in byToken.values where now - connection.lastRead > Self.idleMax { connection.stream.close() }
  }
}
