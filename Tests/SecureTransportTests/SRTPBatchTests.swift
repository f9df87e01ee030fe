import Bytes
import SecureTransport
import TestSupport
import Testing

/// Packets of AES_CM that are sealed together, each with its own peer's keys.
@Suite struct SRTPBatchTests {
  /// Packets for one peer each, back to back in one block, as the network thread has them.
  private struct Block: ~Copyable {
    var bytes: [UInt8] = []
    var batch: SRTPBatch
    /// What libsrtp2 makes of the same packets.
    var expected: [UInt8] = []

    init(_ library: CipherLibrary = .fastest) { batch = SRTPBatch(library: library) }

    mutating func add(_ packet: [UInt8], from sender: SRTPSender, isAgain: Bool = false) throws {
      let start = bytes.count
      var own = packet + [UInt8](repeating: 0xAA, count: sender.rtpOverhead)
      var slot = own.mutableSpan
      let length = try sender.protectRTP(&slot, length: packet.count, isAgain: isAgain, at: start, with: &batch)
      #expect(length == own.count)
      bytes += own
    }

    mutating func seal() { bytes.withUnsafeMutableBytes { batch.seal($0) } }
  }

  private struct Peer {
    let sender: SRTPSender
    let oracle: SRTPOracle
    let profile: SRTPProfile

    init(_ number: Int, _ profile: SRTPProfile = .aes128CMHMACSHA1_80, library: CipherLibrary = .fastest) throws {
      let keys = sharedKeys(profile, seed: UInt64(number + 1))
      self.profile = profile
      sender = try SRTPSender(keys, library: library)
      oracle = SRTPOracle(keys.local, profile: profile)
    }
  }

  private static let isOnAMD64: Bool = {
    #if arch(x86_64)
      true
    #else
      false
    #endif
  }()

  @Test func packetsWaitForOneAnotherOnlyWhereTheProcessorGainsByIt() throws {
    var random = SeededRandom(seed: 1)
    for library in CipherLibrary.allCases {
      var block = Block(library)
      let sender = try SRTPSender(sharedKeys(.aes128CMHMACSHA1_80), library: library)
      let packet = rtpPacket(sequenceNumber: 1, payload: 100, using: &random)
      try block.add(packet, from: sender)
      let waits = library == .fastest && Self.isOnAMD64
      #expect(block.batch.count == (waits ? 1 : 0))
      #expect(block.bytes.starts(with: packet) == waits)
      block.seal()
      #expect(block.batch.count == 0 && !block.bytes.starts(with: packet))
    }
  }

  @Test(arguments: CipherLibrary.allCases) func asManyAsComeEqualLibsrtpsPacketForPacket(library: CipherLibrary) throws {
    let peers = try (0..<64).map { try Peer($0, library: library) }
    var random = SeededRandom(seed: 2)
    for count in 1...64 {
      var block = Block(library)
      for peer in peers.prefix(count) {
        let packet = rtpPacket(sequenceNumber: UInt16(count), payload: 570, using: &random)
        try block.add(packet, from: peer.sender)
        block.expected += try #require(peer.oracle.protectRTP(packet))
      }
      block.seal()
      #expect(block.bytes == block.expected, "\(count) packets")
    }
  }

  /// Every length, header extensions, contributors, several packets of one peer, and roll-over counters that differ.
  @Test(arguments: CipherLibrary.allCases) func mixedPacketsOfManyKeysEqualLibsrtpsOverRollOvers(library: CipherLibrary) throws
  {
    let peers = try (0..<40).map { try Peer($0, library: library) }
    var numbers = peers.indices.map { UInt16(65_500 - 1_500 * $0) }
    var random = SeededRandom(seed: 3)
    var lengths = (0...1_400).shuffled(using: &random)
    while !lengths.isEmpty {
      var block = Block(library)
      for length in lengths.suffix(Int.random(in: 1...64, using: &random)) {
        let peer = Int.random(in: peers.indices, using: &random)
        let packet = rtpPacket(
          ssrc: UInt32(peer), sequenceNumber: numbers[peer], payload: length, csrcs: length % 16,
          extensionWords: length % 3 == 0 ? nil : length % 5, using: &random)
        numbers[peer] &+= UInt16.random(in: 1...9_000, using: &random)
        try block.add(packet, from: peers[peer].sender)
        block.expected += try #require(peers[peer].oracle.protectRTP(packet))
        lengths.removeLast()
      }
      block.seal()
      #expect(block.bytes == block.expected)
    }
  }

