import EncodedMedia
import ICE
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// Who loses his connection while he is sent pictures, and comes back a moment later.
@Suite struct ReconnectingTests {
  /// One who has asked for his first keyframe.
  private func begin(seed: UInt64) throws -> (Simulation, TestClient, TestObserver) {
    let observer = TestObserver()
    let (simulation, client) = try makeCall(seed: seed, observer: observer)
    simulation.run(for: .seconds(2))
    observer.keyframeRequests.removeAll()
    return (simulation, client, observer)
  }

  private func send(_ range: Range<Int>, _ simulation: Simulation, keyframe: Int = 0, layers: [UInt8?] = [nil]) {
    for index in range {
      var frame = TestFrames.video(index, at: simulation.now, isKeyframe: index == keyframe)
      frame.temporal = layers[index % layers.count].map {
        TemporalPosition(layer: $0, isLayerSync: index % 4 == 1, baseIndex: UInt8(index / 4))
      }
      simulation.execute(.send(frame, OutputID(2)))
      simulation.run(for: .milliseconds(33))
    }
  }

  /// His connection closes; he is back with his next check.
  private func disconnect(_ client: TestClient, _ simulation: Simulation, while missing: () -> Void) {
    simulation.endpoint.pathClosed(
      TransportPath(remote: client.address), at: simulation.now, into: &simulation.outputs)
    simulation.flushServer()
    missing()
    simulation.run(for: .seconds(10))
  }

  private func payloads(_ numbers: [Int], keyframes: Set<Int>) -> [[UInt8]] {
    numbers.map { TestFrames.video($0, at: .zero, isKeyframe: keyframes.contains($0)).payload.bytes }
  }

  @Test func whoMissedPicturesGoesOnWithAKeyframe() throws {
    let (simulation, client, observer) = try begin(seed: 81)
    send(0..<5, simulation)
    disconnect(client, simulation) { send(5..<8, simulation) }
    let requestsOfAStillPicture = observer.keyframeRequests
    send(8..<10, simulation)
    send(10..<13, simulation, keyframe: 10)
    simulation.run(for: .milliseconds(100))
    #expect(client.endReason == nil && requestsOfAStillPicture == [OutputID(2)])
    #expect(client.frames(.video).map(\.payload.bytes) == payloads([0, 1, 2, 3, 4, 10, 11, 12], keyframes: [0, 10]))
    #expect(!client.frames(.video).contains { $0.followsGap })
  }

  @Test func whoMissedNoneOfTheBaseGoesOnWithoutAKeyframe() throws {
    let (simulation, client, observer) = try begin(seed: 82)
    let layers: [UInt8?] = [0, 1, 1, 1]
    send(0..<5, simulation, layers: layers)
    disconnect(client, simulation) { send(5..<7, simulation, layers: layers) }
    send(7..<12, simulation, layers: layers)
    simulation.run(for: .milliseconds(100))
    #expect(client.endReason == nil && observer.keyframeRequests.isEmpty)
    let forwarded = client.frames(.video).map(\.payload.bytes)
    #expect(forwarded == payloads([0, 1, 2, 3, 4, 8, 9, 10, 11], keyframes: [0]))
  }

  @Test func whoMissedNothingGoesOn() throws {
    let (simulation, client, observer) = try begin(seed: 83)
    send(0..<5, simulation)
    disconnect(client, simulation) {}
    send(5..<10, simulation)
    simulation.run(for: .milliseconds(100))
    #expect(client.frames(.video).count == 10 && observer.keyframeRequests.isEmpty)
  }
}
