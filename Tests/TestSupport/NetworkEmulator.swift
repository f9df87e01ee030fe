import Timing

/// A network between addresses in virtual time and by seed: loses, delays, reorders, doubles and queues datagrams. It has no
/// sockets and no clock; whoever drives it tells the time, and the same seed with the same calls does the same.
///
///     send ─▶ lost? ─▶ rate limit with a queue ─▶ delay, jitter ─▶ overtaken? ─▶ takeArrival
///
/// What happens to a datagram never depends on its bytes, and on its length only where a rate is limited: handshakes differ from run
/// to run by a few bytes.
public struct NetworkEmulator<Address: Hashable & Sendable>: Sendable {
  public struct Datagram: Sendable {
    public var time: Instant
    public var from: Address
    public var to: Address
    public var bytes: [UInt8]
    var order: UInt64
  }

  /// What was done so far.
  public struct Counters: Hashable, Sendable {
    public var sent = 0
    public var lost = 0
    public var doubled = 0
    public var overflowed = 0
    public var delivered = 0
  }

  public var link: Link
  /// Of some ways only, in place of `link`.
  public var linksByWay: [Way: Link] = [:]
  public private(set) var counters = Counters()
  private var states: [Way: State] = [:]
  private var underway: [Datagram] = []
  private var random: SeededRandom
  private var order: UInt64 = 0

  public struct Way: Hashable, Sendable {
    public var from: Address
    public var to: Address
    public init(from: Address, to: Address) {
      self.from = from
      self.to = to
    }
  }

  private struct State: Sendable {
    var isInBurst = false
    var lastArrival = Instant(nanoseconds: .min)
    /// When the last datagram in the queue has left it.
    var queueEmptyAt = Instant(nanoseconds: .min)
  }

  public init(link: Link = Link(), seed: UInt64) {
    self.link = link
    random = SeededRandom(seed: seed)
  }

  /// Keeps nothing more of an address at which nobody is any longer; what is under way still arrives.
  public mutating func forget(_ address: Address) {
    for way in states.keys where way.from == address || way.to == address { states[way] = nil }
    for way in linksByWay.keys where way.from == address || way.to == address { linksByWay[way] = nil }
  }

  public mutating func send(_ bytes: [UInt8], from: Address, to: Address, at now: Instant) {
    counters.sent += 1
    let way = Way(from: from, to: to)
    let link = linksByWay[way] ?? link
    var state = states[way] ?? State()
    // Always as many numbers for each datagram, so that one more property in use does not change the others.
    let fates = (0..<6).map { _ in Double.random(in: 0..<1, using: &random) }
    state.isInBurst = fates[0] < (state.isInBurst ? 1 - link.burstEnd : link.burstStart)
    defer { states[way] = state }
    guard fates[1] >= (state.isInBurst ? link.burstLoss : link.loss) else {
      counters.lost += 1
      return
    }
    guard let departure = depart(bytes.count, link, &state, at: now) else { return }
    var arrival = departure + link.delay + link.jitter * fates[2]
    if fates[3] < link.reordering {
      arrival += link.reorderingDelay
    } else if link.keepsOrder {
      arrival = max(arrival, state.lastArrival)
      state.lastArrival = arrival
    }
    add(bytes, way, arrival)
    if fates[4] < link.duplication {
      counters.doubled += 1
      add(bytes, way, arrival + link.jitter * fates[5] + .milliseconds(1))
    }
  }

  /// When the datagram has passed the limited rate; nil where the queue before it was full.
  private mutating func depart(_ byteCount: Int, _ link: Link, _ state: inout State, at now: Instant) -> Instant? {
    guard let rate = link.bitsPerSecond else { return now }
    let start = max(now, state.queueEmptyAt)
    if start - now > link.queueMax {
      counters.overflowed += 1
      return nil
    }
    state.queueEmptyAt = start + .ticks(Int64(byteCount + Link.headerBytes) * 8, at: Int64(rate))
    return state.queueEmptyAt
  }

  private mutating func add(_ bytes: [UInt8], _ way: Way, _ time: Instant) {
    order += 1
    underway.append(Datagram(time: time, from: way.from, to: way.to, bytes: bytes, order: order))
    var index = underway.count - 1
    while index > 0, case let parent = (index - 1) / 2, underway[index].isBefore(underway[parent]) {
      underway.swapAt(index, parent)
      index = parent
    }
  }

  /// When the next datagram arrives; nil while none is under way.
  public var nextArrival: Instant? { underway.first?.time }

  /// The next datagram that has arrived by now.
  public mutating func takeArrival(at now: Instant) -> Datagram? {
    guard let first = underway.first, first.time <= now, let last = underway.popLast() else { return nil }
    counters.delivered += 1
    guard !underway.isEmpty else { return first }
    underway[0] = last
    sink()
    return first
  }

  private mutating func sink() {
    var index = 0
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2] where child < underway.count {
        if underway[child].isBefore(underway[least]) { least = child }
      }
      guard least != index else { return }
      underway.swapAt(index, least)
      index = least
    }
  }
}

extension NetworkEmulator.Datagram {
  fileprivate func isBefore(_ other: Self) -> Bool { (time, order) < (other.time, other.order) }
}

/// What a way through the network does to datagrams. All shares are from 0 to 1.
public struct Link: Hashable, Sendable {
  /// IP and UDP around each datagram: a limited rate carries them as well.
  public static let headerBytes = 28
  /// The share lost, one by one.
  public var loss = 0.0
  /// Bursts (Gilbert and Elliott): how likely one begins and ends with each datagram, and the share lost within.
  public var burstStart = 0.0
  public var burstEnd = 1.0
  public var burstLoss = 0.0
  public var delay = Interval.milliseconds(20)
  /// Added to the delay: at random from nothing to this.
  public var jitter = Interval.zero
  /// Whether jitter alone never lets one datagram overtake another, as in a queue.
  public var keepsOrder = true
  /// The share held back by `reorderingDelay`, so that others overtake them.
  public var reordering = 0.0
  public var reorderingDelay = Interval.milliseconds(15)
  public var duplication = 0.0
  /// Nil for no limit.
  public var bitsPerSecond: Int?
  /// A datagram that would wait longer than this is lost.
  public var queueMax = Interval.milliseconds(200)

  public init() {}

  public static func lossy(_ loss: Double) -> Link {
    var link = Link()
    link.loss = loss
    return link
  }
}

private func * (interval: Interval, share: Double) -> Interval { .nanoseconds(Int64(Double(interval.nanoseconds) * share)) }
