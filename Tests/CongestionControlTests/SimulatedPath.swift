import CongestionControl
import TestSupport
import Timing

/// A bottleneck with a queue, shared with other traffic, in steps of a millisecond of virtual time and by seed.
struct SimulatedPath {
  struct Packet {
    var number: UInt16?
    var size: Int
    var isAudio = false
    var sentAt: Instant
  }

  struct Arrival {
    var time: Instant
    var packet: Packet
  }

  /// Bits per second.
  var capacity: Double
  /// Packets that would wait longer are dropped.
  var queueMax = Interval.milliseconds(300)
  var delay = Interval.milliseconds(20)
  var jitter = Interval.zero
  var loss = 0.0
  /// Now and then nothing arrives for up to so long, and then all of it: a machine that has other things to do. Zero for never.
  var stallMax = Interval.zero
  /// From one stall to the next, on average.
  var stallSpacing = Interval.milliseconds(500)
  let seed: UInt64
  private(set) var queuedBytes = 0
  private(set) var dropped = 0
  private(set) var underway: [Arrival] = []
  private var queue: [Packet] = []
  private var head = 0
  private var credit = 0.0
  private var random: SeededRandom
  private var lastArrival = Instant.zero
  private var nextStall = Instant.zero

  init(capacity: Double, seed: UInt64) {
    self.capacity = capacity
    self.seed = seed
    random = SeededRandom(seed: seed)
  }

  /// What a packet that came now would wait.
  var queueDelay: Interval { .nanoseconds(Int64(Double(queuedBytes) * 8 / capacity * 1e9)) }

  /// - Returns: false where it was dropped at the queue; random loss is silent.
  mutating func send(_ packet: Packet) -> Bool {
    if packet.number != nil, Double.random(in: 0..<1, using: &random) < loss { return true }
    // A buffer has bytes, at least some packets of them.
    guard queuedBytes + packet.size <= max(Int(capacity * queueMax.seconds / 8), 4_000) else {
      dropped += 1
      return false
    }
    queue.append(packet)
    queuedBytes += packet.size
    return true
  }

  mutating func step(at now: Instant) {
    stall(at: now)
    credit += capacity / 1_000
    while head < queue.count, Double(queue[head].size * 8) <= credit {
      let packet = queue[head]
      head += 1
      credit -= Double(packet.size * 8)
      queuedBytes -= packet.size
      let noise = Int64(Double(jitter.nanoseconds) * Double.random(in: 0..<1, using: &random))
      let time = max(now + delay + .nanoseconds(noise), lastArrival)
      lastArrival = time
      underway.append(Arrival(time: time, packet: packet))
    }
    if head == queue.count { credit = min(credit, 0) }
    if head > 1_000 {
      queue.removeFirst(head)
      head = 0
    }
  }

  private mutating func stall(at now: Instant) {
    guard stallMax > .zero, now >= nextStall else { return }
    func upTo(_ most: Interval) -> Interval { .nanoseconds(Int64.random(in: 0...most.nanoseconds, using: &random)) }
    lastArrival = max(lastArrival, now + delay + upTo(stallMax))
    nextStall = now + upTo(stallSpacing * 2)
  }

  mutating func takeArrivals(at now: Instant) -> [Arrival] {
    let count = underway.firstIndex { $0.time > now } ?? underway.count
    defer { underway.removeFirst(count) }
    return Array(underway.prefix(count))
  }
}

/// Traffic that behaves as TCP Reno does: it fills the queue until something is dropped.
struct GreedyFlow {
  private static let size = 1_200
  private var window = 4.0
  private var threshold = 64.0
  private var inFlight = 0
  private var acknowledgements: [Instant] = []
  private var recoveredAt = Instant.zero
  private(set) var bytesDelivered = 0

  init() {}

  mutating func step(_ path: inout SimulatedPath, at now: Instant) {
    while let first = acknowledgements.first, first <= now {
      acknowledgements.removeFirst()
      inFlight -= 1
      bytesDelivered += Self.size
      window += window < threshold ? 1 : 1 / window
    }
    while inFlight < Int(window) {
      inFlight += 1
      guard !path.send(.init(number: nil, size: Self.size, sentAt: now)) else { continue }
      inFlight -= 1
      if now >= recoveredAt {
        threshold = max(window / 2, 2)
        window = threshold
        recoveredAt = now + path.delay * 2 + path.queueDelay
      }
      break
    }
  }

  mutating func arrived(at now: Instant, returning delay: Interval) { acknowledgements.append(now + delay) }
}
