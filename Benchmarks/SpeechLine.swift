import AudioMixing
import Codecs
import Conference
import EncodedMedia
import LoadGenerator
import Playout
import RawMedia
import Timing

/// What is done against the loss of packets.
enum LossProtection: CaseIterable {
  /// Extrapolation alone.
  case concealment
  /// Opus' own redundancy: each packet may hold a coarse copy of the frame before (RFC 6716 section 2.1.7), sized as in our mixes.
  case inBandFEC
  /// Each packet repeats the one frame before, or the two, whole (RFC 2198).
  case redundancy1
  case redundancy2

  /// What the encoder is told of a loss, in per cent; nil where it is to make no copies.
  func expectedLoss(_ pattern: LossPattern) -> Int? {
    switch self {
    case .inBandFEC:
      OpusEncoder.expectedLoss(covering: pattern.percent, bitsPerSecond: SpeechLine.bitsPerSecond, isFullBand: false)
    case .concealment, .redundancy1, .redundancy2: nil
    }
  }

  /// How many frames before its own a packet repeats.
  var repeatedCount: Int {
    switch self {
    case .concealment, .inBandFEC: 0
    case .redundancy1: 1
    case .redundancy2: 2
    }
  }
}

/// Which packets are lost.
enum LossPattern: Hashable {
  /// So many in a hundred, each by its own chance.
  case random(percent: Int)
  /// 200 ms at a stretch, once in two seconds.
  case bursts

  /// What a receiver would report, in per cent.
  var percent: Int {
    switch self {
    case .random(let percent): percent
    case .bursts: 10
    }
  }

  /// Whether each of the first `count` packets is lost; the same for every protection.
  func losses(_ count: Int, seed: UInt64) -> [Bool] {
    var random = SeededRandom(seed: seed)
    switch self {
    case .random(let percent): return (0..<count).map { _ in Int.random(in: 0..<100, using: &random) < percent }
    case .bursts:
      let offset = Int.random(in: 0..<100, using: &random)
      return (0..<count).map { ($0 + offset) % 100 < 10 }
    }
  }
}

/// By how much packets come later than the earliest.
enum Lateness: Hashable {
  /// Up to so much, all alike.
  case even(milliseconds: Int64)
  /// Hardly, but for so many in a thousand: up to so much.
  case peaks(perMille: Int, milliseconds: Int64)
  /// Hardly, but about every three seconds nothing comes for up to so much, and then all at once: a sender or receiver whose
  /// processor is busy.
  case stalls(milliseconds: Int64)

  func delays(_ count: Int, _ random: inout SeededRandom) -> [Interval] {
    let upTo = { (milliseconds: Int64, random: inout SeededRandom) in
      Interval.microseconds(Int64.random(in: 0..<milliseconds * 1_000, using: &random))
    }
    switch self {
    case .even(let milliseconds): return (0..<count).map { _ in upTo(milliseconds, &random) }
    case .peaks(let perMille, let milliseconds):
      return (0..<count).map { _ in
        upTo(Int.random(in: 0..<1_000, using: &random) < perMille ? milliseconds : Self.least, &random)
      }
    case .stalls(let milliseconds):
      var end = Interval.zero
      return (0..<count).map { index in
        let sent = Interval.milliseconds(Int64(index * AudioFormat.millisecondsPerTick))
        if Int.random(in: 0..<150, using: &random) == 0 { end = sent + upTo(milliseconds, &random) }
        return max(end - sent, .zero) + upTo(Self.least, &random)
      }
    }
  }

  private static let least: Int64 = 2
}

/// Speech on its way over a bad line, in virtual time: encoder, loss, playout, decoder.
struct SpeechLine {
  /// What a listener got.
  struct Reception {
    /// 48 kHz, one channel.
    var samples: [Int16] = []
    /// Samples made up from nothing but what was heard before, and those that came from the redundancy in the packet after them.
    var concealedSamples = 0
    var recoveredSamples = 0
    /// Bytes of payload sent, the repeated frames included.
    var byteCount = 0
    /// Mean of the playout delay.
    var delayMilliseconds = 0.0
    /// Samples put in and cut out to change the delay.
    var stretchedSamples = 0

    /// Per second of speech.
    var bitsPerSecond: Double { Double(byteCount) * 8 * 48_000 / Double(max(samples.count, 1)) }
    func share(_ count: Int) -> Double { Double(count) / Double(max(samples.count, 1)) }
  }

  static let bitsPerSecond = 32_000
  private static let tick = Interval.milliseconds(Int64(AudioFormat.millisecondsPerTick))

  var pattern = LossPattern.random(percent: 0)
  var lateness = Lateness.even(milliseconds: 8)
  var protection = LossProtection.concealment
  /// What the line takes at least.
  var transit = Interval.milliseconds(30)
  let seed: UInt64

