import SecureTransport
import TestSupport
import Testing
import Timing

/// Whatever arrives: no crash, no keys for nobody, and an established connection stays.
@Suite struct DTLSMalformedTests {
  @Test func everyTruncationOfEveryHandshakeDatagramIsSurvived() throws {
    let original = try DTLSPair()
    original.start()
    original.run()
    for number in 1...original.sent.count {
      for length in 0..<original.sent[number - 1].bytes.count {
        let pair = try DTLSPair()
        pair.tamper = { $0.order == number ? [Array($0.bytes.prefix(length))] : [$0.bytes] }
        pair.start()
        pair.run(until: .zero + .seconds(3))
        #expect(pair.clientKeys?.local == pair.serverKeys?.remote, "datagram \(number) cut to \(length)")
      }
    }
  }

  @Test func truncatedDatagramsOnlyDelayTheHandshake() throws {
    for length in stride(from: 0, to: 100, by: 9) {
      let pair = try DTLSPair()
      pair.tamper = { $0.order <= 2 ? [Array($0.bytes.prefix(length))] : [$0.bytes] }
      pair.start()
      pair.run()
      #expect(pair.clientKeys != nil && pair.serverKeys != nil)
    }
  }

  @Test(arguments: 1...40) func randomBytesInAHandshakeAreIgnored(seed: UInt64) throws {
    let pair = try DTLSPair(seed: seed)
    var random = SeededRandom(seed: seed)
    pair.tamper = { datagram in
      let noise = (0..<Int.random(in: 0...1500, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      return [noise, datagram.bytes, noise]
    }
    pair.start()
    pair.run()
    #expect(pair.clientKeys != nil && pair.clientKeys?.local == pair.serverKeys?.remote)
  }

  @Test(arguments: 1...200) func flippedBitsNeverGiveKeysToOneSideAlone(seed: UInt64) throws {
    let pair = try DTLSPair(seed: seed)
    var random = SeededRandom(seed: seed)
    pair.tamper = { datagram in
      var bytes = datagram.bytes
      if Bool.random(using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
      }
      return [bytes]
    }
    pair.start()
    pair.run()
    if let client = pair.clientKeys, let server = pair.serverKeys { #expect(client.local == server.remote) }
    #expect(pair.clientEvents.count >= 1)
  }

  @Test(arguments: 1...20) func nothingForgedEndsAnEstablishedConnection(seed: UInt64) throws {
    let pair = try DTLSPair(seed: seed)
    pair.start()
    pair.run()
    var random = SeededRandom(seed: seed)
    let history = pair.sent
    for _ in 0..<300 {
      var bytes = history.randomElement(using: &random)!.bytes
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      pair.deliver(bytes, toClient: Bool.random(using: &random))
    }
    // A fatal alert and a close_notify in the clear, and an alert that pretends to be encrypted.
    for epoch: UInt8 in [0, 1] {
      for alert: [UInt8] in [[2, 40], [1, 0], [2, 80]] {
        let record: [UInt8] = [21, 0xFE, 0xFD, 0, epoch, 0, 0, 0, 0, 0, 99, 0, 2] + alert
        pair.deliver(record, toClient: true)
        pair.deliver(record, toClient: false)
      }
    }
    #expect(pair.client.isEstablished && pair.server.isEstablished)
    #expect(pair.clientEvents.count == 1 && pair.serverEvents.count == 1)
    // And it still works: a real close_notify comes through.
    pair.withClient { pair.client.close(into: &$0) }
    pair.underway.removeAll { $0.toClient }
    pair.run()
    #expect(pair.serverEvents.last == .closed)
  }

  @Test(arguments: [20, 21, 22, 23] as [UInt8]) func anEncryptedRecordTooShortForItsTagEndsNothing(type: UInt8) throws {
    for length in 1..<24 as Range<UInt8> {
      let forged: [UInt8] = [type, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 99, 0, length] + [UInt8](repeating: 2, count: Int(length))
      let pair = try DTLSPair(seed: UInt64(length))
      // Before each datagram of the handshake, and once it is over.
      pair.tamper = { [forged, $0.bytes] }
      pair.start()
      pair.run()
      for toClient in [true, false] { pair.deliver(forged, toClient: toClient) }
      #expect(pair.client.isEstablished && pair.server.isEstablished && pair.underway.isEmpty)
      pair.withClient { pair.client.close(into: &$0) }
      pair.run()
      #expect(pair.serverEvents.last == .closed)
    }
  }

  @Test func alertsBeforeTheFirstClientHelloAreIgnored() throws {
    let pair = try DTLSPair()
    pair.withServer { pair.server.start(at: pair.now, into: &$0) }
    pair.deliver([21, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40], toClient: false)
    pair.deliver([23, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 40], toClient: false)
    pair.deliver([22, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 1, 0, 2, 2, 40], toClient: false)
    pair.start()
    pair.run()
    #expect(pair.serverKeys != nil)
  }

  @Test func aFloodOfEarlyEncryptedRecordsIsNotStored() throws {
    let pair = try DTLSPair(path: .init(loss: 0, delay: .milliseconds(50)))
    pair.start()
    pair.run(until: .zero + .milliseconds(60))
    var record: [UInt8] = [22, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 0, 0x05, 0x00]
    record += [UInt8](repeating: 7, count: 0x500)
    for number in 0..<5_000 {
      record[9] = UInt8(number >> 8)
      record[10] = UInt8(number & 255)
      pair.deliver(record, toClient: false)
    }
    pair.run()
    #expect(pair.sent.count < 40)
    #expect(pair.serverEvents.count == 1)
  }
}
