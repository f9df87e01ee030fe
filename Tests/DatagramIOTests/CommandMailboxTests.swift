import DatagramIO
import EncodedMedia
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// What becomes of pictures when the loop is too far behind for all that is posted.
@Suite struct CommandMailboxTests {
  /// One who is sent the pictures of output 2 by way of a mailbox.
  private final class Viewer {
    let simulation: Simulation
    let observer = TestObserver()
    let client: TestClient
    var mailbox = CommandMailbox()

    init(seed: UInt64) throws {
      simulation = Simulation(seed: seed)
      client = try simulation.join(observer: observer)
      try #require(simulation.connectAll())
      simulation.execute(.subscribe(client.id, .video, OutputID(2)))
      simulation.run(for: .seconds(2))
      observer.keyframeRequests.removeAll()
    }

    func post(_ range: Range<Int>, keyframe: Int = 0) {
      for index in range {
        _ = mailbox.post(TestFrames.video(index, at: simulation.now, isKeyframe: index == keyframe), to: OutputID(2))
      }
    }

    /// Sound of an output that nobody receives, until no frame finds room.
    func fill() {
      let sound = TestFrames.audio(0, at: simulation.now)
      let dropped = mailbox.framesDropped
      while mailbox.framesDropped == dropped { _ = mailbox.post(sound, to: OutputID(1)) }
    }

    func deliver() {
      var commands: [Endpoint.Command] = []
      _ = mailbox.collect(&commands)
      for command in commands { simulation.execute(command) }
      simulation.run(for: .milliseconds(100))
    }
  }

  private func payloads(_ numbers: [Int], keyframes: Set<Int>) -> [[UInt8]] {
    numbers.map { TestFrames.video($0, at: .zero, isKeyframe: keyframes.contains($0)).payload.bytes }
  }

  @Test func anOutputThatLostAPictureGoesOnWithAKeyframe() throws {
    let viewer = try Viewer(seed: 71)
    viewer.post(0..<3)
    viewer.fill()
    viewer.post(3..<6)
    viewer.deliver()
    #expect(viewer.observer.keyframeRequests == [OutputID(2)])
    viewer.post(6..<8)
    viewer.deliver()
    viewer.post(8..<10, keyframe: 8)
    viewer.deliver()
    let frames = viewer.client.frames(.video)
    #expect(frames.map(\.payload.bytes) == payloads([0, 1, 2, 8, 9], keyframes: [0, 8]))
    #expect(!frames.contains { $0.followsGap } && viewer.mailbox.framesDropped == 4)
  }

  @Test func aNewcomerIsNotSentAChainWithAHole() throws {
    let viewer = try Viewer(seed: 72)
    viewer.post(0..<3)
    viewer.fill()
    viewer.post(3..<4)
    viewer.deliver()
    let newcomer = try viewer.simulation.join()
    try #require(viewer.simulation.connectAll())
    viewer.simulation.execute(.subscribe(newcomer.id, .video, OutputID(2)))
    viewer.post(4..<6)
    viewer.deliver()
    viewer.post(6..<8, keyframe: 6)
    viewer.deliver()
    #expect(newcomer.frames(.video).map(\.payload.bytes) == payloads([6, 7], keyframes: [6]))
  }

  @Test func lostSoundLeavesPicturesAlone() throws {
    let viewer = try Viewer(seed: 73)
    viewer.post(0..<3)
    viewer.fill()
    viewer.fill()
    viewer.deliver()
    viewer.post(3..<6)
    viewer.deliver()
    #expect(viewer.client.frames(.video).count == 6 && viewer.observer.keyframeRequests.isEmpty)
  }
}
