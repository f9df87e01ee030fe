import Bytes
import EncodedMedia
import ICE
import SecureTransport
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

@Suite struct BookkeepingTests {
  @Test func everythingGoesWithThePeer() throws {
    let simulation = Simulation(seed: 1)
    for round in 0..<10 {
      let clients = try (0..<5).map { _ in try simulation.join() }
      try #require(simulation.connectAll())
      for client in clients {
        simulation.execute(.subscribe(client.id, .audio, OutputID(UInt32(round))))
        simulation.execute(.subscribe(client.id, .video, OutputID(1000 + UInt32(round))))
      }
      #expect(simulation.endpoint.bookkeeping.fragments == 5 && simulation.endpoint.bookkeeping.paths == 5)
      #expect(simulation.endpoint.bookkeeping.outputs == 2)
      for client in clients { simulation.leave(client, politely: round % 2 == 0) }
      simulation.run(for: .milliseconds(300))
      #expect(simulation.endpoint.peerCount == 0)
      #expect(simulation.endpoint.bookkeeping.fragments == 0 && simulation.endpoint.bookkeeping.paths == 0)
      #expect(simulation.endpoint.bookkeeping.outputs == 0)
    }
    simulation.run(for: .seconds(60))
    #expect(simulation.endpoint.nextDeadline == nil)
  }

  @Test func everybodyIsToldWhenTheEndpointStops() throws {
    let simulation = Simulation(seed: 4)
    let clients = try (0..<6).map { _ in try simulation.join() }
    try #require(simulation.connectAll())
    simulation.endpoint.removeAll(at: simulation.now, into: &simulation.outputs) { _ in }
    simulation.flushServer()
    simulation.run(for: .seconds(1))
    #expect(clients.allSatisfy { $0.endReason == .closed } && simulation.endpoint.peerCount == 0)
  }

  @Test func tenThousandWhoComeAndGoLeaveNothing() throws {
    let simulation = Simulation(seed: 2)
    let call = try simulation.negotiate(address: simulation.newAddress())
    var most = 0
    for index in 0..<10_000 {
      let id = PeerID(UInt32(index))
      var setup = call.server
      setup.localCredentials = ICECredentials(using: &simulation.random)
      simulation.execute(.add(id, setup, TestObserver()))
      simulation.execute(.subscribe(id, .video, OutputID(UInt32(index % 7))))
      if index >= 3 { simulation.execute(.remove(PeerID(UInt32(index - 3)))) }
      most = max(most, simulation.endpoint.bookkeeping.deadlines)
    }
    #expect(simulation.endpoint.peerCount == 3 && simulation.endpoint.bookkeeping.fragments == 3)
    #expect(simulation.endpoint.bookkeeping.outputs <= 3)
    #expect(most <= 200, "\(most) deadlines for three peers")
  }

  @Test func deadlinesOfABusyCallStayFew() throws {
    var link = Link.lossy(0.1)
    link.jitter = .milliseconds(30)
    link.keepsOrder = false
    let (simulation, client) = try makeCall(link: link, seed: 3)
    var most = 0
    for _ in 0..<10 {
      exchange(simulation, client, seconds: 1)
      most = max(most, simulation.endpoint.bookkeeping.deadlines)
    }
    #expect(most <= 80, "\(most)")
  }
}

