import Conference
import EncodedMedia
import RawMedia
import Testing
import Timing
import WebRTCTransport

/// Who leaves the choice of a picture to his line, and what is encoded for him.
@Suite struct AutomaticOutputTests {
  private static let outputs = [
    OutputSettings(name: "low", width: 64, height: 64, fps: 1, bitrate: 30_000),
    OutputSettings(name: "high", width: 128, height: 128, fps: 30, bitrate: 200_000),
  ]

  @Test func autoIsAllOutputsFromTheBestDownAndANameIsOne() async throws {
    let house = try House { $0.outputs = Self.outputs }
    let events = await house.events("r")
    let (id, peer) = try await house.connect("r", events, output: "auto")
    let ladder = try #require(house.transport.ladder(peer))
    #expect(ladder.isAutomatic && ladder.rungs.count == 2)
    let costs = ladder.rungs.map { $0.layers.last?.bitsPerSecond ?? 0 }
    #expect(costs[0] > costs[1] && costs[1] > 30_000, "headers count")
    let described = try await house.conferences.participant(room: "r", id: id)
    #expect(described.isAutomatic && described.audioOutput == "auto")

    try await house.patch("r", id) { $0.output = "low" }
    let named = try #require(house.transport.ladder(peer))
    #expect(!named.isAutomatic && named.rungs == [ladder.rungs[1]])
    try await house.patch("r", id) { $0.output = "auto" }
    let again = try #require(house.transport.ladder(peer))
    #expect(again.isAutomatic && again.rungs.map(\.layers) == ladder.rungs.map(\.layers))
    await house.conferences.stop()
  }

  @Test func whatHeIsSentIsTold() async throws {
    let house = try House { $0.outputs = Self.outputs }
    let events = await house.events("r")
    let (id, peer) = try await house.connect("r", events, output: "auto")
    let ladder = try #require(house.transport.ladder(peer))
    let observer = house.transport.observer(peer)
    for (output, name) in [(ladder.rungs[0].output, "high"), (ladder.rungs[1].output, "low")] as [(OutputID, String)] {
      observer?.peer(peer, didSwitchTo: output)
      await events.next { if case .pictureSwitched(id, name) = $0 { true } else { false } }
      let described = try await house.conferences.participant(room: "r", id: id)
      #expect(described.output == name)
    }
    observer?.peer(peer, didSwitchTo: nil)
    await events.next { if case .pictureSwitched(id, nil) = $0 { true } else { false } }
    let metrics = await house.conferences.metrics()
    #expect(metrics.contains(#"tutti_output_receivers{room="r",output=""} 1"#))
    await house.conferences.stop()
  }

  @Test func whatAutoLeavesAsItWasIsToldWithoutASwitch() async throws {
    let house = try House { $0.outputs = Self.outputs }
    let events = await house.events("r")
    let (id, peer) = try await house.connect("r", events, output: "auto")
    let low = try #require(house.transport.ladder(peer)?.rungs.last).output
    house.transport.observer(peer)?.peer(peer, didSwitchTo: low)
    await events.next { if case .pictureSwitched(id, "low") = $0 { true } else { false } }
    try await house.patch("r", id) { $0.output = "low" }
    let again = try await house.patch("r", id) { $0.output = "auto" }
    #expect(again.isAutomatic && again.output == "low")
    let metrics = await house.conferences.metrics()
    #expect(metrics.contains(#"tutti_output_receivers{room="r",output="low"} 1"#))
    try await house.patch("r", id) { $0.output = "high" }
    let other = try await house.patch("r", id) { $0.output = "auto" }
    #expect(other.output == nil, "of the output he named no picture had come")
    await house.conferences.stop()
  }

  @Test func anOutputMayNotBeCalledAuto() async throws {
    let house = try House()
    let settings = RoomSettings(outputs: [OutputSettings(name: "auto", width: 64, height: 64, fps: 1, bitrate: 30_000)])
    let refusal = await house.refusal { _ = try await $0.putRoom("r", settings: settings) }
    #expect(refusal == .unprocessable)
  }

  @Test func whatNobodyReceivesIsNeitherComposedNorEncodedNorDecodedFor() throws {
    let stage = try Stage()
    let person = try stage.join(YUVColor(y: 200, u: 128, v: 128))
    stage.canvas.remove(.vp8)
    let output = OutputID(8)
    stage.canvas.add(.vp8, as: output, isOnDemand: true)
    stage.run(20)
    #expect(stage.transport.takeSent().isEmpty && stage.canvas.lastPicture == nil)
    stage.canvas.receiversChanged(of: output, by: 1)
    stage.run(20)
    let sent = stage.transport.takeSent()
    #expect(sent.first?.frame.isKeyframe == true && sent.allSatisfy { $0.output == output })
    #expect(stage.shows(person, 0.25, 0.25))
    stage.canvas.receiversChanged(of: output, by: -1)
    stage.run(5)
    _ = stage.transport.takeSent()
    stage.run(20)
    #expect(stage.transport.takeSent().isEmpty)
    stage.canvas.receiversChanged(of: output, by: 1)
    stage.run(3)
    #expect(stage.transport.takeSent().first?.frame.isKeyframe == true, "who comes now has seen nothing")
  }
}
