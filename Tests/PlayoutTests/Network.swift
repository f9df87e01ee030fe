import EncodedMedia
import Playout
import TestSupport
import Timing

/// What the network does to a packet.
struct Fate {
  var delay = Interval.milliseconds(30)
  var isLost = false
  var isDoubled = false
}

/// One stream through a network into a playout buffer, in virtual time.
final class Call {
  /// What was played and when.
  struct Played {
    var sequence: Int64
    var source: SSRC
    var time: Instant
    /// From when it was sent to when its tick was played, less the network's 30 ms.
    var delay: Interval
  }

  var buffer: PlayoutBuffer
  var played: [Played] = []
  var steps: [PlayoutStep] = []
  var samplesPerTick: [Int] = []
  private(set) var now = Instant.zero
  private var sent: [Int64: Instant] = [:]
  private var inFlight: [EncodedFrame] = []
  private var nextTick = Instant.zero + .milliseconds(7)

  init(settings: PlayoutSettings = PlayoutSettings()) { buffer = PlayoutBuffer(settings: settings) }

  /// A SILK packet of 10, 20, 40 or 60 ms, which only the length of is looked at; 120 ms is two frames of 60.
  static func packet(milliseconds: Int, sequence: Int64, timestamp: UInt32, level: UInt8?, byteCount: Int = 40) -> EncodedFrame
  {
    let toc: UInt8 =
      switch milliseconds {
      case 10: 8 << 3
      case 20: 9 << 3
      case 40: 10 << 3
      case 60: 11 << 3
      default: 11 << 3 | 1
      }
    let bytes = [toc] + [UInt8](repeating: 1, count: max(byteCount - 1, 0))
    return EncodedFrame(
      codec: .opus, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(timestamp), sequence: sequence, time: .zero,
      audioLevel: level)
  }

  func send(_ frame: EncodedFrame, at time: Instant, _ fate: Fate) {
    sent[frame.sequence] = time
    guard !fate.isLost else { return }
    var frame = frame
    frame.time = time + fate.delay
    inFlight.append(frame)
    if fate.isDoubled {
      frame.time = frame.time + .milliseconds(5)
      inFlight.append(frame)
    }
    inFlight.sort { $0.time < $1.time }
  }

  /// Lets time pass: packets come, ticks are played.
  func run(until end: Instant) {
    while true {
      let arrival = inFlight.first?.time ?? .distantFuture
      if min(arrival, nextTick) > end { break }
      if arrival <= nextTick {
        now = arrival
        buffer.insert(inFlight.removeFirst())
      } else {
        now = nextTick
        nextTick += .milliseconds(20)
        tick()
      }
    }
    now = end
  }

  private func tick() {
    var new: [PlayoutStep] = []
    buffer.pull(at: now, into: &new)
    var samples = 0
    for step in new {
      switch step {
      case .play(let frame, let count):
        samples += count
        note(frame)
      case .accelerate(let frame, let count, let cut):
        samples += count - cut
        note(frame)
      case .conceal(let count, _), .expand(let count), .silence(let count): samples += count
      case .skip, .catchUp: break
      }
    }
    steps += new
    samplesPerTick.append(samples)
  }

  private func note(_ frame: EncodedFrame) {
    let delay = now - (sent[frame.sequence] ?? now) - .milliseconds(30)
    played.append(Played(sequence: frame.sequence, source: frame.source, time: now, delay: delay))
  }

  /// A stream of equal packets from now on, each with the fate that is decided for it.
  func stream(
    seconds: Double, milliseconds: Int = 20, firstSequence: Int64 = 0, firstTimestamp: UInt32 = 0, level: UInt8? = 30,
    driftPerMillion: Int64 = 0, source: UInt32 = 0, fate: (Int) -> Fate
  ) {
    let start = now
    for index in 0..<Int(seconds * 1000 / Double(milliseconds)) {
      let nominal = Int64(index) * Int64(milliseconds) * 1_000_000
      let time = start + .nanoseconds(nominal + nominal / 1_000_000 * driftPerMillion)
      run(until: time)
      let timestamp = firstTimestamp &+ UInt32(truncatingIfNeeded: index * milliseconds * 48)
      var frame = Self.packet(
        milliseconds: milliseconds, sequence: firstSequence + Int64(index), timestamp: timestamp, level: level)
      frame.source = SSRC(source)
      send(frame, at: time, fate(index))
    }
    run(until: start + .nanoseconds(Int64(seconds * 1e9)))
  }

  var statistics: PlayoutStatistics { buffer.statistics }
  var isPlaying: Bool { buffer.isPlaying }
  var waitingCount: Int { buffer.count }

  var isInOrderWithoutDuplicates: Bool { zip(played, played.dropFirst()).allSatisfy { $0.sequence < $1.sequence } }

  /// The most and the mean delay of what was played from a time on.
  func delays(from start: Instant) -> (most: Double, mean: Double) {
    let delays = played.filter { $0.time >= start }.map(\.delay.milliseconds)
    return (delays.max() ?? 0, delays.isEmpty ? 0 : delays.reduce(0, +) / Double(delays.count))
  }

  /// Whether what was handed out kept up with the ticks at every one of them, and was never more than a packet ahead.
  func keepsPace(packetSamples: Int) -> Bool {
    var ahead = 0
    for samples in samplesPerTick {
      ahead += samples - 960
      if ahead < 0 || ahead > packetSamples { return false }
    }
    return true
  }
}

func at(_ seconds: Double) -> Instant { .init(nanoseconds: Int64(seconds * 1e9)) }
