import EncodedMedia
import ICE
import RTP
import SDP
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// Who is given another ladder with the output in it that he receives, and is the only one who does.
@Suite struct LadderChangeTests {
  private static func ladder(_ outputs: UInt32...) -> VideoLadder {
    VideoLadder(
      outputs.enumerated().map { index, output in
        VideoLadder.Rung(OutputID(output), bitsPerSecond: 60_000 - 5_000 * index, framesPerSecond: 10, shares: [1])
      }, isAutomatic: true)
  }

  private func send(_ range: Range<Int>, _ simulation: Simulation) {
    for index in range {
      let frame = TestFrames.video(index, at: simulation.now, isKeyframe: index == 0, byteCount: 400)
      simulation.execute(.send(frame, OutputID(2)))
      simulation.run(for: .milliseconds(100))
    }
  }

  /// A frame of VP9, as far as headers go.
  private func sendVP9(_ index: Int, _ simulation: Simulation) {
    let key: [UInt8] = [0x82, 0x49, 0x83, 0x42, 0x00, 0x03, 0xF0, 0x02, 0xF0]
    let inter: [UInt8] = [0x86, 0x00, 0x40, 0x92, 0x80]
    let frame = EncodedFrame(
      codec: .vp9, payload: FrameBuffer((index == 0 ? key : inter) + Array(repeating: 7, count: 300)),
      timestamp: RTPTimestamp(UInt32(index * 3000)), isKeyframe: index == 0, time: simulation.now)
    simulation.execute(.send(frame, OutputID(2)))
    simulation.run(for: .milliseconds(100))
  }

  @Test func theNumbersOfHisPicturesGoOn() throws {
    let capabilities = MediaCapabilities(audio: [.opus()], video: [.vp9])
    let simulation = Simulation(seed: 91, capabilities: capabilities)
    let client = try simulation.join(capabilities: capabilities)
    try #require(simulation.connectAll())
    simulation.execute(.subscribe(client.id, .video, OutputID(2)))
    var numbers: [UInt16] = []
    var source: SSRC?
    simulation.tap = { datagram, from, _ in
      guard from == Simulation.serverAddress, DatagramKind(of: datagram.span) == .rtp else { return false }
      // Its protection is taken off where it lies.
      var bytes = datagram
      var span = bytes.mutableSpan
      client.session.receive(&span, from: TransportPath(remote: from), at: simulation.now, into: &client.outputs)
      guard let header = RTPHeader(parsing: bytes.span), header.ssrc == source ?? header.ssrc else { return true }
      source = header.ssrc
      let descriptor = header.payloadRange.lowerBound
      numbers.append(UInt16(bytes[descriptor + 1] & 0x7F) << 8 | UInt16(bytes[descriptor + 2]))
      return true
    }
    for index in 0..<10 { sendVP9(index, simulation) }
    simulation.execute(.subscribeToLadder(client.id, Self.ladder(3, 2)))
    for index in 10..<20 { sendVP9(index, simulation) }
    #expect(numbers.count == 20)
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { ($0 + 1) & 0x7FFF == $1 }, "\(numbers)")
  }

  @Test func aNewcomerStillFindsTheLastKeyframe() throws {
    let (simulation, first) = try makeCall(seed: 92)
    send(0..<20, simulation)
    simulation.execute(.subscribeToLadder(first.id, Self.ladder(3, 2)))
    let observer = TestObserver()
    let second = try simulation.join(capabilities: .client, observer: observer)
    try #require(simulation.connectAll())
    simulation.execute(.subscribe(second.id, .video, OutputID(2)))
    simulation.run(for: .milliseconds(100))
    #expect(second.frames(.video).count == 20 && observer.keyframeRequests.isEmpty)
  }

  @Test func nobodyHearsOfOutputsHeKeeps() throws {
    let observer = TestObserver()
    let (simulation, client) = try makeCall(seed: 93, observer: observer)
    send(0..<5, simulation)
    for ladder in [Self.ladder(3, 2), Self.ladder(2), Self.ladder(5, 4, 2)] {
      simulation.execute(.subscribeToLadder(client.id, ladder))
    }
    #expect(observer.receptions[OutputID(2)] == [true])
    send(5..<10, simulation)
    simulation.run(for: .seconds(1))
    #expect(client.frames(.video).count == 10)
    simulation.execute(.subscribeToLadder(client.id, Self.ladder(6)))
    #expect(observer.receptions.values.allSatisfy { $0.reduce(0) { $0 + ($1 ? 1 : -1) } <= 1 })
    simulation.execute(.remove(client.id))
    #expect(observer.receptions.values.allSatisfy { $0.reduce(0) { $0 + ($1 ? 1 : -1) } == 0 })
    #expect(simulation.endpoint.bookkeeping.outputs == 0)
  }
}
