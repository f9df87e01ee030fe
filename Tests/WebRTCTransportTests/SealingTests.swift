import EncodedMedia
import SecureTransport
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// What leaves for many under both profiles: packets of one are sealed at once, those of the other wait for one another.
@Suite struct SealingTests {
  /// Viewers of one output with sound; every other one, or all, know AES_CM alone.
  private final class Viewers {
    let simulation: Simulation
    var clients: [TestClient] = []

    init(_ count: Int, mixed: Bool, room: Int? = nil, library: CipherLibrary = .fastest, seed: UInt64) throws {
      simulation = Simulation(seed: seed)
      simulation.outputs = PeerOutputs(capacity: room ?? 1 << 20, library: library)
      simulation.endpoint.audienceMin = 4
      for index in 0..<count {
        let profile: SRTPProfile = mixed && index % 2 == 0 ? .aeadAES128GCM : .aes128CMHMACSHA1_80
        clients.append(try simulation.join(Simulation.watching) { $0.client.srtpProfiles = [profile] })
      }
      try #require(simulation.connectAll())
      for client in clients {
        simulation.execute(.subscribe(client.id, .audio, OutputID(1)))
        simulation.execute(.subscribe(client.id, .video, OutputID(2)))
      }
    }

    /// Sound every 20 ms and a picture every 40.
    func play(_ ticks: Int) {
      for tick in 0..<ticks {
        let now = simulation.now
        simulation.execute(.send(TestFrames.audio(tick, at: now), OutputID(1)))
        if tick % 2 == 0 {
          let size = 300 + tick * 97 % 3_000
          simulation.execute(.send(TestFrames.video(tick / 2, at: now, isKeyframe: tick == 0, byteCount: size), OutputID(2)))
        }
        simulation.run(for: .milliseconds(20))
      }
      simulation.run(for: .milliseconds(500))
    }

    /// Everybody could open everything, and saw and heard all of it in order.
    func expectAll(_ ticks: Int) {
      for client in clients {
        #expect(client.session.statistics.datagramsRefused == 0)
        #expect(client.session.statistics.packetsLost == 0)
        let (sounds, pictures) = (client.frames(.audio), client.frames(.video))
        #expect(sounds.map(\.time) == sounds.map(\.time).sorted() && sounds.count == ticks)
        #expect(pictures.map(\.time) == pictures.map(\.time).sorted() && pictures.count == ticks / 2)
      }
    }
  }

  @Test(arguments: [1, 2, 7, 33, 70]) func everyDatagramThatLeavesOpensForItsViewerAlone(viewers: Int) throws {
    let audience = try Viewers(viewers, mixed: false, seed: UInt64(viewers))
    audience.play(40)
    audience.expectAll(40)
  }

  @Test func viewersOfBothProfilesAreServedInOneTurn() throws {
    let audience = try Viewers(41, mixed: true, seed: 71)
    audience.play(40)
    audience.expectAll(40)
  }

  @Test func everyDatagramOpensWhereTheBlockIsFullAllTheTime() throws {
    let audience = try Viewers(40, mixed: true, room: 12_000, seed: 72)
    audience.play(40)
    audience.expectAll(40)
    #expect(audience.simulation.outputs.arena.refused == 0)
  }

  @Test func everyDatagramOpensWherePacketsAreSealedOneAtATime() throws {
    let audience = try Viewers(20, mixed: true, library: .openSSL, seed: 73)
    audience.play(40)
    audience.expectAll(40)
  }

  @Test func whatWasSentToAViewerWhoIsRemovedInTheSameTurnStillOpens() throws {
    let audience = try Viewers(20, mixed: false, seed: 74)
    audience.play(10)
    let simulation = audience.simulation
    let leaving = audience.clients[3]
    let before = leaving.frames(.audio).count
    // Both before anything is handed to the network.
    for command: Endpoint.Command in [
      .send(TestFrames.audio(10, at: simulation.now), OutputID(1)), .remove(leaving.id),
    ] {
      simulation.endpoint.execute(command, at: simulation.now, into: &simulation.outputs) { _ in }
    }
    simulation.flushServer()
    simulation.run(for: .milliseconds(100))
    #expect(leaving.frames(.audio).count == before + 1)
    #expect(leaving.endReason != nil)
    for client in audience.clients { #expect(client.session.statistics.datagramsRefused == 0) }
  }
}