  @Test func packetsOfBothProfilesMayLieInOneBlock() throws {
    let peers = try (0..<50).map { try Peer($0, bothProfiles[$0 % 2]) }
    var random = SeededRandom(seed: 4)
    for number in 1...20 as ClosedRange<UInt16> {
      var block = Block()
      for peer in peers {
        let packet = rtpPacket(sequenceNumber: number, payload: Int.random(in: 0...300, using: &random), using: &random)
        try block.add(packet, from: peer.sender)
        block.expected += try #require(peer.oracle.protectRTP(packet))
      }
      block.seal()
      #expect(block.bytes == block.expected)
    }
  }

  @Test func aPacketSentAgainIsTheSameDatagram() throws {
    let sender = try SRTPSender(sharedKeys(.aes128CMHMACSHA1_80))
    var random = SeededRandom(seed: 5)
    let packets = (0..<40).map {
      rtpPacket(sequenceNumber: UInt16(truncatingIfNeeded: 65_520 + $0), payload: 90, using: &random)
    }
    var first = Block()
    for packet in packets { try first.add(packet, from: sender) }
    first.seal()
    var again = Block()
    for packet in packets { try again.add(packet, from: sender, isAgain: true) }
    again.seal()
    #expect(again.bytes == first.bytes)
    #expect(throws: SRTPSendError.indexAlreadyUsed) { try again.add(packets[7], from: sender) }
  }

  @Test func aPacketIsSealedThoughItsPeerHasGone() throws {
    var random = SeededRandom(seed: 6)
    var block = Block()
    for number in 0..<20 {
      let packet = rtpPacket(sequenceNumber: 3, payload: 200, using: &random)
      let peer = try Peer(number)
      try block.add(packet, from: peer.sender)
      block.expected += try #require(peer.oracle.protectRTP(packet))
    }
    block.seal()
    #expect(block.bytes == block.expected)
  }

  @Test func whatIsForgottenIsNotTouched() throws {
    let sender = try SRTPSender(sharedKeys(.aes128CMHMACSHA1_80))
    var random = SeededRandom(seed: 7)
    var block = Block()
    for number in 0..<30 as Range<UInt16> {
      try block.add(rtpPacket(sequenceNumber: number, payload: 60, using: &random), from: sender)
    }
    let before = block.bytes
    block.batch.removeAll()
    block.seal()
    #expect(block.bytes == before)
  }

  @Test func sealingAllocatesNothing() throws {
    let senders = try (0..<64).map { try SRTPSender(sharedKeys(.aes128CMHMACSHA1_80, seed: UInt64($0 + 1))) }
    var random = SeededRandom(seed: 8)
    let packet = rtpPacket(sequenceNumber: 0, payload: 600, extensionWords: 3, using: &random)
    let stride = packet.count + 10
    var bytes = [UInt8](repeating: 0, count: 64 * stride)
    var batch = SRTPBatch()
    func round(_ sequenceNumber: UInt16) throws {
      for (place, sender) in senders.enumerated() {
        var all = bytes.mutableSpan
        var slot = all._mutatingExtracting((place * stride)..<((place + 1) * stride))
        for index in packet.indices { slot[index] = packet[index] }
        slot[3] = UInt8(sequenceNumber)
        _ = try sender.protectRTP(&slot, length: packet.count, at: place * stride, with: &batch)
      }
      bytes.withUnsafeMutableBytes { batch.seal($0) }
    }
    try round(1)
    let count = try allocations { for number in 2..<30 as Range<UInt16> { try round(number) } }
    #expect(count == 0)
  }
}