  func carry(_ speech: [Int16]) throws -> Reception {
    // Silence behind it, so that nothing is made up for its end.
    let packets = try encode(speech + [Int16](repeating: 0, count: AudioFormat.samplesPerTick * 15))
    return try receive(arrivals(of: packets), sent: packets)
  }

  private func encode(_ speech: [Int16]) throws -> [FrameBuffer] {
    let loss = protection.expectedLoss(pattern)
    return try Self.packets(
      speech,
      // As in our mixes, no bits go to frequencies from 8 kHz on, of which the recordings have none.
      settings: .init(
        bitsPerSecond: Self.bitsPerSecond, hasFEC: loss != nil, expectedLossPercent: loss ?? 0, isFullBand: false))
  }

  static func packets(
    _ speech: [Int16], application: OpusEncoder.Application = .speech, settings: OpusEncoder.Settings
  ) throws -> [FrameBuffer] {
    let encoder = try OpusEncoder(channelCount: 1, application: application, settings: settings)
    let tick = AudioFormat.samplesPerTick
    return try (0..<speech.count / tick).map { index in
      var packet: [UInt8] = []
      let samples = Array(speech[index * tick..<(index + 1) * tick])
      _ = try encoder.encode(samples.span, into: &packet)
      return FrameBuffer(packet)
    }
  }

  static func frame(_ packets: [FrameBuffer], _ index: Int, at time: Instant) -> EncodedFrame {
    EncodedFrame(
      codec: .opus, payload: packets[index],
      timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: index * AudioFormat.samplesPerTick)), sequence: Int64(index),
      time: time)
  }

  /// The frames that come, in order of their coming: with each packet first those it repeats, as an RTP receiver hands them on.
  private func arrivals(of packets: [FrameBuffer]) -> [EncodedFrame] {
    let losses = pattern.losses(packets.count, seed: seed)
    var random = SeededRandom(seed: seed &+ 1_000)
    let delays = lateness.delays(packets.count, &random)
    var frames: [EncodedFrame] = []
    for index in packets.indices {
      let time = Instant.zero + Self.tick * Int64(index + 1) + transit + delays[index]
      guard !losses[index] else { continue }
      for number in max(index - protection.repeatedCount, 0)...index { frames.append(Self.frame(packets, number, at: time)) }
    }
    frames.sort { ($0.time, $0.sequence) < ($1.time, $1.sequence) }
    return frames
  }

  private func receive(_ arrivals: [EncodedFrame], sent packets: [FrameBuffer]) throws -> Reception {
    var reception = Reception()
    var buffer = PlayoutBuffer()
    var receiver = try OpusReceiver(channelCount: 1)
    var steps: [PlayoutStep] = []
    var samples = [Int16](repeating: 0, count: AudioFormat.samplesPerTick)
    var next = 0
    var (delay, playing) = (0.0, 0)
    for number in packets.indices {
      let now = Instant.zero + Self.tick * Int64(number)
      while next < arrivals.count, arrivals[next].time <= now {
        buffer.insert(arrivals[next])
        next += 1
      }
      steps.removeAll(keepingCapacity: true)
      buffer.pull(at: now, into: &steps)
      for step in steps {
        receiver.carryOut(step)
        note(step, in: &reception)
      }
      var room = samples.mutableSpan
      _ = receiver.take(into: &room)
      buffer.measuredLevel = LevelMeter.level(of: samples.span)
      reception.samples += samples
      guard buffer.isPlaying else { continue }
      delay += buffer.statistics.delay.milliseconds
      playing += 1
    }
    reception.delayMilliseconds = delay / Double(max(playing, 1))
    let statistics = buffer.statistics
    reception.stretchedSamples = statistics.expandedSamples + statistics.acceleratedSamples
    for index in packets.indices {
      for number in max(index - protection.repeatedCount, 0)...index { reception.byteCount += packets[number].count }
    }
    return reception
  }

  /// Notes what was made up.
  private func note(_ step: PlayoutStep, in reception: inout Reception) {
    guard case .conceal(let count, let following) = step else { return }
    // It covers the frame just before its packet, and no more.
    let recovered = following?.payload.hasRedundancy == true ? min(count, AudioFormat.samplesPerTick) : 0
    reception.recoveredSamples += recovered
    reception.concealedSamples += count - recovered
  }
}

extension FrameBuffer {
  /// Whether a packet of 20 ms holds a coarse copy of the frame before: SILK's LBRR flag (RFC 6716 section 4.2.3), behind the one
  /// for voice; packets of CELT alone have neither.
  fileprivate var hasRedundancy: Bool { count > 1 && bytes[0] & 0x80 == 0 && bytes[1] >> 6 & 1 == 1 }
}
