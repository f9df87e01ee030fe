import EncodedMedia
import ICE
import SDP
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// Video only without retransmissions, and nothing that names lost packets.
let plainVideo = MediaCapabilities(
  audio: [.opus()],
  video: [CodecCapability(name: "VP8", clockRate: 90_000, feedback: [.pli, .fir], retransmission: false)])

/// NACK, and lost packets sent again under their own numbers.
let videoWithoutRTX = MediaCapabilities(
  audio: [.opus()],
  video: [CodecCapability(name: "VP8", clockRate: 90_000, feedback: [.nack, .pli], retransmission: false)])

/// Sends 30 frames of video and 50 of audio a second both ways; with an observer, keyframes where they are asked for.
func exchange(
  _ simulation: Simulation, _ client: TestClient, seconds: Int, keyframeEvery: Int = 1000, observer: TestObserver? = nil
) {
  let start = simulation.now
  var (audio, video) = (0, 0)
  var answered = (client.keyframeRequests.count, observer?.keyframeRequests.count ?? 0)
  while simulation.now - start < .seconds(Int64(seconds)) {
    let elapsed = simulation.now - start
    if elapsed >= .milliseconds(20) * Int64(audio) {
      let frame = TestFrames.audio(audio, at: simulation.now)
      client.send(frame, at: simulation.now)
      simulation.execute(.send(frame, OutputID(1)))
      audio += 1
    }
    if elapsed >= .nanoseconds(33_333_333) * Int64(video) {
      var isKeyframe = video % keyframeEvery == 0
      if let observer, answered != (client.keyframeRequests.count, observer.keyframeRequests.count) {
        answered = (client.keyframeRequests.count, observer.keyframeRequests.count)
        isKeyframe = true
      }
      let frame = TestFrames.video(video, at: simulation.now, isKeyframe: isKeyframe, byteCount: 3000)
      client.send(frame, at: simulation.now)
      simulation.execute(.send(frame, OutputID(2)))
      video += 1
    }
    simulation.run(for: .milliseconds(1))
  }
}

/// A client that receives both outputs, connected.
func makeCall(
  link: Link = Link(), seed: UInt64, capabilities: MediaCapabilities = .client, observer: TestObserver = TestObserver()
) throws -> (Simulation, TestClient) {
  let simulation = Simulation(link: link, seed: seed)
  let client = try simulation.join(capabilities: capabilities, observer: observer)
  try #require(simulation.connectAll())
  simulation.execute(.subscribe(client.id, .audio, OutputID(1)))
  simulation.execute(.subscribe(client.id, .video, OutputID(2)))
  return (simulation, client)
}

func payloads(_ frames: [EncodedFrame]) -> [[UInt8]] { frames.map(\.payload.bytes) }

@Suite struct MediaTests {
  @Test func picturesAreNotedAsTheyPassEitherWay() throws {
    let (simulation, client) = try makeCall(seed: 5)
    client.send(TestFrames.audio(0, at: simulation.now), at: simulation.now)
    simulation.execute(.send(TestFrames.audio(0, at: simulation.now), OutputID(1)))
    simulation.run(for: .milliseconds(50))
    let none = simulation.endpoint.lastPicture
    #expect(none == nil)
    client.send(TestFrames.video(0, at: simulation.now, isKeyframe: true, byteCount: 3000), at: simulation.now)
    simulation.run(for: .milliseconds(50))
    let received = simulation.endpoint.lastPicture
    let came = try #require(received)
    simulation.execute(.send(TestFrames.video(0, at: simulation.now, isKeyframe: true, byteCount: 3000), OutputID(2)))
    let sent = simulation.endpoint.lastPicture
    #expect(sent == simulation.now && simulation.now > came)
  }

