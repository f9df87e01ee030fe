import SecureTransport
import TestSupport
import Testing

@Suite struct SRTPReceiverTests {
  @Test(arguments: bothProfiles) func whatIsSentIsReceived(profile: SRTPProfile) throws {
    let keys = sharedKeys(profile)
    let sender = try SRTPSender(keys)
    let receiver = try SRTPReceiver(keys)
    var random = SeededRandom(seed: 1)
    var sequenceNumber: UInt16 = 65_000
    for length in 0...1400 {
      let packet = rtpPacket(
        sequenceNumber: sequenceNumber, payload: length, csrcs: length % 16, extensionWords: length % 5, using: &random)
      #expect(try receiver.unprotected(rtp: sender.protected(rtp: packet)) == packet)
      let report = rtcpPacket(body: length, using: &random)
      #expect(try receiver.unprotected(rtcp: sender.protected(rtcp: report)) == report)
      sequenceNumber &+= 61
    }
    #expect(receiver.streamCount == 1)
  }

  @Test(arguments: bothProfiles) func aReplayedPacketIsDropped(profile: SRTPProfile) throws {
    let keys = sharedKeys(profile)
    let sender = try SRTPSender(keys)
    let receiver = try SRTPReceiver(keys)
    var random = SeededRandom(seed: 2)
    var history: [[UInt8]] = []
    for number in 0..<2_000 as Range<UInt16> {
      history.append(try sender.protected(rtp: rtpPacket(sequenceNumber: number, payload: 30, using: &random)))
    }
    let late = history.remove(at: 1_500)
    for packet in history { _ = try receiver.unprotected(rtp: packet) }
    for packet in history { #expect(throws: SRTPReceiveError.replayed) { try receiver.unprotected(rtp: packet) } }
    #expect(try receiver.unprotected(rtp: late).count == 42)

    let report = try sender.protected(rtcp: rtcpPacket(body: 24, using: &random))
    _ = try receiver.unprotected(rtcp: report)
    #expect(throws: SRTPReceiveError.replayed) { try receiver.unprotected(rtcp: report) }
  }

  @Test(arguments: bothProfiles) func everyTruncationIsDroppedAndHarmsNothing(profile: SRTPProfile) throws {
    let keys = sharedKeys(profile)
    let sender = try SRTPSender(keys)
    let receiver = try SRTPReceiver(keys)
    var random = SeededRandom(seed: 3)
    let packet = rtpPacket(sequenceNumber: 40_000, payload: 90, csrcs: 2, extensionWords: 2, using: &random)
    let report = rtcpPacket(body: 60, using: &random)
    let rtp = try sender.protected(rtp: packet)
    let rtcp = try sender.protected(rtcp: report)
    for length in 0..<rtp.count {
      #expect(throws: SRTPReceiveError.self) { try receiver.unprotected(rtp: Array(rtp.prefix(length))) }
    }
    for length in 0..<rtcp.count {
      #expect(throws: SRTPReceiveError.self) { try receiver.unprotected(rtcp: Array(rtcp.prefix(length))) }
    }
    #expect(receiver.streamCount == 0)
    #expect(try receiver.unprotected(rtp: rtp) == packet)
    #expect(try receiver.unprotected(rtcp: rtcp) == report)
  }

  @Test(arguments: bothProfiles) func shortPacketsWithValidTagsAreWhole(profile: SRTPProfile) throws {
    let keys = sharedKeys(profile)
    let sender = try SRTPSender(keys)
    let receiver = try SRTPReceiver(keys)
    var random = SeededRandom(seed: 4)
    for payload in 0...20 {
      let packet = rtpPacket(sequenceNumber: UInt16(payload), payload: payload, using: &random)
      #expect(try receiver.unprotected(rtp: sender.protected(rtp: packet)) == packet)
      let report = rtcpPacket(body: payload, using: &random)
      #expect(try receiver.unprotected(rtcp: sender.protected(rtcp: report)) == report)
    }
  }

  @Test(arguments: bothProfiles) func noiseOfEveryLengthIsDropped(profile: SRTPProfile) throws {
    let receiver = try SRTPReceiver(sharedKeys(profile))
    var random = SeededRandom(seed: 5)
    for length in 0...300 {
      for _ in 0..<10 {
        var noise = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
        if length > 0, Bool.random(using: &random) { noise[0] = 0x80 | noise[0] & 0x1F }
        #expect(throws: SRTPReceiveError.self) { try receiver.unprotected(rtp: noise) }
        #expect(throws: SRTPReceiveError.self) { try receiver.unprotected(rtcp: noise) }
      }
    }
    #expect(receiver.streamCount == 0)
  }

  @Test(arguments: bothProfiles) func everyChangedBitIsNoticed(profile: SRTPProfile) throws {
    let keys = sharedKeys(profile)
    let sender = try SRTPSender(keys)
    let receiver = try SRTPReceiver(keys)
    var random = SeededRandom(seed: 6)
    let packet = rtpPacket(sequenceNumber: 7, payload: 20, csrcs: 1, extensionWords: 1, using: &random)
    let rtp = try sender.protected(rtp: packet)
    for bit in 0..<(rtp.count * 8) {
      var changed = rtp
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: SRTPReceiveError.self) { try receiver.unprotected(rtp: changed) }
    }
    #expect(try receiver.unprotected(rtp: rtp) == packet)
  }

