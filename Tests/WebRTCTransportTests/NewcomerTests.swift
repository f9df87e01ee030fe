import EncodedMedia
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// Who comes while others watch.
@Suite struct NewcomerTests {
  /// Sends pictures of an output, the first of them a keyframe where `from` is 0.
  private func send(_ range: Range<Int>, _ simulation: Simulation) {
    for index in range {
      simulation.execute(
        .send(TestFrames.video(index, at: simulation.now, isKeyframe: index == 0, byteCount: 3000), OutputID(2)))
      simulation.run(for: .milliseconds(33))
    }
  }

  private func joinLater(_ simulation: Simulation) throws -> (TestClient, TestObserver) {
    let observer = TestObserver()
    let second = try simulation.join(capabilities: .client, observer: observer)
    try #require(simulation.connectAll())
    simulation.execute(.subscribe(second.id, .video, OutputID(2)))
    simulation.run(for: .milliseconds(100))
    return (second, observer)
  }

  @Test func aNewcomerIsSentTheLastKeyframeAndWhatFollowedAtOnce() throws {
    let (simulation, first) = try makeCall(seed: 41)
    send(0..<20, simulation)
    let (second, observer) = try joinLater(simulation)
    let sent = (0..<20).map { TestFrames.video($0, at: .zero, isKeyframe: $0 == 0, byteCount: 3000).payload.bytes }
    #expect(payloads(second.frames(.video)) == sent)
    #expect(observer.keyframeRequests.count == 0)
    send(20..<30, simulation)
    simulation.run(for: .milliseconds(100))
    #expect(payloads(second.frames(.video)) == payloads(first.frames(.video)))
    #expect(!second.frames(.video).contains { $0.followsGap })
  }

  @Test func whoWaitsToLearnOfHisLineThenFindsTheLastKeyframeThoughNothingMoves() throws {
    let (simulation, first) = try makeCall(seed: 45)
    send(0..<5, simulation)
    let second = try simulation.join(capabilities: .client, observer: TestObserver())
    try #require(simulation.connectAll())
    let rung = VideoLadder.Rung(OutputID(2), bitsPerSecond: 100_000, framesPerSecond: 30, shares: [1])
    simulation.execute(.subscribeToLadder(second.id, VideoLadder([rung], isAutomatic: true)))
    // A still canvas: its output has no more pictures.
    simulation.run(for: .milliseconds(1500))
    #expect(second.frames(.video).count == 5)
    withExtendedLifetime(first) {}
  }

  private static func ladder(_ outputs: UInt32...) -> VideoLadder {
    VideoLadder(
      outputs.enumerated().map { index, output in
        VideoLadder.Rung(OutputID(output), bitsPerSecond: 1_000_000 >> (4 * index), framesPerSecond: 15, shares: [1])
      }, isAutomatic: true)
  }

  /// One whose feedback is lost, with when he is given his first picture.
  private func joinWithoutFeedback(_ simulation: Simulation) throws -> (TestClient, TestObserver) {
    let observer = TestObserver()
    let client = try simulation.join(observer: observer)
    client.drops = { $0.count > 1 && (192..<224).contains($0[1]) && (128..<192).contains($0[0]) }
    try #require(simulation.connectAll())
    return (client, observer)
  }

  /// Before there are pictures to send again, what asks the line is small packets of padding.
  @Test(arguments: [(1_500_000, 500), (3_000_000, 4_000)])
  func whoCanBeGivenALargePictureAloneIsGivenItSoon(bitsPerSecond: Int, milliseconds: Int64) throws {
    let simulation = Simulation(seed: 48)
    let observer = TestObserver()
    let client = try simulation.join(observer: observer)
    try #require(simulation.connectAll())
    let rung = VideoLadder.Rung(
      OutputID(2), bitsPerSecond: bitsPerSecond, framesPerSecond: 30, shares: [0.5, 0.7, 1])
    simulation.execute(.subscribeToLadder(client.id, VideoLadder([rung], isAutomatic: true)))
    send(1..<Int(milliseconds / 33), simulation)
    #expect(observer.keyframeRequests.first == OutputID(2), "\(observer.statistics)")
  }