  @Test func mediaArriveBitExactBothWays() throws {
    let observer = TestObserver()
    let (simulation, client) = try makeCall(seed: 1, observer: observer)
    exchange(simulation, client, seconds: 2)
    simulation.run(for: .milliseconds(200))
    let audio = (0..<100).map { TestFrames.audio($0, at: .zero).payload.bytes }
    let video = (0..<60).map { TestFrames.video($0, at: .zero, isKeyframe: $0 == 0, byteCount: 3000).payload.bytes }
    #expect(payloads(observer.frames(.audio)) == audio && payloads(client.frames(.audio)) == audio)
    #expect(payloads(observer.frames(.video)) == video && payloads(client.frames(.video)) == video)
    for frames in [observer.frames(.video), client.frames(.video)] {
      #expect(frames.map(\.isKeyframe) == (0..<60).map { $0 == 0 } && !frames.contains { $0.followsGap })
      for (a, b) in zip(frames, frames.dropFirst()) { #expect(b.timestamp.distance(from: a.timestamp) == 3000) }
    }
    #expect(Set(observer.frames.map(\.stream.media)) == [0, 1])
  }

  @Test(arguments: [1, 2, 3]) func retransmissionsRepairFivePercentLoss(seed: Int) throws {
    var link = Link.lossy(0.05)
    link.jitter = .milliseconds(10)
    let observer = TestObserver()
    let (simulation, client) = try makeCall(link: link, seed: UInt64(seed), observer: observer)
    exchange(simulation, client, seconds: 20, observer: observer)
    let statistics = observer.statistics
    simulation.run(for: .seconds(2))
    for frames in [observer.frames(.video), client.frames(.video)] {
      // A loss before the first keyframe is not known for one; later every one is repaired, or nearly.
      #expect(frames.count >= 580, "\(frames.count) of 600")
      for (a, b) in zip(frames, frames.dropFirst()) { #expect(b.timestamp.distance(from: a.timestamp) > 0) }
    }
    #expect(statistics.retransmissionsRequested > 50 && statistics.retransmissionsSent > 50)
    #expect(statistics.fractionLostByPeer > 0 && statistics.fractionLostByPeer < 0.2)
  }

  @Test func aReceiverWithoutRTXIsRepairedUnderTheSameNumbers() throws {
    let observer = TestObserver()
    let (simulation, client) = try makeCall(
      link: .lossy(0.05), seed: 4, capabilities: videoWithoutRTX, observer: observer)
    exchange(simulation, client, seconds: 10, observer: observer)
    simulation.run(for: .seconds(2))
    #expect(observer.frames(.video).count >= 285 && client.frames(.video).count >= 285)
    #expect(observer.statistics.retransmissionsSent > 20)
  }

  @Test func lossThatCannotBeRepairedAsksForAKeyframeAndNotTooOften() throws {
    let observer = TestObserver()
    let (simulation, client) = try makeCall(seed: 5, capabilities: plainVideo, observer: observer)
    simulation.network.link = .lossy(0.05)
    let start = simulation.now
    exchange(simulation, client, seconds: 10)
    let requests = client.keyframeRequests.filter { $0 >= start }
    #expect(requests.count >= 3 && requests.count <= 25)
    for (a, b) in zip(requests, requests.dropFirst()) { #expect(b - a > .milliseconds(400)) }
    // And the other way round: the viewer's requests reach the observer, with the output they are about.
    #expect(observer.keyframeRequests.count >= 3 && observer.keyframeRequests.count <= 25)
    #expect(Set(observer.keyframeRequests) == [OutputID(2)])
  }

  @Test func aKeyframeRequestOfTheMixingSideReachesTheSender() throws {
    let observer = TestObserver()
    let (simulation, client) = try makeCall(seed: 6, observer: observer)
    exchange(simulation, client, seconds: 1)
    let stream = try #require(observer.frames.last { $0.stream.kind == .video }?.stream)
    let before = client.keyframeRequests.count
    for _ in 0..<500 { simulation.execute(.requestKeyframe(client.id, stream)) }
    simulation.run(for: .milliseconds(100))
    #expect(client.keyframeRequests.count == before + 1)
  }

  @Test func reportsTellTheRoundTripAndTheShareLost() throws {
    var link = Link.lossy(0.1)
    link.delay = .milliseconds(40)
    let observer = TestObserver()
    let (simulation, client) = try makeCall(link: link, seed: 7, observer: observer)
    exchange(simulation, client, seconds: 10)
    let server = observer.statistics
    let own = client.session.statistics
    for statistics in [server, own] {
      let roundTrip = try #require(statistics.roundTripTime)
      #expect(roundTrip > .milliseconds(79) && roundTrip < .milliseconds(82), "\(roundTrip.milliseconds) ms")
      #expect(statistics.fractionLostByPeer > 0.02 && statistics.fractionLostByPeer < 0.25)
      #expect(statistics.packetsReceived > 1000 && statistics.packetsSent > 1000)
    }
    #expect(server.datagramsRefused == 0 && own.datagramsRefused == 0)
  }

  @Test func audioThatIsLostComesWithCopiesOnceLossIsReported() throws {
    let observer = TestObserver()
    let (simulation, client) = try makeCall(link: .lossy(0.2), seed: 12, observer: observer)
    exchange(simulation, client, seconds: 10)
    #expect(observer.statistics.redundantCopies == 2 && client.session.statistics.redundantCopies == 2)
    let before = (observer.frames(.audio).count, client.frames(.audio).count)
    exchange(simulation, client, seconds: 20)
    simulation.run(for: .seconds(1))
    // Of a thousand frames, those alone are missing that were lost three times over.
    for count in [observer.frames(.audio).count - before.0, client.frames(.audio).count - before.1] {
      #expect(count >= 970 && count <= 1_003, "\(count)")
    }
  }

  @Test func whatAReceiverSaysItCanTakeIsTold() throws {
    let capabilities = MediaCapabilities(audio: [.opus()], video: [.vp8], audioExtensions: [], videoExtensions: [])
    let observer = TestObserver()
    let (simulation, client) = try makeCall(seed: 13, observer: observer)
    exchange(simulation, client, seconds: 3)
    #expect(observer.statistics.receivableBitsPerSecond == nil)
    let plain = TestObserver()
    let second = try simulation.join(capabilities: capabilities, observer: plain)
    try #require(simulation.connectAll())
    simulation.execute(.subscribe(second.id, .video, OutputID(2)))
    exchange(simulation, second, seconds: 3)
    #expect(plain.statistics.receivableBitsPerSecond == 2_500_000)
    withExtendedLifetime(client) {}
  }

  @Test func transportWideFeedbackIsSentWhileMediaCome() throws {
    let observer = TestObserver()
    let (simulation, client) = try makeCall(seed: 8, observer: observer)
    var controlDatagrams = 0
    simulation.tap = { datagram, from, _ in
      if from == Simulation.serverAddress, datagram.count > 1, (64...95).contains(datagram[1] & 0x7F) { controlDatagrams += 1 }
      return false
    }
    exchange(simulation, client, seconds: 5)
    // Regular reports are one a second; the rest is feedback.
    #expect(controlDatagrams > 20 && controlDatagrams < 150, "\(controlDatagrams)")
    let busy = controlDatagrams
    simulation.run(for: .seconds(5))
    #expect(controlDatagrams - busy < 15)
  }

  @Test func changingOutputsGoesOnAsOneStream() throws {
    let (simulation, client) = try makeCall(seed: 9)
    var index = 0
    for round in 0..<6 {
      let output = OutputID(UInt32(round % 2 == 0 ? 2 : 12))
      simulation.execute(.subscribe(client.id, .video, output))
      for place in 0..<20 {
        // The two outputs count their timestamps from different origins.
        var frame = TestFrames.video(index, at: simulation.now, isKeyframe: place == 5)
        frame.timestamp = RTPTimestamp(frame.timestamp.rawValue &+ UInt32(truncatingIfNeeded: round % 2 * 777_777_777))
        simulation.execute(.send(frame, output))
        index += 1
        simulation.run(for: .nanoseconds(33_333_333))
      }
    }
    simulation.run(for: .milliseconds(100))
    let frames = client.frames(.video)
    // Of each round those from the keyframe on.
    #expect(frames.count == 6 * 15)
    #expect(!frames.contains { $0.followsGap })
    for (a, b) in zip(frames, frames.dropFirst()) {
      #expect(b.sequence > a.sequence)
      #expect((2990...18_100).contains(b.timestamp.distance(from: a.timestamp)))
    }
    #expect(client.session.statistics.packetsLost == 0)
  }

  @Test func aViewerIsSparedUntilTheFirstKeyframe() throws {
    let (simulation, client) = try makeCall(seed: 10)
    let before = client.session.statistics.packetsReceived
    for index in 0..<10 {
      simulation.execute(.send(TestFrames.video(index, at: simulation.now, isKeyframe: false), OutputID(2)))
    }
    simulation.run(for: .milliseconds(50))
    #expect(client.session.statistics.packetsReceived - before <= 2 && client.frames(.video).isEmpty)
    simulation.execute(.send(TestFrames.video(10, at: simulation.now, isKeyframe: true), OutputID(2)))
    simulation.execute(.send(TestFrames.video(11, at: simulation.now, isKeyframe: false), OutputID(2)))
    simulation.run(for: .milliseconds(100))
    #expect(client.frames(.video).map(\.isKeyframe) == [true, false])
  }

  @Test func nothingIsSentToWhomNothingIsMeant() throws {
    let (simulation, client) = try makeCall(seed: 11)
    simulation.execute(.subscribe(client.id, .audio, nil))
    simulation.execute(.send(TestFrames.audio(1, at: simulation.now), OutputID(1)))
    simulation.execute(.send(TestFrames.audio(1, at: simulation.now), OutputID(99)))
    simulation.run(for: .milliseconds(100))
    #expect(client.frames.isEmpty)
  }
}
