import Timing

/// The paths on which an authenticated check came, and when.
struct ValidatedPaths: Sendable {
  struct Entry: Sendable {
    var path: TransportPath
    var lastCheck: Instant
    /// Whether the peer ever nominated it.
    var isNominated: Bool
  }

  /// More than any honest peer has addresses at a time; beyond it the one checked longest ago goes.
  private static let capacity = 16
  private(set) var entries: [Entry] = []

  init() { entries.reserveCapacity(Self.capacity) }

  func contains(_ path: TransportPath) -> Bool {
    for entry in entries where entry.path == path { return true }
    return false
  }

  /// Notes a check. The path `kept` is never pushed out.
  mutating func note(_ path: TransportPath, at now: Instant, nominated: Bool, keeping kept: TransportPath?) {
    for index in entries.indices where entries[index].path == path {
      entries[index].lastCheck = Swift.max(now, entries[index].lastCheck)
      entries[index].isNominated = entries[index].isNominated || nominated
      return
    }
    if entries.count >= Self.capacity { removeOldest(keeping: kept) }
    entries.append(Entry(path: path, lastCheck: now, isNominated: nominated))
  }

  private mutating func removeOldest(keeping kept: TransportPath?) {
    var oldest: Int?
    for index in entries.indices where entries[index].path != kept {
      if let other = oldest, entries[other].lastCheck <= entries[index].lastCheck { continue }
      oldest = index
    }
    if let oldest { entries.remove(at: oldest) }
  }

  /// Forgets paths whose last check is too long ago.
  mutating func expire(at now: Instant) {
    entries.removeAll { now - $0.lastCheck >= ICETiming.consentLifetime }
  }

  mutating func remove(_ path: TransportPath) { entries.removeAll { $0.path == path } }

  mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

  /// When the next path expires.
  var nextExpiry: Instant? {
    var first: Instant?
    for entry in entries { first = Swift.min(first ?? .distantFuture, entry.lastCheck + ICETiming.consentLifetime) }
    return first
  }

  /// Of the paths the peer nominated at some time the one checked last.
  var freshestNominated: TransportPath? {
    var best: Entry?
    for entry in entries where entry.isNominated {
      if let other = best, other.lastCheck >= entry.lastCheck { continue }
      best = entry
    }
    return best?.path
  }
}
