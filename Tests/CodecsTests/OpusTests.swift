import Codecs
import EncodedMedia
import TestSupport
import Testing

@Suite struct OpusTests {
  /// Encodes whole frames; nil where the encoder said that nothing is to be sent.
  private func packets(_ samples: [Int16], with encoder: OpusEncoder) throws -> [[UInt8]?] {
    let size = 960 * encoder.channelCount
    return try stride(from: 0, to: samples.count / size * size, by: size).map { start in
      var bytes: [UInt8] = [7]
      let frame = Array(samples[start..<(start + size)])
      switch try encoder.encode(frame.span, into: &bytes) {
      case .packet(let count):
        #expect(bytes.count == count + 1 && bytes[0] == 7)
        return Array(bytes.dropFirst())
      case .discontinuous:
        #expect(bytes == [7])
        return nil
      }
    }
  }

  private func decode(_ packet: [UInt8], with decoder: OpusDecoder) throws -> [Int16] {
    var output = [Int16](repeating: 0, count: OpusDecoder.samplesPerPacketMax * decoder.channelCount)
    var room = output.mutableSpan
    let count = try decoder.decode(packet.span, into: &room)
    return Array(output.prefix(count * decoder.channelCount))
  }

  @Test func aToneSurvivesTheRoundTrip() throws {
    let encoder = try OpusEncoder(channelCount: 1, settings: .init(bitsPerSecond: 64_000))
    let decoder = try OpusDecoder(channelCount: 1)
    let sent = try packets(Tone.sine(1_000, count: 48_000), with: encoder)
    let heard = try sent.flatMap { try decode($0 ?? [], with: decoder) }
    #expect(heard.count == 48_000)
    #expect(encoder.lookaheadSamples == 312)
    let (tone, rest) = Tone.analyze(heard[9_600...], hertz: 1_000)
    #expect(Tone.decibels(tone / rest) > 25)
    #expect(abs(Tone.decibels(tone / (10_000 * 10_000 / 2))) < 1)
  }

  @Test func stereoKeepsItsSidesApart() throws {
    let encoder = try OpusEncoder(channelCount: 2, settings: .init(bitsPerSecond: 96_000))
    let decoder = try OpusDecoder(channelCount: 2)
    let (left, right) = (Tone.sine(440, count: 48_000), Tone.sine(1_320, count: 48_000))
    let sent = try packets(zip(left, right).flatMap { [$0, $1] }, with: encoder)
    let heard = try sent.flatMap { try decode($0 ?? [], with: decoder) }
    let sides = (0...1).map { side in stride(from: 19_200 + side, to: heard.count, by: 2).map { heard[$0] } }
    #expect(Tone.decibels(Tone.analyze(sides[0], hertz: 440).tone / Tone.analyze(sides[0], hertz: 1_320).tone) > 20)
    #expect(Tone.decibels(Tone.analyze(sides[1], hertz: 1_320).tone / Tone.analyze(sides[1], hertz: 440).tone) > 20)
    let first = try #require(sent[20])
    #expect(OpusPacket.channelCount(ofBytes: first) == 2)
  }

  @Test func aDecoderAnswersInTheChannelsItWasMadeFor() throws {
    let mono = try packets(Tone.sine(440, count: 9_600), with: OpusEncoder(channelCount: 1))
    let decoder = try OpusDecoder(channelCount: 2)
    let heard = try mono.flatMap { try decode($0 ?? [], with: decoder) }
    #expect(heard.count == 2 * 9_600)
    #expect(stride(from: 0, to: heard.count, by: 2).allSatisfy { heard[$0] == heard[$0 + 1] })
  }

  @Test func redundancyRecoversALostFrameBetterThanConcealment() throws {
    let settings = OpusEncoder.Settings(bitsPerSecond: 32_000, hasFEC: true, expectedLossPercent: 20)
    let sent = try packets(Tone.voice(count: 96_000), with: OpusEncoder(channelCount: 1, settings: settings))
    let clean = try OpusDecoder(channelCount: 1)
    let (recovering, concealing) = (try OpusDecoder(channelCount: 1), try OpusDecoder(channelCount: 1))
    var (recoveredError, concealedError, withFEC) = (0.0, 0.0, 0)
    for index in sent.indices.dropLast() {
      let packet = try #require(sent[index])
      let truth = try decode(packet, with: clean)
      guard index % 6 == 5 else {
        _ = try decode(packet, with: recovering)
        _ = try decode(packet, with: concealing)
        continue
      }
      let following = try #require(sent[index + 1])
      if OpusRedundancy.hasFEC(bytes: following) { withFEC += 1 }
      var (a, b) = ([Int16](repeating: 0, count: 960), [Int16](repeating: 0, count: 960))
      var roomA = a.mutableSpan
      var roomB = b.mutableSpan
      let recovered = try recovering.recover(960, from: following.span, into: &roomA)
      let concealed = try concealing.conceal(960, into: &roomB)
      #expect(recovered == 960 && concealed == 960)
      recoveredError += Tone.squaredError(a, truth)
      concealedError += Tone.squaredError(b, truth)
    }
    #expect(withFEC >= 10)
    #expect(recoveredError < concealedError / 3)
  }

