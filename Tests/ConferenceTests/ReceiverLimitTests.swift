import Codecs
import Conference
import EncodedMedia
import TestPeers
import Testing
import Timing
import WebRTCTransport

/// What a receiver's offer says of how much he wants (`b=`, and the parameters of Opus).
@Suite struct ReceiverLimitTests {
  private static let main = OutputSettings(name: "main", width: 1280, height: 720, fps: 30, bitrate: 1_500_000)
  private static let low = OutputSettings(name: "low", width: 320, height: 180, fps: 15, bitrate: 150_000)

  /// What somebody may be sent of pictures whose offer has these lines.
  private func ladder(
    _ outputs: [OutputSettings] = [main], output: String? = nil, session: String = "", video: String = ""
  ) async throws -> (ladder: VideoLadder?, described: ParticipantDescription) {
    let house = try House { $0.outputs = outputs }
    let events = await house.events("r")
    var request = house.request("r", kind: .watch, output: output)
    request.offer = Self.offer(session: session, video: video)
    let answer = try await house.conferences.join(request)
    let peer = try #require(house.transport.peers.last)
    house.transport.observer(peer)?.peerDidConnect(peer)
    await events.next { if case .participantJoined = $0 { true } else { false } }
    let described = try await house.conferences.participant(room: "r", id: answer.participant)
    await house.conferences.stop()
    return (house.transport.ladder(peer), described)
  }

  private static func offer(session: String, video: String) -> String {
    let lines = House.offer(Simulation.watching).1.split(separator: "\r\n", omittingEmptySubsequences: true)
    return lines.map { line in
      if line.hasPrefix("t="), !session.isEmpty { return session + "\r\n" + line + "\r\n" }
      return line + "\r\n"
    }.joined() + (video.isEmpty ? "" : video + "\r\n")
  }

  @Test(arguments: [64_000, 128_000, 500_000, 1_000_000])
  func aThinReceiverIsGivenAPictureWithinItsLimitThoughTheRoomHasNone(limit: Int) async throws {
    for line in ["b=AS:\(limit / 1_000)", "b=TIAS:\(limit)"] {
      let (ladder, described) = try await ladder(video: line)
      let rates = try #require(ladder).rungs.map { $0.layers.last?.bitsPerSecond ?? .max }
      #expect(described.isAutomatic && described.audioOutput == "auto")
      #expect(!rates.isEmpty && rates.allSatisfy { $0 <= limit }, "\(rates)")
      #expect((rates.first ?? 0) * 3 > limit, "much less than he would take: \(rates)")
    }
  }

  @Test func anOutputOfTheRoomThatFitsIsTaken() async throws {
    let (ladder, _) = try await ladder([Self.main, Self.low], video: "b=AS:300")
    #expect(try #require(ladder).rungs.count == 1)
    #expect(try #require(ladder).rungs[0].layers.last?.framesPerSecond == 15)
  }

  @Test func aLimitOnEverythingLeavesRoomForTheSound() async throws {
    let (ladder, _) = try await ladder(session: "b=AS:64")
    let rates = try #require(ladder).rungs.map { $0.layers.last?.bitsPerSecond ?? .max }
    #expect(!rates.isEmpty && rates.allSatisfy { $0 <= 40_000 }, "\(rates)")
  }

  @Test func whereNoPictureIsSmallEnoughThereIsNone() async throws {
    let (ladder, described) = try await ladder(video: "b=AS:20")
    #expect(ladder == nil && described.isAutomatic && described.audioOutput == "auto")
  }

  @Test(arguments: ["", "b=AS:4000", "b=CT:10", "b=AS:18446744073709551615"])
  func whoHasRoomForTheFirstOutputIsGivenThatOne(_ line: String) async throws {
    let (ladder, described) = try await ladder(video: line)
    #expect(try #require(ladder).isAutomatic == false && !described.isAutomatic && described.output == "main")
  }

  @Test func whoNamesAnOutputIsGivenThatOne() async throws {
    let (ladder, described) = try await ladder([Self.low, Self.main], output: "main", video: "b=AS:64")
    #expect(try #require(ladder).isAutomatic == false && described.output == "main")
  }

  // MARK: Sound

  /// What comes of sound in a second, and milliseconds a packet.
  private func sound(_ settings: AudioSettings = AudioSettings(), _ change: (inout SoundWishes) -> Void) throws -> (
    bitsPerSecond: Int, ptime: Int, frames: [EncodedFrame]
  ) {
    let room = try MixRoom(settings: settings)
    try room.join(1, hertz: 400)
    var wishes = SoundWishes()
    change(&wishes)
    let listener = try room.join(2, hertz: 1_000, sends: false, wishes: wishes)
    room.run(seconds: 2)
    listener.frames.removeAll()
    room.run(seconds: 3)
    let bits = listener.frames.reduce(0) { $0 + $1.payload.bytes.count * 8 } / 3
    let step = zip(listener.frames, listener.frames.dropFirst()).map { $1.timestamp.distance(from: $0.timestamp) }.min() ?? 0
    #expect(listener.level(400) > 65, "he hears who speaks")
    return (bits, Int(step) / 48, listener.frames)
  }

  @Test func opusStaysWithinItsMaximumAverageBitRate() throws {
    let free = try sound { _ in }
    #expect(free.ptime == 20)
    for limit in [24_000, 16_000, 9_000] {
      let limited = try sound { $0.bitsPerSecondMax = limit }
      #expect(limited.bitsPerSecond <= limit && limited.ptime == 20, "\(limited.bitsPerSecond) of \(limit)")
    }
  }

