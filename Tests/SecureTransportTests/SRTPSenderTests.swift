import SecureTransport
import TestSupport
import Testing

@Suite struct SRTPSenderTests {
  @Test(arguments: bothProfiles) func packetsOfEveryLengthEqualLibsrtps(profile: SRTPProfile) throws {
    let keys = sharedKeys(profile)
    let sender = try SRTPSender(keys)
    let oracle = SRTPOracle(keys.local, profile: profile)
    var random = SeededRandom(seed: 3)
    for length in 0...1400 {
      let packet = rtpPacket(sequenceNumber: UInt16(length), payload: length, using: &random)
      let ours = try sender.protected(rtp: packet)
      #expect(ours == oracle.protectRTP(packet), "payload of \(length) bytes")
      #expect(ours.count == packet.count + profile.rtpOverhead)
    }
  }

  @Test(arguments: CipherLibrary.allCases) func eachLibrarysPacketsAndReportsEqualLibsrtps(library: CipherLibrary) throws {
    let keys = sharedKeys(.aeadAES128GCM, seed: 5)
    let sender = try SRTPSender(keys, library: library)
    let receiver = try SRTPReceiver(keys, library: library)
    let oracle = SRTPOracle(keys.local, profile: .aeadAES128GCM)
    var random = SeededRandom(seed: 4)
    for length in 0...1400 {
      let packet = rtpPacket(sequenceNumber: UInt16(length), payload: length, using: &random)
      let protected = try sender.protected(rtp: packet)
      #expect(protected == oracle.protectRTP(packet), "payload of \(length) bytes")
      #expect(try receiver.unprotected(rtp: protected) == packet)
      let report = rtcpPacket(body: length & ~3, using: &random)
      let protectedReport = try sender.protected(rtcp: report)
      #expect(protectedReport == oracle.protectRTCP(report), "report of \(report.count) bytes")
      #expect(try receiver.unprotected(rtcp: protectedReport) == report)
    }
  }

