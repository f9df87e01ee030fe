import ICE
import Timing

/// Which TCP connections no authenticated check has come on yet, the oldest first: anybody can make one, so they have little time and
/// little room.
package struct StrangeConnections {
  package struct Limits: Sendable {
    /// A quarter of all there may be: strangers take no places from peers.
    package var count: Int
    /// Behind one address there may be a company; each of them is no stranger after his first check.
    package var countPerAddress: Int
    /// A client's checks begin as soon as it is connected, and are repeated within seconds where one is lost.
    package var age: Interval

    package init(count: Int = 1024, countPerAddress: Int = 64, age: Interval = .seconds(10)) {
      self.count = count
      self.countPerAddress = countPerAddress
      self.age = age
    }
  }

  private struct Stranger {
    let token: UInt64
    /// Without the port.
    let host: TransportAddress
    let since: Instant
  }

  private let limits: Limits
  private var strangers: [Stranger] = []

  package init(_ limits: Limits = Limits()) { self.limits = limits }

  package var count: Int { strangers.count }

  /// Takes one more.
  ///
  /// - Returns: the one to be closed, which makes room: the oldest from the same host, or of all; nil while there is room.
  package mutating func add(_ token: UInt64, from remote: TransportAddress, at now: Instant) -> UInt64? {
    let host = remote.withPort(0)
    var neighbourCount = 0
    var oldest: Int?
    for index in strangers.indices where strangers[index].host == host {
      neighbourCount &+= 1
      oldest = oldest ?? index
    }
    let leaving = neighbourCount >= limits.countPerAddress ? oldest : strangers.count >= limits.count ? 0 : nil
    let left = leaving.map { strangers.remove(at: $0).token }
    strangers.append(Stranger(token: token, host: host, since: now))
    return left
  }

  /// One is a peer's, or is gone.
  package mutating func remove(_ token: UInt64) { strangers.removeAll { $0.token == token } }

  /// Takes out one that has had its time; nil where none has.
  package mutating func takeExpired(at now: Instant) -> UInt64? {
    guard let first = strangers.first, now - first.since > limits.age else { return nil }
    return strangers.removeFirst().token
  }
}
