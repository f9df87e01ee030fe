import SecureTransport
import TestSupport
import Testing
import Timing

@Suite struct DTLSHandshakeTests {
  @Test func bothEndsLeaveAHandshakeWithTheSameKeysCrossed() throws {
    let pair = try DTLSPair()
    pair.start()
    pair.run()
    let client = try #require(pair.clientKeys)
    let server = try #require(pair.serverKeys)
    #expect(client.profile == .aeadAES128GCM)
    #expect(client.local == server.remote)
    #expect(client.remote == server.local)
    #expect(client.local != client.remote)
    #expect(pair.clientEvents.count == 1 && pair.serverEvents.count == 1)
    #expect(pair.client.isEstablished && pair.server.isEstablished)
    #expect(pair.client.nextDeadline == nil && pair.server.nextDeadline == nil)
  }

  @Test func theSecondProfileIsAgreedWhereOneSideHasOnlyIt() throws {
    let pair = try DTLSPair(clientProfiles: [.aes128CMHMACSHA1_80])
    pair.start()
    pair.run()
    #expect(pair.clientKeys?.profile == .aes128CMHMACSHA1_80)
    #expect(pair.serverKeys?.profile == .aes128CMHMACSHA1_80)
    #expect(pair.clientKeys?.local == pair.serverKeys?.remote)
  }

  @Test func thePassiveSidesOrderOfProfilesDecides() throws {
    let pair = try DTLSPair(clientProfiles: [.aes128CMHMACSHA1_80, .aeadAES128GCM])
    pair.start()
    pair.run()
    #expect(pair.serverKeys?.profile == .aeadAES128GCM)
  }

  @Test func noCommonProfileFailsBothEnds() throws {
    let pair = try DTLSPair(clientProfiles: [.aes128CMHMACSHA1_80], serverProfiles: [.aeadAES128GCM])
    pair.start()
    pair.run()
    #expect(pair.clientKeys == nil && pair.serverKeys == nil)
    #expect(pair.serverEvents == [.failed(.noCommonSRTPProfile)])
    #expect(pair.clientEvents.count == 1 && pair.clientEvents[0].isFailure)
  }

  @Test func datagramsKeepWithinTheTransmissionUnit() throws {
    let pair = try DTLSPair()
    pair.start()
    pair.run()
    #expect(pair.sent.allSatisfy { $0.bytes.count <= DTLSConnection.maximumTransmissionUnit && !$0.bytes.isEmpty })
  }

  @Test(arguments: 1...60) func aHandshakeSurvivesLossAndReordering(seed: UInt64) throws {
    let pair = try DTLSPair(seed: seed, path: .init(loss: 0.25, delay: .milliseconds(20), jitter: .milliseconds(60)))
    pair.start()
    pair.run()
    #expect(pair.clientKeys != nil && pair.serverKeys != nil)
    #expect(pair.clientKeys?.local == pair.serverKeys?.remote)
    #expect(pair.clientEvents.count == 1 && pair.serverEvents.count == 1)
  }

  @Test func theSameSeedGivesTheSameCourse() throws {
    func course() throws -> [Instant] {
      let pair = try DTLSPair(seed: 7, path: .init(loss: 0.4, delay: .milliseconds(30), jitter: .milliseconds(20)))
      pair.start()
      pair.run()
      return pair.sent.map(\.due)
    }
    let first = try course()
    let second = try course()
    #expect(first == second)
    #expect(first.count > 6)
  }

  @Test func everyFlightIsRepeatedWhenItsDatagramsAreLostOnce() throws {
    for lost in 1...6 {
      let pair = try DTLSPair()
      pair.tamper = { $0.order == lost ? [] : [$0.bytes] }
      pair.start()
      pair.run()
      #expect(pair.clientKeys != nil && pair.serverKeys != nil, "datagram \(lost) lost")
    }
  }

  @Test func repetitionsComeLaterEachTimeInToldTime() throws {
    let pair = try DTLSPair(path: .init(loss: 1))
    pair.start()
    pair.run()
    let seconds = pair.sent.map { ($0.due - .zero).milliseconds - 20 }
    #expect(Array(seconds.prefix(7)) == [0, 100, 300, 700, 1500, 3100, 6300])
    #expect(pair.clientEvents == [.failed(.timedOut)])
    #expect(pair.serverEvents == [.failed(.timedOut)])
    #expect(pair.now == Instant.zero + DTLSConnection.handshakeTimeout)
  }

  @Test func aDuplicatedDatagramChangesNothing() throws {
    let pair = try DTLSPair()
    pair.tamper = { [$0.bytes, $0.bytes, $0.bytes] }
    pair.start()
    pair.run()
    #expect(pair.clientKeys != nil && pair.clientKeys?.local == pair.serverKeys?.remote)
    #expect(pair.clientEvents.count == 1 && pair.serverEvents.count == 1)
  }

  @Test func aClientHelloInFragmentsIsPutTogether() throws {
    for size in [1, 7, 40, 100] {
      let pair = try DTLSPair()
      pair.tamper = { datagram in
        if datagram.order == 1 { return fragments(ofHandshake: datagram.bytes, size: size) }
        return [datagram.toClient ? datagram.bytes : withLaterNumbers(datagram.bytes)]
      }
      pair.start()
      pair.run(until: .zero + .seconds(1))
      #expect(pair.clientKeys != nil && pair.serverKeys != nil, "fragments of \(size) bytes")
    }
  }
}

/// One handshake record in the clear as several, each with a fragment of its message (RFC 6347 section 4.2.3), last one first.
private func fragments(ofHandshake record: [UInt8], size: Int) -> [[UInt8]] {
  let message = Array(record[13...])
  let body = Array(message[12...])
  var datagrams: [[UInt8]] = []
  for (number, start) in stride(from: 0, to: body.count, by: size).reversed().enumerated() {
    let piece = body[start..<min(start + size, body.count)]
    var datagram = Array(record[0..<5])
    datagram += [0, 0, 0, 0, UInt8(number >> 8), UInt8(number & 255)]
    datagram += [UInt8((piece.count + 12) >> 8), UInt8((piece.count + 12) & 255)]
    datagram += message[0..<6]
    datagram += [0, UInt8(start >> 8), UInt8(start & 255), 0, UInt8(piece.count >> 8), UInt8(piece.count & 255)]
    datagram += piece
    datagrams.append(datagram)
  }
  return datagrams
}

/// The records in the clear of a datagram with 1024 added to their numbers, to follow those of the fragments.
private func withLaterNumbers(_ datagram: [UInt8]) -> [UInt8] {
  var datagram = datagram
  var start = 0
  while start + 13 <= datagram.count {
    if datagram[start + 4] == 0 { datagram[start + 9] += 4 }
    start += 13 + (Int(datagram[start + 11]) << 8) + Int(datagram[start + 12])
  }
  return datagram
}