  @Test(arguments: CipherLibrary.allCases) func eachLibraryNoticesEveryChangedBit(library: CipherLibrary) throws {
    let keys = sharedKeys(.aeadAES128GCM)
    let receiver = try SRTPReceiver(keys, library: library)
    var random = SeededRandom(seed: 6)
    let plain = rtpPacket(sequenceNumber: 9, payload: 37, using: &random)
    let packet = try SRTPSender(keys, library: library).protected(rtp: plain)
    for bit in 16..<(packet.count * 8) {
      var changed = packet
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: SRTPReceiveError.self) { try receiver.unprotected(rtp: changed) }
    }
    #expect(try receiver.unprotected(rtp: packet) == plain)
  }

  @Test(arguments: bothProfiles) func contributorsAndHeaderExtensionsStayInTheClear(profile: SRTPProfile) throws {
    let keys = sharedKeys(profile)
    let sender = try SRTPSender(keys)
    let oracle = SRTPOracle(keys.local, profile: profile)
    var random = SeededRandom(seed: 4)
    var sequenceNumber: UInt16 = 0
    for csrcs in 0...15 {
      for words in [nil, 0, 1, 5, 40] {
        sequenceNumber += 1
        let packet = rtpPacket(
          sequenceNumber: sequenceNumber, payload: 200, csrcs: csrcs, extensionWords: words, using: &random)
        let ours = try sender.protected(rtp: packet)
        #expect(ours == oracle.protectRTP(packet))
        #expect(ours.prefix(packet.count - 200) == packet.prefix(packet.count - 200))
      }
    }
  }

  @Test(arguments: bothProfiles) func severalRollOversEqualLibsrtps(profile: SRTPProfile) throws {
    let keys = sharedKeys(profile)
    let sender = try SRTPSender(keys)
    let oracle = SRTPOracle(keys.local, profile: profile)
    var random = SeededRandom(seed: 5)
    var sequenceNumber: UInt16 = 65_530
    for step in 0..<400 {
      let ssrc: UInt32 = 0xA000_0000 + UInt32(step % 3)
      let packet = rtpPacket(
        ssrc: ssrc, sequenceNumber: sequenceNumber, payload: Int.random(in: 0...300, using: &random), using: &random)
      #expect(try sender.protected(rtp: packet) == oracle.protectRTP(packet), "step \(step)")
      // Slowly over the first wrap, then in leaps, so that each stream wraps several times.
      sequenceNumber &+= step < 30 ? 1 : UInt16.random(in: 1...9_000, using: &random)
    }
  }

  @Test(arguments: bothProfiles) func aPacketSentAgainIsTheSameDatagramAlsoAcrossARollOver(profile: SRTPProfile) throws {
    let sender = try SRTPSender(sharedKeys(profile))
    var random = SeededRandom(seed: 6)
    let numbers = (0..<40).map { UInt16(truncatingIfNeeded: 65_520 + $0) }
    let packets = numbers.map { rtpPacket(sequenceNumber: $0, payload: 100, using: &random) }
    let sent = try packets.map { try sender.protected(rtp: $0) }
    for (packet, datagram) in zip(packets, sent) {
      #expect(throws: SRTPSendError.indexAlreadyUsed) { try sender.protected(rtp: packet) }
      #expect(try sender.protectedAgain(rtp: packet) == datagram)
    }
    // A number that is still to come, and a source that never sent.
    for other in [
      rtpPacket(sequenceNumber: 500, payload: 10, using: &random),
      rtpPacket(ssrc: 77, sequenceNumber: 1, payload: 10, using: &random),
    ] {
      #expect(throws: SRTPSendError.malformed) { try sender.protectedAgain(rtp: other) }
    }
    // The stream goes on as if nothing had been sent again.
    let next = rtpPacket(sequenceNumber: 24, payload: 100, using: &random)
    #expect(try sender.protected(rtp: next).count == next.count + profile.rtpOverhead)
  }

  @Test(arguments: bothProfiles) func reportsEqualLibsrtps(profile: SRTPProfile) throws {
    let keys = sharedKeys(profile)
    let sender = try SRTPSender(keys)
    let oracle = SRTPOracle(keys.local, profile: profile)
    var random = SeededRandom(seed: 6)
    for length in 0...1400 {
      let packet = rtcpPacket(ssrc: UInt32(length % 3), body: length, using: &random)
      let ours = try sender.protected(rtcp: packet)
      #expect(ours == oracle.protectRTCP(packet), "body of \(length) bytes")
      #expect(ours.count == packet.count + profile.rtcpOverhead)
    }
  }

  @Test(arguments: bothProfiles) func manySeedsOfKeysEqualLibsrtps(profile: SRTPProfile) throws {
    for seed in 1...50 as ClosedRange<UInt64> {
      let keys = sharedKeys(profile, seed: seed)
      let sender = try SRTPSender(keys)
      let oracle = SRTPOracle(keys.local, profile: profile)
      var random = SeededRandom(seed: seed)
      let ssrc = UInt32.random(in: 0...(.max), using: &random)
      let packet = rtpPacket(ssrc: ssrc, sequenceNumber: 9, payload: 77, using: &random)
      #expect(try sender.protected(rtp: packet) == oracle.protectRTP(packet))
      let report = rtcpPacket(ssrc: ssrc, body: 44, using: &random)
      #expect(try sender.protected(rtcp: report) == oracle.protectRTCP(report))
    }
  }

  @Test(arguments: bothProfiles) func noIndexIsUsedTwice(profile: SRTPProfile) throws {
    let sender = try SRTPSender(sharedKeys(profile))
    var random = SeededRandom(seed: 7)
    _ = try sender.protected(rtp: rtpPacket(sequenceNumber: 1_000, payload: 10, using: &random))
    for older: UInt16 in [1_000, 999, 0, 65_535, 1_000 &+ 0x8000] {
      let packet = rtpPacket(sequenceNumber: older, payload: 10, using: &random)
      #expect(throws: SRTPSendError.indexAlreadyUsed) { try sender.protected(rtp: packet) }
    }
    let newer = rtpPacket(sequenceNumber: 1_000 + 0x7FFF, payload: 10, using: &random)
    #expect(try sender.protected(rtp: newer).count > 0)
    let otherStream = rtpPacket(ssrc: 9, sequenceNumber: 1_000, payload: 10, using: &random)
    #expect(try sender.protected(rtp: otherStream).count > 0)
  }

  @Test(arguments: bothProfiles) func malformedPacketsAreRefusedAndLeftAlone(profile: SRTPProfile) throws {
    let sender = try SRTPSender(sharedKeys(profile))
    var random = SeededRandom(seed: 8)
    let packet = rtpPacket(sequenceNumber: 1, payload: 0, csrcs: 3, extensionWords: 2, using: &random)
    for length in 0..<packet.count {
      let cut = Array(packet.prefix(length))
      #expect(throws: SRTPSendError.malformed) { try sender.protected(rtp: cut) }
      if length < 8 { #expect(throws: SRTPSendError.malformed) { try sender.protected(rtcp: cut) } }
    }
    for room in 0..<profile.rtpOverhead {
      var bytes = packet + [UInt8](repeating: 0, count: room)
      #expect(throws: SRTPSendError.noRoom) {
        var span = bytes.mutableSpan
        _ = try sender.protectRTP(&span, length: packet.count)
      }
      #expect(Array(bytes.prefix(packet.count)) == packet)
    }
    #expect(try sender.protected(rtp: packet).count == packet.count + profile.rtpOverhead)
  }

  @Test func moreStreamsThanTheLimitAreRefused() throws {
    let sender = try SRTPSender(sharedKeys(.aeadAES128GCM))
    var random = SeededRandom(seed: 9)
    for ssrc in 0..<SRTPSender.mostStreams {
      _ = try sender.protected(rtp: rtpPacket(ssrc: UInt32(ssrc), sequenceNumber: 1, payload: 1, using: &random))
    }
    let oneMore = rtpPacket(ssrc: 0xFFFF_FFFF, sequenceNumber: 1, payload: 1, using: &random)
    #expect(throws: SRTPSendError.tooManyStreams) { try sender.protected(rtp: oneMore) }
  }

  @Test(arguments: bothProfiles) func protectingAllocatesNothing(profile: SRTPProfile) throws {
    let sender = try SRTPSender(sharedKeys(profile))
    var random = SeededRandom(seed: 10)
    let packet = rtpPacket(sequenceNumber: 0, payload: 1_100, extensionWords: 3, using: &random)
    let report = rtcpPacket(body: 60, using: &random)
    var bytes = [UInt8](repeating: 0, count: 1_500)
    func round(_ sequenceNumber: UInt16) throws {
      var span = bytes.mutableSpan
      for place in packet.indices { span[place] = packet[place] }
      span[2] = UInt8(sequenceNumber >> 8)
      span[3] = UInt8(sequenceNumber & 255)
      span[11] = UInt8(sequenceNumber % 4)
      _ = try sender.protectRTP(&span, length: packet.count)
      for place in report.indices { span[place] = report[place] }
      _ = try sender.protectRTCP(&span, length: report.count)
    }
    for number in 0..<100 as Range<UInt16> { try round(number) }
    let count = try allocations { for number in 100..<1_100 as Range<UInt16> { try round(number) } }
    #expect(count == 0)
  }
}