/// What a steady stream costs in memory: nothing of ours.
@Suite(.serialized) struct AllocationTests {
  /// What libsrtp2's library allocates itself while it takes packets of these lengths.
  private func allocationsOfLibrary(_ lengths: [Int]) throws -> Int {
    let keys = Array(1...16) as [UInt8]
    let local = try #require(SRTPMasterKey(key: keys, salt: Array(1...12), profile: .aeadAES128GCM))
    let sender = try SRTPSender(SRTPKeys(profile: .aeadAES128GCM, local: local, remote: local))
    let receiver = try SRTPReceiver(SRTPKeys(profile: .aeadAES128GCM, local: local, remote: local))
    var packets: [[UInt8]] = []
    for (index, length) in lengths.enumerated() {
      var packet = [UInt8](repeating: 0, count: length)
      packet[0] = 0x80
      packet[1] = 96
      packet[2] = UInt8(truncatingIfNeeded: index >> 8)
      packet[3] = UInt8(truncatingIfNeeded: index)
      packet[11] = 9
      var span = packet.mutableSpan
      _ = try sender.protectRTP(&span, length: length - 16)
      packets.append(packet)
    }
    return allocations {
      for index in packets.indices.dropFirst(lengths.count / 2) {
        var span = packets[index].mutableSpan
        _ = try? receiver.unprotectRTP(&span)
      }
    }
  }

  @Test func receivingAllocatesNothingBeyondWhatTheCryptoLibraryDoes() throws {
    let observer = TestObserver()
    observer.keepsFrames = false
    let (simulation, client) = try makeCall(seed: 11, observer: observer)
    exchange(simulation, client, seconds: 3)
    // From now on the client's media are kept, then handed over one by one.
    var media: [[UInt8]] = []
    simulation.tap = { datagram, from, _ in
      guard from != Simulation.serverAddress, DatagramKind(of: datagram.span) == .rtp else { return false }
      media.append(datagram)
      return true
    }
    exchange(simulation, client, seconds: 2)
    let path = TransportPath(remote: client.address)
    let (frames, count) = (observer.frameCount, media.count)
    var outputs = PeerOutputs()
    func hand(_ range: Range<Int>) {
      for index in range {
        var span = media[index].mutableSpan
        simulation.endpoint.receive(&span, from: path, at: simulation.now, into: &outputs)
        outputs.removeSent()
      }
    }
    hand(0..<count / 2)
    let found = allocations { hand(count / 2..<count) }
    let library = try allocationsOfLibrary(media.map(\.count))
    #expect(observer.frameCount - frames > 140)
    #expect(found <= library + 2, "\(found) for \(count - count / 2) packets, of them \(library) by the library")
  }

  @Test func fiftyReceiversCostNoMoreMemoryThanOne() throws {
    func cost(_ receiverCount: Int) throws -> (audio: Int, video: Int) {
      let simulation = Simulation(seed: 12)
      for _ in 0..<receiverCount {
        let client = try simulation.join(Simulation.watching)
        simulation.execute(.subscribe(client.id, .audio, OutputID(1)))
        simulation.execute(.subscribe(client.id, .video, OutputID(2)))
      }
      try #require(simulation.connectAll())
      var outputs = PeerOutputs()
      func send(_ frames: [EncodedFrame], _ output: OutputID) {
        for frame in frames {
          simulation.endpoint.execute(.send(frame, output), at: frame.time, into: &outputs) { $0.removeSent() }
          outputs.removeSent()
        }
      }
      let now = simulation.now
      func audio(_ range: Range<Int>) -> [EncodedFrame] {
        range.map { TestFrames.audio($0, at: now + .milliseconds(20) * Int64($0)) }
      }
      func video(_ range: Range<Int>) -> [EncodedFrame] {
        range.map { TestFrames.video($0, at: now + .milliseconds(33) * Int64($0), isKeyframe: $0 == 0, byteCount: 6000) }
      }
      // Histories and arrays grow to their size.
      send(audio(0..<200), OutputID(1))
      send(video(0..<200), OutputID(2))
      let (sounds, pictures) = (audio(200..<300), video(200..<300))
      return (allocations { send(sounds, OutputID(1)) }, allocations { send(pictures, OutputID(2)) })
    }
    let one = try cost(1)
    let fifty = try cost(50)
    #expect(fifty.audio == one.audio && fifty.video == one.video, "\(one) and \(fifty) for 100 frames each")
    #expect(one.audio <= 600 && one.video <= 1200, "\(one)")
  }
}
