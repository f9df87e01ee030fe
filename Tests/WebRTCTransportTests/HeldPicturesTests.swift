import EncodedMedia
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// Pictures for many, which leave together with sound. Here two are many.
@Suite struct HeldPicturesTests {
  /// Some who get sound 1 and pictures 2, and what the server sends each, by its length and when.
  private final class Audience {
    let simulation: Simulation
    var clients: [TestClient] = []
    private(set) var sent: [(at: Instant, to: Int, isPicture: Bool)] = []
    private var sounds = 0
    private var pictures = 0

    init(_ count: Int, many: Int = 2, seed: UInt64) throws {
      simulation = Simulation(seed: seed)
      simulation.endpoint.audienceMin = many
      for _ in 0..<count { clients.append(try simulation.join()) }
      try #require(simulation.connectAll())
      for client in clients {
        simulation.execute(.subscribe(client.id, .audio, OutputID(1)))
        simulation.execute(.subscribe(client.id, .video, OutputID(2)))
      }
      simulation.tap = { [unowned self] datagram, from, to in
        if from == Simulation.serverAddress, let index = clients.firstIndex(where: { $0.address == to }), datagram[0] >> 6 == 2,
          !(192..<224).contains(datagram[1])
        {
          sent.append((simulation.now, index, datagram.count > 500))
        }
        return false
      }
    }

    func forget() { sent.removeAll() }

    func sound(_ output: UInt32 = 1) {
      simulation.execute(.send(TestFrames.audio(sounds, at: simulation.now), OutputID(output)))
      if output == 1 { sounds += 1 }
    }

    func picture() {
      simulation.execute(
        .send(TestFrames.video(pictures, at: simulation.now, isKeyframe: pictures == 0, byteCount: 2001), OutputID(2)))
      pictures += 1
    }

    /// Sound, and some milliseconds later a picture: the next sound is not yet due.
    func soundThenPicture() {
      sound()
      simulation.run(for: .milliseconds(5))
      picture()
    }

    /// Half a second of sound, and a picture that tells who hears what.
    func begin() {
      for tick in 0..<25 {
        sound()
        if tick == 12 { picture() }
        simulation.run(for: .milliseconds(20))
      }
      forget()
    }

    /// What one was sent, in order.
    func order(_ client: Int) -> [Bool] { sent.filter { $0.to == client }.map(\.isPicture) }
    func times(_ client: Int, pictures: Bool) -> [Instant] {
      sent.filter { $0.to == client && $0.isPicture == pictures }.map(\.at)
    }
  }

  @Test func aPictureForManyLeavesRightBeforeTheSoundThatIsDueNext() throws {
    let audience = try Audience(3, seed: 61)
    audience.begin()
    audience.soundThenPicture()
    let came = audience.simulation.now
    audience.simulation.run(for: .milliseconds(15))
    #expect(audience.sent.allSatisfy { !$0.isPicture })
    audience.forget()
    audience.sound()
    #expect(audience.sent.map(\.to) == [0, 0, 0, 1, 1, 1, 2, 2, 2], "one receiver after the other")
    #expect((0..<3).allSatisfy { audience.order($0) == [true, true, false] })
    #expect(audience.sent.allSatisfy { $0.at == came + .milliseconds(15) })
  }

  @Test func aPictureForFewLeavesAtOnce() throws {
    let audience = try Audience(3, many: 4, seed: 62)
    audience.begin()
    audience.sound()
    audience.simulation.run(for: .milliseconds(5))
    audience.forget()
    audience.picture()
    #expect(audience.sent.count == 6 && audience.sent.allSatisfy { $0.isPicture })
  }

  @Test func aPictureWhoseSoundDoesNotComeLeavesAMomentAfterThatWasDue() throws {
    let audience = try Audience(2, seed: 63)
    audience.begin()
    audience.sound()
    let last = audience.simulation.now
    audience.simulation.run(for: .milliseconds(7))
    audience.picture()
    audience.simulation.run(for: .milliseconds(60))
    #expect(audience.times(0, pictures: true) == [last + .milliseconds(24), last + .milliseconds(24)])
    audience.forget()
    audience.picture()
    #expect(audience.sent.count == 4, "sound pauses: nothing is waited for")
  }

