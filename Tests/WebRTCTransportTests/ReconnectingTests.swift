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

  /// From Wi-Fi to a mobile network: the way is longer, which is no queue.
  @Test func whoGoesOverToAnotherNetworkIsMeasuredAnew() throws {
    let (simulation, client, observer) = try begin(seed: 84)
    let rung = VideoLadder.Rung(OutputID(2), bitsPerSecond: 500_000, framesPerSecond: 30, shares: [1])
    simulation.execute(.subscribeToLadder(client.id, VideoLadder([rung], isAutomatic: true)))
    simulation.run(for: .seconds(2))
    send(0..<150, simulation)
    let other = simulation.newAddress()
    var link = Link()
    link.delay = .milliseconds(150)
    simulation.network.linksByWay[.init(from: Simulation.serverAddress, to: other)] = link
    simulation.network.linksByWay[.init(from: other, to: Simulation.serverAddress)] = link
    client.address = other
    for index in 150..<500 {
      let isKeyframe = !observer.keyframeRequests.isEmpty
      observer.keyframeRequests.removeAll()
      send(index..<(index + 1), simulation, keyframe: isKeyframe ? index : 0)
    }
    simulation.run(for: .milliseconds(200))
    let (count, statistics) = (client.frames(.video).count, observer.statistics)
    #expect(client.endReason == nil && count > 300, "he is back within six seconds, and with pictures")
    #expect(statistics.estimatedBitsPerSecond > 600_000 && statistics.pictureOutput == OutputID(2))
    #expect(statistics.pathQueueDelay < .milliseconds(30), "\(statistics.pathQueueDelay.milliseconds)")
  }
}