  @Test(
    arguments: [1, 5, 10, 20, 30],
    [(24_000, false), (31_000, false), (32_000, false), (64_000, false), (32_000, true), (64_000, true)])
  func whatIsToldOfALossIsEnoughForCopies(percent: Int, kind: (bits: Int, isFullBand: Bool)) throws {
    let told = OpusEncoder.expectedLoss(covering: percent, bitsPerSecond: kind.bits, isFullBand: kind.isFullBand)
    let settings = OpusEncoder.Settings(
      bitsPerSecond: kind.bits, hasFEC: true, expectedLossPercent: told, model: .voice, isFullBand: kind.isFullBand)
    let sent = try packets(
      Tone.voice(count: 96_000), with: OpusEncoder(channelCount: 1, application: .music, settings: settings))
    #expect(sent.count { OpusRedundancy.hasFEC(bytes: $0 ?? []) } > sent.count / 4)
  }

  @Test func packetsWithoutRedundancySaySo() throws {
    let settings = OpusEncoder.Settings(bitsPerSecond: 32_000, hasFEC: false, expectedLossPercent: 0)
    let sent = try packets(Tone.voice(count: 48_000), with: OpusEncoder(channelCount: 1, settings: settings))
    #expect(sent.allSatisfy { !OpusRedundancy.hasFEC(bytes: ($0 ?? [])) })
  }

  @Test func silenceUnderDTXIsNotSent() throws {
    let settings = OpusEncoder.Settings(bitsPerSecond: 24_000, hasFEC: false, expectedLossPercent: 0, hasDTX: true)
    let encoder = try OpusEncoder(channelCount: 1, settings: settings)
    let voiced = try packets(Tone.voice(count: 48_000), with: encoder)
    #expect(voiced.allSatisfy { $0 != nil })
    let silent = try packets([Int16](repeating: 0, count: 96_000), with: encoder)
    #expect(silent.filter { $0 == nil }.count > 70)
    #expect(silent.suffix(50).contains { $0 != nil }, "one in 400 ms keeps the stream alive")
  }

  @Test func settingsTakeEffectWhileEncoding() throws {
    let encoder = try OpusEncoder(channelCount: 1, settings: .init(bitsPerSecond: 64_000))
    let voice = Tone.voice(count: 96_000)
    let rich = try packets(Array(voice[..<48_000]), with: encoder).reduce(0) { $0 + ($1?.count ?? 0) }
    encoder.settings.bitsPerSecond = 16_000
    let lean = try packets(Array(voice[48_000...]), with: encoder).reduce(0) { $0 + ($1?.count ?? 0) }
    #expect(lean < rich / 2)
  }

  @Test func aFrameOfTheWrongSizeIsRefused() throws {
    let encoder = try OpusEncoder(channelCount: 2)
    var bytes: [UInt8] = []
    let frame = [Int16](repeating: 0, count: 960)
    #expect(throws: CodecError.wrongSize) { try encoder.encode(samples: frame, into: &bytes) }
    #expect(throws: CodecError.wrongSize) { try OpusEncoder(channelCount: 3) }
    #expect(bytes.isEmpty)
  }

  @Test func brokenPacketsThrowAndLeaveTheDecoderUsable() throws {
    var random = SeededRandom(seed: 3)
    let sent = try packets(Tone.voice(count: 9_600), with: OpusEncoder(channelCount: 1))
    let packet = try #require(sent[5])
    let decoder = try OpusDecoder(channelCount: 2)
    for length in 0...packet.count {
      let cut = Array(packet.prefix(length))
      _ = OpusRedundancy.hasFEC(bytes: cut)
      _ = OpusPacket.sampleCount(ofBytes: cut)
      _ = try? decode(cut, with: decoder)
    }
    for _ in 0..<2_000 {
      let noise = (0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = OpusRedundancy.hasFEC(bytes: noise)
      _ = try? decode(noise, with: decoder)
      var output = [Int16](repeating: 0, count: 1_920)
      var room = output.mutableSpan
      _ = try? decoder.recover(960, from: noise.span, into: &room)
    }
    #expect(throws: CodecError.malformed) { try decode([], with: decoder) }
    #expect(throws: CodecError.malformed) { try decode([0x4B, 0x3F, 0, 0], with: decoder) }
    let heard = try decode(packet, with: decoder)
    #expect(heard.count == 1_920)
  }

  @Test func aPacketLongerThanTheRoomIsRefused() throws {
    let sent = try packets(Tone.voice(count: 960), with: OpusEncoder(channelCount: 1))
    let packet = try #require(sent[0])
    let decoder = try OpusDecoder(channelCount: 1)
    var output = [Int16](repeating: 0, count: 480)
    #expect(throws: CodecError.wrongSize) {
      var room = output.mutableSpan
      _ = try decoder.decode(packet.span, into: &room)
    }
  }

  @Test func encodingAndDecodingAllocateNothing() throws {
    let encoder = try OpusEncoder(channelCount: 1)
    let decoder = try OpusDecoder(channelCount: 1)
    let frame = Tone.voice(count: 960)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(2 * OpusEncoder.packetSizeMax)
    var output = [Int16](repeating: 0, count: 5_760)
    let count = try allocations {
      for _ in 0..<50 {
        bytes.removeAll(keepingCapacity: true)
        _ = try encoder.encode(frame.span, into: &bytes)
        var room = output.mutableSpan
        _ = try decoder.decode(bytes.span, into: &room)
        _ = try decoder.conceal(960, into: &room)
      }
    }
    #expect(count == 0)
  }
}