  @Test(arguments: bothProfiles) func aStreamWhoseFirstPacketsWereLostOverARollOverIsReceived(profile: SRTPProfile) throws {
    for first in 65_530...65_535 as ClosedRange<UInt16> {
      let keys = sharedKeys(profile)
      let sender = try SRTPSender(keys)
      let receiver = try SRTPReceiver(keys)
      var random = SeededRandom(seed: 7)
      var sequenceNumber = first
      for step in 0..<40 {
        let packet = rtpPacket(sequenceNumber: sequenceNumber, payload: 50, using: &random)
        let protected = try sender.protected(rtp: packet)
        // Everything before the roll-over is lost, and a little more.
        if sequenceNumber < 0x8000 && sequenceNumber >= 3 {
          #expect(try receiver.unprotected(rtp: protected) == packet, "first \(first), step \(step)")
        }
        sequenceNumber &+= 1
      }
      let leap = rtpPacket(sequenceNumber: 30_000, payload: 50, using: &random)
      #expect(try receiver.unprotected(rtp: sender.protected(rtp: leap)) == leap)
    }
  }

  @Test(arguments: bothProfiles) func aStreamIsFollowedOverManyRollOvers(profile: SRTPProfile) throws {
    let keys = sharedKeys(profile)
    let sender = try SRTPSender(keys)
    let receiver = try SRTPReceiver(keys)
    let oracle = SRTPOracle(keys.local, profile: profile, outbound: false)
    var random = SeededRandom(seed: 8)
    var sequenceNumber: UInt16 = 60_000
    for _ in 0..<200 {
      let packet = rtpPacket(sequenceNumber: sequenceNumber, payload: 50, using: &random)
      let protected = try sender.protected(rtp: packet)
      if Double.random(in: 0..<1, using: &random) < 0.8 {
        #expect(try receiver.unprotected(rtp: protected) == packet)
        #expect(oracle.unprotectRTP(protected) == packet)
      }
      sequenceNumber &+= 4_000
    }
  }

  @Test(arguments: bothProfiles) func streamsAreLimited(profile: SRTPProfile) throws {
    let keys = sharedKeys(profile)
    let sender = try SRTPSender(keys)
    let receiver = try SRTPReceiver(keys)
    var random = SeededRandom(seed: 9)
    for ssrc in 0..<SRTPReceiver.mostStreams {
      let packet = rtpPacket(ssrc: UInt32(ssrc), sequenceNumber: 1, payload: 5, using: &random)
      _ = try receiver.unprotected(rtp: sender.protected(rtp: packet))
    }
    let rtp = try sender.protected(rtp: rtpPacket(ssrc: 1_000, sequenceNumber: 1, payload: 5, using: &random))
    let rtcp = try sender.protected(rtcp: rtcpPacket(ssrc: 1_000, body: 16, using: &random))
    #expect(throws: SRTPReceiveError.tooManyStreams) { try receiver.unprotected(rtp: rtp) }
    #expect(throws: SRTPReceiveError.tooManyStreams) { try receiver.unprotected(rtcp: rtcp) }
    #expect(receiver.streamCount == SRTPReceiver.mostStreams)
    let known = try sender.protected(rtp: rtpPacket(ssrc: 3, sequenceNumber: 2, payload: 5, using: &random))
    #expect(try receiver.unprotected(rtp: known).count == 17)
  }

