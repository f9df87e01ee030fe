import EncodedMedia
import Playout
import TestSupport
import Testing
import Timing

/// What a stream may change into on its way.
@Suite struct ChangingStreamTests {
  @Test func anotherSSRCIsANewStreamAtOnce() {
    let call = Call()
    call.stream(seconds: 2) { _ in Fate() }
    // Numbers that would go on behind, before and far off those of the old stream.
    var source: UInt32 = 1
    for (sequence, timestamp) in [(60, 5_000), (170, 99 * 960), (1_000, 4_000_000_000)] as [(Int64, UInt32)] {
      let start = call.now
      source += 1
      call.stream(seconds: 1, firstSequence: sequence, firstTimestamp: timestamp, source: source) { _ in Fate() }
      let first = call.played.first { $0.time > start + .milliseconds(30) && $0.source == SSRC(source) }
      #expect((first?.time ?? .distantFuture) - start < .milliseconds(130))
      #expect(call.played.suffix(40).allSatisfy { $0.source == SSRC(source) })
    }
    #expect(call.statistics.resets == 3 && call.statistics.late == 0)
  }

  @Test func stragglersOfTheFormerSourceAreDropped() {
    let call = Call()
    call.stream(seconds: 1) { Fate(delay: .milliseconds($0 == 49 ? 90 : 30)) }
    call.stream(seconds: 1, firstSequence: 9_000, firstTimestamp: 77, source: 5) { _ in Fate() }
    #expect(call.statistics.resets == 1 && call.statistics.late == 1)
    #expect(call.played.filter { $0.source == SSRC(5) }.count > 45)
  }

  @Test func packetsMayChangeTheirLength() {
    let call = Call()
    var sequence: Int64 = 0
    var timestamp: UInt32 = 0
    for milliseconds in [20, 60, 10, 120, 20, 40, 10, 60] {
      call.stream(
        seconds: 2.4, milliseconds: milliseconds, firstSequence: sequence, firstTimestamp: timestamp
      ) { _ in Fate(delay: .milliseconds(30 + Int64(milliseconds))) }
      sequence += Int64(2_400 / milliseconds)
      timestamp += 115_200
    }
    #expect(call.isInOrderWithoutDuplicates)
    #expect(call.statistics.lost == 0 && call.statistics.late == 0 && call.statistics.skipped == 0)
    // A longer packet comes as much later, which is heard once each time it first does.
    #expect(call.statistics.underrunSamples <= 8 * 120 * 48)
    #expect(call.keepsPace(packetSamples: 5_760 + 480))
  }

  @Test func theShortestPacketsArePlayedToo() {
    let call = Call()
    // CELT frames of 2.5 ms, one a packet.
    for index in 0..<4_000 {
      let time = at(Double(index) * 0.0025)
      call.run(until: time)
      let frame = EncodedFrame(
        codec: .opus, payload: FrameBuffer([28 << 3] + [UInt8](repeating: 7, count: 30)),
        timestamp: RTPTimestamp(UInt32(index * 120)), sequence: Int64(index), time: time, audioLevel: 30)
      call.send(frame, at: time, Fate())
    }
    let statistics = call.statistics
    #expect(statistics.lost == 0 && statistics.late == 0 && statistics.overflowed == 0)
    #expect(statistics.underrunSamples == 0 && statistics.concealedSamples == 0)
    #expect(statistics.played > 3_940)
    #expect(call.delays(from: at(3)).most < 50)
  }

  @Test func inPausesNothingIsConcealed() {
    var random = SeededRandom(seed: 12)
    let call = Call()
    var sequence: Int64 = 0
    for talkspurt in 0..<20 {
      let start = talkspurt * 2_000
      for index in 0..<50 {
        call.run(until: at(Double(start + index * 20) / 1_000))
        // Sound, then what an encoder sends in silence: a packet of one byte, and another every 400 ms.
        if index >= 30, index % 20 != 10 { continue }
        let frame = Call.packet(
          milliseconds: 20, sequence: sequence, timestamp: UInt32((start + index * 20) * 48), level: nil,
          byteCount: index < 30 ? 40 : 1)
        sequence += 1
        // Some of what is sent in silence is lost, as is the packet that ends it.
        let isLost = index >= 30 && Bool.random(using: &random) && index > 30
        call.send(frame, at: call.now, Fate(isLost: isLost))
      }
    }
    call.run(until: at(41))
    #expect(call.statistics.underrunSamples == 0 && call.statistics.concealedSamples == 0)
    #expect(call.statistics.played >= 20 * 31)
  }

  @Test func aCopyThatComesBeforeItIsDueIsPlayedInPlaceOfRedundancy() {
    let call = Call(settings: .init(delayMin: .milliseconds(100), delayInitial: .milliseconds(100)))
    // Frame 100 comes 60 ms late, behind 101 to 103.
    call.stream(seconds: 4) { Fate(delay: .milliseconds($0 == 100 ? 90 : 30)) }
    #expect(call.statistics.concealedSamples == 0 && call.statistics.lost == 0)
    #expect(call.played.contains { $0.sequence == 100 })
  }

  @Test func theDelayHasAHardCap() {
    let call = Call(settings: .init(delayMax: .milliseconds(200)))
    // A route that becomes shorter by 470 ms.
    call.stream(seconds: 20) { Fate(delay: .milliseconds($0 < 500 ? 500 : 30)) }
    #expect(call.statistics.delayMax <= .milliseconds(260))
    #expect(call.statistics.skipped > 0)
    #expect(call.delays(from: at(15)).most < 60)
    var random = SeededRandom(seed: 3)
    call.stream(seconds: 60, firstSequence: 1_000, firstTimestamp: 960_000) { _ in
      Fate(delay: .milliseconds(30 + Int64.random(in: 0...900, using: &random)))
    }
    #expect(call.statistics.target <= .milliseconds(200))
  }
}