  @Test func aLimitWithHeadersIsKeptByLongerPackets() throws {
    for (limit, ptime) in [(64_000, 20), (40_000, 40), (24_000, 120)] {
      let limited = try sound { $0.wireBitsPerSecondMax = limit }
      #expect(limited.ptime == ptime)
      #expect(
        limited.bitsPerSecond + 72 * 8 * 1_000 / limited.ptime <= limit, "\(limited.bitsPerSecond) and headers of \(limit)")
    }
    let short = try sound {
      $0.wireBitsPerSecondMax = 24_000
      $0.packetTimes = 20...40
    }
    #expect(short.ptime == 40)
  }

  @Test func packetsAreAsLongAsTheReceiverWants() throws {
    #expect(try sound { $0.packetTimes = 60...120 }.ptime == 60)
    #expect(try sound { $0.packetTimes = 40...40 }.ptime == 40)
  }

  @Test func oneChannelIsSentToWhoHasNoUseForTwo() throws {
    let isStereo = { (frame: EncodedFrame) in (frame.payload.bytes.first ?? 0) & 4 != 0 }
    let stereo = AudioSettings(bitrate: 64_000, stereo: true, mode: .music)
    #expect(try sound(stereo) { _ in }.frames.allSatisfy(isStereo))
    #expect(try sound(stereo) { $0.prefersMono = true }.frames.contains(where: isStereo) == false)
  }

  @Test func whatIsNotPlayedIsNotSent() throws {
    // Configurations of narrow band: SILK 0 to 3, CELT 16 to 19 (RFC 6716 section 3.1).
    let narrow = try sound { $0.playbackRateMax = 8_000 }.frames.map { ($0.payload.bytes.first ?? 0) >> 3 }
    #expect(narrow.allSatisfy { $0 < 4 || (16..<20).contains($0) }, "\(Set(narrow))")
  }

  @Test func whoWantsPacketsInSilenceGetsThem() throws {
    let room = try MixRoom(settings: AudioSettings())
    var wishes = SoundWishes()
    wishes.prefersContinuous = true
    let steady = try room.join(1, hertz: 0, sends: false, wishes: wishes)
    let other = try room.join(2, hertz: 0, sends: false)
    room.run(seconds: 5)
    #expect(steady.frames.count > 240 && other.frames.count < 100, "\(steady.frames.count), \(other.frames.count)")
  }

  @Test func receiversOfAboutTheSameWishShareAnEncode() throws {
    let room = try MixRoom(settings: AudioSettings())
    try room.join(1, hertz: 400)
    for (index, limit) in [20_000, 21_000, 23_999, 64_000, 32_000].enumerated() {
      var wishes = SoundWishes()
      wishes.bitsPerSecondMax = limit
      try room.join(UInt32(index + 2), hertz: 0, sends: false, wishes: wishes)
    }
    room.run(seconds: 2)
    let outputs = room.talkers.compactMap { room.transport.subscription($0.peer, .audio) }
    #expect(outputs.count == 6 && Set(outputs).count == 3, "himself, 20 kb/s, and as it is")
  }

  @Test func wishesOfThoseWhoLeftMakeRoomForOthers() throws {
    let room = try MixRoom(settings: AudioSettings())
    try room.join(1, hertz: 400)
    let kept = try room.join(2, hertz: 0, sends: false)
    for round in 0..<4 {
      var guests: [Talker] = []
      for index in 0..<10 {
        var wish = SoundWishes()
        (wish.bitsPerSecondMax, wish.packetTimes) = (
          [6, 8, 10, 12, 16, 20, 24][index % 7] * 1_000, 20 * (1 + round % 2)...120
        )
        if index >= 7 { wish.playbackRateMax = 8_000 + 4_000 * round }
        guests.append(try room.join(UInt32(100 * round + index + 10), hertz: 0, sends: false, wishes: wish))
      }
      room.run(seconds: 1)
      #expect(Set(guests.compactMap { room.transport.subscription($0.peer, .audio) }).count == 10, "each as he wants")
      for guest in guests { room.leave(guest) }
    }
    #expect(kept.level(400) > 65)
  }

  @Test func anyNumberOfDifferentWishesIsServedWithinTheirLimits() throws {
    let room = try MixRoom(settings: AudioSettings())
    var wishes: [SoundWishes] = []
    for limit in stride(from: 6_000, through: 40_000, by: 2_000) {
      for ptime in [20, 40, 60, 120] {
        for rate in [8_000, 16_000, 48_000] {
          var wish = SoundWishes()
          (wish.bitsPerSecondMax, wish.packetTimes, wish.playbackRateMax) = (limit, ptime...120, rate)
          wishes.append(wish)
        }
      }
    }
    for (index, wish) in wishes.enumerated() { try room.join(UInt32(index + 1), hertz: 0, sends: false, wishes: wish) }
    room.run(seconds: 1)
    // The room's three, and twelve besides.
    #expect(Set(room.talkers.compactMap { room.transport.subscription($0.peer, .audio) }).count <= 15)
    for (talker, wish) in zip(room.talkers, wishes) {
      let bits = talker.frames.map { $0.payload.bytes.count * 8 }.reduce(0, +)
      #expect(!talker.frames.isEmpty && bits <= wish.bitsPerSecondMax ?? 0, "\(bits) bits in a second of silence")
    }
  }
}