  @Test func theNextPictureDrivesOutTheOneBefore() throws {
    let audience = try Audience(2, seed: 64)
    audience.begin()
    audience.sound()
    audience.simulation.run(for: .milliseconds(1))
    audience.picture()
    audience.simulation.run(for: .milliseconds(8))
    audience.forget()
    audience.picture()
    #expect(audience.order(0) == [true, true] && audience.order(1) == [true, true])
    audience.simulation.run(for: .milliseconds(11))
    audience.sound()
    #expect(audience.order(0) == [true, true, true, true, false])
    audience.simulation.run(for: .milliseconds(100))
    #expect(audience.clients.allSatisfy { $0.frames(.video).count == 3 && !$0.frames(.video).contains { $0.followsGap } })
  }

  @Test func whoHearsSomethingElseIsSentEachFrameOnce() throws {
    let audience = try Audience(4, seed: 65)
    audience.simulation.execute(.subscribe(audience.clients[0].id, .audio, OutputID(7)))
    audience.simulation.execute(.subscribe(audience.clients[1].id, .video, nil))
    audience.begin()
    audience.soundThenPicture()
    audience.simulation.run(for: .milliseconds(15))
    audience.forget()
    audience.sound()
    audience.sound(7)
    #expect(audience.order(0) == [true, true, false], "his own sound, and the picture")
    #expect(audience.order(1) == [false], "no picture")
    #expect(audience.order(2) == [true, true, false] && audience.order(3) == [true, true, false])
  }

  @Test func whoChangesFromOneRungToAnotherIsSentSoundOnce() throws {
    let audience = try Audience(2, seed: 66)
    audience.begin()
    let rungs = [2, 3].map {
      VideoLadder.Rung(OutputID(UInt32($0)), bitsPerSecond: 40_000 / Int($0), framesPerSecond: 30, shares: [1])
    }
    // He receives pictures 3 until the keyframe of pictures 2.
    for client in audience.clients {
      audience.simulation.execute(.subscribe(client.id, .video, nil))
      audience.simulation.execute(.subscribeToLadder(client.id, VideoLadder([rungs[1]], isAutomatic: true)))
    }
    audience.simulation.run(for: .seconds(2))
    audience.simulation.execute(.send(TestFrames.video(0, at: audience.simulation.now, isKeyframe: true), OutputID(3)))
    for client in audience.clients {
      audience.simulation.execute(.subscribeToLadder(client.id, VideoLadder(rungs, isAutomatic: true)))
    }
    audience.sound()
    audience.simulation.run(for: .milliseconds(20))
    for number in 0..<6 {
      audience.soundThenPicture()
      audience.simulation.execute(
        .send(TestFrames.video(number + 1, at: audience.simulation.now, isKeyframe: false), OutputID(3)))
      audience.simulation.run(for: .milliseconds(15))
      audience.forget()
      audience.sound()
      #expect(audience.times(0, pictures: false).count == 1 && audience.times(1, pictures: false).count == 1)
      audience.simulation.run(for: .milliseconds(20))
    }
  }

  @Test func whoComesWhileAPictureWaitsMissesNothing() throws {
    let audience = try Audience(2, seed: 67)
    audience.begin()
    let late = try audience.simulation.join()
    try #require(audience.simulation.connectAll())
    for _ in 0..<3 {
      audience.sound()
      audience.simulation.run(for: .milliseconds(20))
    }
    audience.soundThenPicture()
    audience.simulation.execute(.subscribe(late.id, .video, OutputID(2)))
    audience.simulation.run(for: .milliseconds(15))
    audience.sound()
    audience.simulation.run(for: .milliseconds(100))
    #expect(payloads(late.frames(.video)) == payloads(audience.clients[0].frames(.video)))
    #expect(late.frames(.video).count == 2)
  }

  @Test func whoLeavesWithEverybodyTakesThePictureAlong() throws {
    let audience = try Audience(2, seed: 68)
    audience.begin()
    audience.soundThenPicture()
    for client in audience.clients { audience.simulation.execute(.subscribe(client.id, .video, nil)) }
    audience.simulation.run(for: .milliseconds(40))
    #expect(audience.sent.allSatisfy { !$0.isPicture })
    for client in audience.clients { audience.simulation.execute(.subscribe(client.id, .video, OutputID(2))) }
    audience.forget()
    audience.sound()
    #expect(audience.sent.count == 2)
  }
}
