import Codecs
import EncodedMedia
import TestSupport
import Testing
import Timing

@Suite struct OpusReceiverTests {
  private func frame(_ bytes: [UInt8]) -> EncodedFrame {
    EncodedFrame(codec: .opus, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), time: .zero)
  }

  /// 20 ms packets of a tone.
  private func packets(_ count: Int, hertz: Double = 500) throws -> [[UInt8]] {
    let encoder = try OpusEncoder(channelCount: 1, settings: .init(bitsPerSecond: 48_000, hasFEC: false))
    return try (0..<count).map { index in
      var bytes: [UInt8] = []
      _ = try encoder.encode(samples: Tone.sine(hertz, count: 960, from: index * 960), into: &bytes)
      return bytes
    }
  }

  /// Packs frames of one configuration into a packet (RFC 6716 section 3.2.5, code 3 with lengths).
  private func join(_ packets: [[UInt8]]) -> [UInt8] {
    var joined: [UInt8] = [packets[0][0] | 3, 0x80 | UInt8(packets.count)]
    for packet in packets.dropLast() {
      let length = packet.count - 1
      if length < 252 {
        joined.append(UInt8(length))
      } else {
        joined.append(UInt8(252 + length & 3))
        joined.append(UInt8((length - 252 - length & 3) / 4))
      }
    }
    for packet in packets { joined += packet.dropFirst() }
    return joined
  }

  private func take(_ receiver: inout OpusReceiver) -> (samples: [Int16], isAudible: Bool) {
    var samples = [Int16](repeating: 99, count: 960 * receiver.channelCount)
    var room = samples.mutableSpan
    let isAudible = receiver.take(into: &room)
    return (samples, isAudible)
  }

  @Test func longPacketsAreSlicedIntoTicks() throws {
    let singles = try packets(60)
    // The encoder settles on one configuration after some frames.
    let steady = singles.filter { $0[0] == singles[30][0] }
    var receiver = try OpusReceiver(channelCount: 1)
    var heard: [Int16] = []
    for start in stride(from: 0, to: steady.count / 3 * 3, by: 3) {
      let packet = join(Array(steady[start..<(start + 3)]))
      #expect(OpusPacket.sampleCount(ofBytes: packet) == 2_880)
      receiver.play(frame(packet), sampleCount: 2_880)
      for _ in 0..<3 { heard += take(&receiver).samples }
    }
    #expect(receiver.malformedCount == 0)
    let (tone, rest) = Tone.analyze(heard.dropFirst(9_600), hertz: 500)
    #expect(Tone.decibels(tone / rest) > 20)
  }

  @Test func whatIsMissingIsSilence() throws {
    var receiver = try OpusReceiver(channelCount: 2)
    let (samples, isAudible) = take(&receiver)
    #expect(samples.allSatisfy { $0 == 0 })
    #expect(!isAudible)
  }

  @Test func aBrokenFrameIsConcealedForItsLength() throws {
    let sent = try packets(20)
    var receiver = try OpusReceiver(channelCount: 1)
    for (index, packet) in sent.enumerated() {
      receiver.play(frame(index == 15 ? [0x4B, 0x3F, 0, 0] : packet), sampleCount: 960)
      let (samples, isAudible) = take(&receiver)
      #expect(isAudible)
      if index == 15 { #expect(Tone.analyze(samples, hertz: 500).tone > 1e6, "the tone goes on") }
    }
    #expect(receiver.malformedCount == 1)
  }

  @Test func cuttingAFrameOutLeavesNoClick() throws {
    // 500 Hz: a whole number of periods in 20 ms, so that the seam is smooth but for what a fault would add.
    let sent = try packets(40)
    var receiver = try OpusReceiver(channelCount: 1)
    var heard: [Int16] = []
    var index = 0
    while index < sent.count {
      if index == 20 {
        receiver.play(frame(sent[index]), sampleCount: 960, cutting: 960)
        index += 1
      }
      receiver.play(frame(sent[index]), sampleCount: 960)
      heard += take(&receiver).samples
      index += 1
    }
    #expect(heard.count == 39 * 960)
    let step = zip(heard.dropFirst(4_800), heard.dropFirst(4_801)).map { abs(Int($0) - Int($1)) }.max() ?? 0
    #expect(step < 1_000, "a 500 Hz tone of this level moves by 655 a sample")
  }

  @Test func soundFadesIntoSilence() throws {
    var receiver = try OpusReceiver(channelCount: 1)
    for packet in try packets(20) {
      receiver.play(frame(packet), sampleCount: 960)
      _ = take(&receiver)
    }
    receiver.silence(960)
    let (samples, isAudible) = take(&receiver)
    #expect(isAudible)
    #expect(samples.prefix(100).contains { abs(Int($0)) > 1_000 })
    #expect(samples.suffix(700).allSatisfy { $0 == 0 })
    receiver.silence(960)
    #expect(!take(&receiver).isAudible)
  }

  @Test func aTickAllocatesNothing() throws {
    let frames = try packets(30).map(frame)
    var receiver = try OpusReceiver(channelCount: 2)
    var samples = [Int16](repeating: 0, count: 1_920)
    func tick(_ frame: EncodedFrame) {
      receiver.play(frame, sampleCount: 960)
      receiver.conceal(960, following: frame)
      receiver.skip()
      receiver.silence(960)
      for _ in 0..<3 {
        var room = samples.mutableSpan
        _ = receiver.take(into: &room)
      }
    }
    tick(frames[0])
    let count = allocations {
      for frame in frames { tick(frame) }
    }
    #expect(count == 0)
  }

  @Test(arguments: [1, 2]) func monoAndStereoPacketsMayAlternate(channelCount: Int) throws {
    let encoders = try (1...2).map { try OpusEncoder(channelCount: $0, settings: .init(bitsPerSecond: 64_000, hasFEC: false)) }
    var receiver = try OpusReceiver(channelCount: channelCount)
    var heard: [Int16] = []
    for index in 0..<200 {
      let kind = index / 25 % 2
      let samples = Tone.sine(500, count: 960, from: index * 960).flatMap { [Int16](repeating: $0, count: kind + 1) }
      var bytes: [UInt8] = []
      _ = try encoders[kind].encode(samples: samples, into: &bytes)
      #expect(OpusPacket.channelCount(ofBytes: bytes) == kind + 1)
      receiver.play(frame(bytes), sampleCount: 960, cutting: index % 10 == 9 ? 240 : 0)
      if index % 10 == 4 { receiver.expand(240) }
      heard += take(&receiver).samples
    }
    let malformed = receiver.malformedCount
    #expect(malformed == 0)
    let left = stride(from: 9_600 * channelCount, to: heard.count, by: channelCount).map { heard[$0] }
    let step = zip(left, left.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
    #expect(step < 1_500, "a 500 Hz tone of this level moves by 655 a sample")
    let quiet = stride(from: 0, to: left.count - 960, by: 960).filter { start in
      left[start..<start + 960].reduce(0) { $0 + Double($1) * Double($1) } < 960 * 4e6
    }
    #expect(quiet.isEmpty)
  }

  // MARK: Stretching

  /// Hears packets, asking for what `ask` says before each: samples to put in, or below zero to take out. As a playout buffer
  /// does, takes in a packet only when the ticks before have used up what was handed out.
  private func hear(
    _ packets: [[UInt8]], channelCount: Int = 1, ask: (Int) -> Int
  ) throws -> (samples: [Int16], surplusMin: Int, surplusMax: Int, surplus: Int) {
    var receiver = try OpusReceiver(channelCount: channelCount)
    var heard: [Int16] = []
    var carry = 0
    var (least, most) = (0, 0)
    for (index, packet) in packets.enumerated() {
      let change = ask(index)
      if change > 0 { receiver.expand(change) }
      receiver.play(frame(packet), sampleCount: 960, cutting: max(-change, 0))
      carry += 960 + change
      while carry >= 960 {
        heard += take(&receiver).samples
        carry -= 960
      }
      let surplus = receiver.surplus
      (least, most) = (min(least, surplus), max(most, surplus))
    }
    let surplus = receiver.surplus
    return (heard, least, most, surplus)
  }

  @Test(arguments: [175.0, 275, 450, 500, 1_325], [-240, 240])
  func aToneIsStretchedWithoutAClick(hertz: Double, change: Int) throws {
    let sent = try packets(400, hertz: hertz)
    let heard = try hear(sent) { $0 > 20 && $0 % 3 == 0 ? change : 0 }
    // 126 times 5 ms, in whole ticks.
    #expect(abs(heard.samples.count - 400 * 960 - 126 * change) < 960)
    #expect(heard.surplusMin >= -480 && heard.surplusMax <= 960)
    let sounding = heard.samples.dropFirst(4_800)
    let step = zip(sounding, sounding.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
    #expect(Double(step) < 10_000 * 2 * .pi * hertz / 48_000 * 1.25)
    // The pitch is kept: nothing but the tone in any 40 ms, whatever its phase there, but for the least of the seams.
    let starts = stride(from: sounding.startIndex, to: sounding.endIndex - 1_920, by: 960)
    let shares = starts.map { start in
      let (tone, rest) = Tone.analyze(sounding[start..<start + 1_920], hertz: hertz)
      return tone / (tone + rest)
    }
    #expect((shares.min() ?? 0) > 0.97)
    #expect(shares.reduce(0, +) / Double(shares.count) > 0.995)
  }

  @Test(arguments: [1, 2], [-240, 240])
  func aVoiceIsStretchedByWholePeriodsToTheExactLength(channelCount: Int, change: Int)
    throws
  {
    let encoder = try OpusEncoder(channelCount: channelCount, settings: .init(bitsPerSecond: 64_000, hasFEC: false))
    let voice = Tone.voice(count: 400 * 960)
    let sent = try (0..<400).map { index in
      var bytes: [UInt8] = []
      let samples = voice[index * 960..<(index + 1) * 960].flatMap { [Int16](repeating: $0, count: channelCount) }
      _ = try encoder.encode(samples: samples, into: &bytes)
      return bytes
    }
    let heard = try hear(sent, channelCount: channelCount) { $0 > 20 && $0 % 3 == 0 ? change : 0 }
    #expect(abs(heard.samples.count / channelCount - 400 * 960 - 126 * change) < 960)
    #expect(heard.surplusMin >= -480 && heard.surplusMax <= 960)
    // What is heard moves no faster than the voice itself.
    let plain = try hear(sent, channelCount: channelCount) { _ in 0 }
    #expect(plain.surplusMin == 0 && plain.surplusMax == 0)
    func steepest(_ samples: [Int16]) -> Int {
      zip(samples, samples.dropFirst(channelCount)).map { abs(Int($0) - Int($1)) }.max() ?? 0
    }
    #expect(steepest(heard.samples) <= steepest(plain.samples) * 5 / 4)
    let again = try hear(sent, channelCount: channelCount) { $0 > 20 && $0 % 3 == 0 ? change : 0 }
    #expect(again.samples == heard.samples)
  }

  @Test func inSilenceWhatIsOwedIsMadeGoodAtOnce() throws {
    let encoder = try OpusEncoder(channelCount: 1, settings: .init(hasFEC: false))
    let sent = try (0..<60).map { _ in
      var bytes: [UInt8] = []
      _ = try encoder.encode(samples: [Int16](repeating: 0, count: 960), into: &bytes)
      return bytes
    }
    for change in [-480, -360, -120, 120, 360, 480] {
      #expect(try hear(sent) { $0 == 40 ? change : 0 }.surplus == 0)
    }
    // Silence without a packet takes it up as well.
    var receiver = try OpusReceiver(channelCount: 1)
    receiver.play(frame(sent[0]), sampleCount: 960, cutting: 480)
    receiver.silence(960)
    let surplus = receiver.surplus
    #expect(surplus == 0)
  }

  @Test func moreThanCanBeOwedIsConcealed() throws {
    var receiver = try OpusReceiver(channelCount: 1)
    let sent = try packets(10)
    for packet in sent {
      receiver.play(frame(packet), sampleCount: 960)
      _ = take(&receiver)
    }
    for _ in 0..<8 { receiver.expand(480) }
    let before = receiver.surplus
    #expect(before >= -480)
    for _ in 0..<4 {
      let (samples, isAudible) = take(&receiver)
      #expect(isAudible)
      #expect(samples.count == 960)
    }
    receiver.expand(.max)
    receiver.expand(-5)
    receiver.play(frame(sent[0]), sampleCount: 960, cutting: .max)
    receiver.play(frame(sent[0]), sampleCount: 960, cutting: -7)
    for _ in 0..<20 { _ = take(&receiver) }
  }

  @Test func stretchingAllocatesNothing() throws {
    let frames = try packets(60).map(frame)
    var receiver = try OpusReceiver(channelCount: 1)
    var samples = [Int16](repeating: 0, count: 960)
    func run() {
      for (index, frame) in frames.enumerated() {
        if index % 6 == 0 { receiver.expand(240) }
        receiver.play(frame, sampleCount: 960, cutting: index % 6 == 3 ? 240 : 0)
        var room = samples.mutableSpan
        _ = receiver.take(into: &room)
      }
    }
    run()
    let count = allocations { run() }
    #expect(count == 0)
  }
}
