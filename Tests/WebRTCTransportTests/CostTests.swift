import Bytes
import EncodedMedia
import RTP
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// What a participant may cost the server who has its keys and means no good.
@Suite struct CostTests {
  @Test func oneDatagramOfNacksIsAnsweredWithFiveHundredPacketsAtMost() throws {
    let observer = TestObserver()
    let (simulation, client) = try makeCall(seed: 71, observer: observer)
    var sent: [(source: SSRC, number: SequenceNumber)] = []
    simulation.tap = { datagram, from, _ in
      // Datagrams so long are of pictures. Of what RTP has in the clear only the length of the padding is encrypted.
      if from == Simulation.serverAddress, datagram.count > 900, let source = datagram.span.bigEndianUInt32(at: 8),
        let number = datagram.span.bigEndianUInt16(at: 2)
      {
        sent.append((SSRC(source), SequenceNumber(number)))
      }
      return false
    }
    for index in 0..<60 {
      let frame = TestFrames.video(index, at: simulation.now, isKeyframe: index == 0, byteCount: 13_000)
      simulation.execute(.send(frame, OutputID(2)))
      simulation.run(for: .milliseconds(10))
    }
    let first = try #require(sent.first)
    try #require(sent.count == 720 && sent.allSatisfy { $0.source == first.source })
    sent.removeAll()
    client.session.sendRTCP(into: &client.outputs) { _, writer in
      // In three NACKs: together they count, not each for itself.
      for part in 0..<3 {
        let lost = (0..<240).map { first.number + part * 240 + $0 }
        writer.nack(sender: SSRC(1), media: first.source, lost: lost.span)
      }
    }
    simulation.run(for: .milliseconds(50))
    #expect(sent.count == 512 && sent.allSatisfy { $0.source != first.source })
    // Who really lost so many asks again for the rest.
    sent.removeAll()
    client.session.sendRTCP(into: &client.outputs) { _, writer in
      writer.nack(sender: SSRC(1), media: first.source, lost: (512..<720).map { first.number + $0 }.span)
    }
    simulation.run(for: .milliseconds(50))
    #expect(sent.count == 208)
  }

  /// A client whose sound and pictures come from other sources each time it is asked.
  private func change(_ client: TestClient, _ setup: PeerSetup, to number: UInt32, at now: Instant) {
    var changed = setup
    for index in changed.session.media.indices {
      changed.session.media[index].localSource?.ssrc = 1_000 &* number &+ UInt32(index)
    }
    client.session.update(changed, at: now)
  }

  private func join(_ simulation: Simulation, _ observer: TestObserver) throws -> (TestClient, PeerSetup) {
    var setup: PeerSetup?
    let client = try simulation.join(observer: observer) { call in setup = call.client }
    try #require(simulation.connectAll())
    return (client, try #require(setup))
  }

  @Test func aChangeOfSourceIsTakenAtOnce() throws {
    let simulation = Simulation(seed: 72)
    let observer = TestObserver()
    let (client, setup) = try join(simulation, observer)
    for number in 0..<10 {
      if number == 5 { change(client, setup, to: 7, at: simulation.now) }
      client.send(TestFrames.audio(number, at: simulation.now), at: simulation.now)
      client.send(TestFrames.video(number, at: simulation.now, isKeyframe: number == 5, byteCount: 500), at: simulation.now)
      simulation.run(for: .milliseconds(20))
    }
    #expect(observer.frames(.audio).count == 10)
    #expect(observer.frames(.audio).suffix(5).allSatisfy { $0.source.rawValue / 1_000 == 7 })
    #expect(observer.frames(.video).count == 5 && observer.statistics.datagramsRefused == 0)
  }

  @Test func sourcesThatTakeTurnsReplaceEachOtherFiveTimesASecondAtMost() throws {
    let simulation = Simulation(seed: 73)
    let observer = TestObserver()
    let (client, setup) = try join(simulation, observer)
    let requests = client.keyframeRequests.count
    for number in 1...16 as ClosedRange<UInt32> {
      // Never a keyframe, and each packet from a source of its own.
      change(client, setup, to: number, at: simulation.now)
      client.send(TestFrames.audio(Int(number), at: simulation.now), at: simulation.now)
      client.send(TestFrames.video(Int(number), at: simulation.now, isKeyframe: false, byteCount: 500), at: simulation.now)
      simulation.run(for: .milliseconds(60))
    }
    // The first one's place is taken at once, and then not for 200 ms.
    #expect(observer.frames(.audio).map { $0.source.rawValue / 1_000 } == [1, 2, 6, 10, 14])
    // Keyframes are asked for at their own pace, however often the source changes.
    let asked = client.keyframeRequests.count - requests
    #expect(asked >= 1 && asked <= 2, "\(asked) requests")
    // The last of them is taken once it goes on.
    simulation.run(for: .seconds(3))
    #expect(observer.statistics.datagramsRefused == 2 * 11)
    client.send(TestFrames.audio(17, at: simulation.now), at: simulation.now)
    simulation.run(for: .milliseconds(50))
    #expect(observer.frames(.audio).last?.source == SSRC(16_000))
  }
}