  @Test(arguments: bothProfiles) func receivingAllocatesNothing(profile: SRTPProfile) throws {
    let keys = sharedKeys(profile)
    let sender = try SRTPSender(keys)
    let receiver = try SRTPReceiver(keys)
    var random = SeededRandom(seed: 10)
    var packets: [[UInt8]] = []
    for number in 0..<1_100 as Range<UInt16> {
      packets.append(try sender.protected(rtp: rtpPacket(sequenceNumber: number, payload: 500, using: &random)))
    }
    func unprotect(_ range: Range<Int>) throws {
      for place in range {
        var span = packets[place].mutableSpan
        _ = try receiver.unprotectRTP(&span)
      }
    }
    try unprotect(0..<100)
    let count = try allocations { try unprotect(100..<1_100) }
    #expect(count == 0)
  }

  /// Reordered, repeated, lost and far ahead, over roll-overs: libsrtp2 is held beside us packet by packet.
  @Test(arguments: 1...12) func whatIsTakenIsWhatLibsrtpTakes(seed: Int) throws {
    let profile = bothProfiles[seed % 2]
    let keys = sharedKeys(profile)
    let sender = try SRTPSender(keys)
    let receiver = try SRTPReceiver(keys)
    let oracle = SRTPOracle(keys.local, profile: profile, outbound: false)
    var random = SeededRandom(seed: UInt64(seed))
    // From the upper half: what begins in the lower one may have rolled over, which we find out and libsrtp2 does not.
    var sequenceNumber = UInt16.random(in: 0x8000...0xFFF0, using: &random)
    var sent: [[UInt8]] = []
    var taken = 0
    for _ in 0..<3_000 {
      let step = UInt16.random(in: 0..<100, using: &random) == 0 ? UInt16.random(in: 1...0x7000, using: &random) : 1
      sequenceNumber &+= step
      sent.append(try sender.protected(rtp: rtpPacket(sequenceNumber: sequenceNumber, payload: 40, using: &random)))
      let back = UInt16.random(in: 0..<4, using: &random) == 0 ? Int.random(in: 0..<1_200, using: &random) : 0
      let packet = sent[max(sent.count - 1 - back, 0)]
      let ours = try? receiver.unprotected(rtp: packet)
      #expect(ours == oracle.unprotectRTP(packet))
      if ours != nil { taken += 1 }
    }
    #expect(taken > 2_000)
  }

  @Test(arguments: bothProfiles) func reportsAreTakenAsLibsrtpTakesThem(profile: SRTPProfile) throws {
    let keys = sharedKeys(profile)
    let protector = SRTPOracle(keys.local, profile: profile)
    let receiver = try SRTPReceiver(keys)
    let oracle = SRTPOracle(keys.local, profile: profile, outbound: false)
    var random = SeededRandom(seed: 13)
    var sent: [[UInt8]] = []
    for index in 0..<400 {
      sent.append(try #require(protector.protectRTCP(rtcpPacket(body: index % 60 * 4, using: &random))))
      let packet = sent[max(sent.count - 1 - (index % 5 == 0 ? Int.random(in: 0..<100, using: &random) : 0), 0)]
      let ours = try? receiver.unprotected(rtcp: packet)
      #expect(ours == oracle.unprotectRTCP(packet))
    }
  }

  @Test(arguments: bothProfiles) func aReportInTheClearIsRefused(profile: SRTPProfile) throws {
    let keys = sharedKeys(profile)
    let sender = try SRTPSender(keys)
    let receiver = try SRTPReceiver(keys)
    var random = SeededRandom(seed: 14)
    var report = try sender.protected(rtcp: rtcpPacket(body: 24, using: &random))
    report[profile == .aeadAES128GCM ? report.count - 4 : report.count - 14] &= 0x7F
    #expect(throws: SRTPReceiveError.unauthenticated) { try receiver.unprotected(rtcp: report) }
  }
}