  @Test func whoseLineTellsNothingBeginsWithTheLeastAfterASecondAndAHalf() throws {
    let simulation = Simulation(seed: 46)
    let (client, observer) = try joinWithoutFeedback(simulation)
    let start = simulation.now
    simulation.execute(.subscribeToLadder(client.id, Self.ladder(2, 3, 4)))
    simulation.run(for: .seconds(5)) { !observer.keyframeRequests.isEmpty }
    #expect(simulation.now - start == .milliseconds(1_500))
    #expect(observer.keyframeRequests == [OutputID(4)])
  }

  @Test func anotherOutputDoesNotMakeWhoWaitsWaitLonger() throws {
    let simulation = Simulation(seed: 47)
    let (client, observer) = try joinWithoutFeedback(simulation)
    let start = simulation.now
    simulation.execute(.subscribeToLadder(client.id, Self.ladder(2, 3)))
    simulation.run(for: .seconds(1))
    simulation.execute(.subscribeToLadder(client.id, Self.ladder(2, 3, 4)))
    simulation.run(for: .seconds(5)) { !observer.keyframeRequests.isEmpty }
    #expect(simulation.now - start == .milliseconds(1_500))
    simulation.execute(.subscribeToLadder(client.id, Self.ladder(2, 3, 5)))
    #expect(observer.keyframeRequests == [OutputID(4), OutputID(5)], "nor does who waited once wait again")
  }

  @Test func whoseProbeIsAnsweredBeginsAtOnce() throws {
    let simulation = Simulation(seed: 48)
    let observer = TestObserver()
    let client = try simulation.join(observer: observer)
    try #require(simulation.connectAll())
    let start = simulation.now
    simulation.execute(.subscribeToLadder(client.id, Self.ladder(2, 3, 4)))
    simulation.run(for: .seconds(5)) { !observer.keyframeRequests.isEmpty }
    #expect(simulation.now - start < .milliseconds(250))
  }

  @Test func whereTooMuchFollowedTheKeyframeANewOneIsAskedFor() throws {
    let (simulation, first) = try makeCall(seed: 42)
    send(0..<60, simulation)
    let (second, observer) = try joinLater(simulation)
    #expect(second.frames(.video).isEmpty && observer.keyframeRequests.count == 1)
    send(0..<3, simulation)
    simulation.run(for: .milliseconds(100))
    #expect(second.frames(.video).map(\.isKeyframe) == [true, false, false])
    withExtendedLifetime(first) {}
  }

  @Test func newcomersTogetherAskForAKeyframeASecondAtMost() throws {
    let (simulation, first) = try makeCall(seed: 43)
    send(0..<60, simulation)
    let start = simulation.now
    let all = try (0..<20).map { _ in try joinLater(simulation) }
    let requests = all.reduce(0) { $0 + $1.1.keyframeRequests.count }
    #expect(requests >= 1 && requests <= Int((simulation.now - start).seconds) + 1, "\(requests)")
    withExtendedLifetime(first) {}
  }

  @Test func whoHasSeenAnotherPictureIsNotSentThePast() throws {
    let (simulation, first) = try makeCall(seed: 44)
    send(0..<10, simulation)
    let second = try simulation.join(capabilities: .client, observer: TestObserver())
    try #require(simulation.connectAll())
    simulation.execute(.subscribe(second.id, .video, OutputID(9)))
    simulation.execute(.send(TestFrames.video(0, at: simulation.now, isKeyframe: true), OutputID(9)))
    simulation.run(for: .milliseconds(50))
    #expect(second.frames(.video).count == 1)
    simulation.execute(.subscribe(second.id, .video, OutputID(2)))
    simulation.run(for: .milliseconds(100))
    #expect(second.frames(.video).count == 1)
    withExtendedLifetime(first) {}
  }
}
