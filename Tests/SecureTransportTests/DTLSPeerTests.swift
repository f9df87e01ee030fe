import SecureTransport
import TestSupport
import Testing
import Timing

/// Who the peer is, and how a connection ends.
@Suite struct DTLSPeerTests {
  @Test func twoCertificatesDiffer() throws {
    let a = DTLSPair.clientCertificate.fingerprint
    let b = DTLSPair.serverCertificate.fingerprint
    #expect(a != b)
    #expect(a.algorithm == .sha256 && a.bytes.count == 32)
  }

  @Test func aClientWithAnotherCertificateGetsNoKeys() throws {
    let pair = try DTLSPair(serverExpects: DTLSPair.serverCertificate.fingerprint)
    pair.start()
    pair.run()
    #expect(pair.serverEvents == [.failed(.fingerprintMismatch)])
    #expect(pair.clientEvents.count == 1 && pair.clientEvents[0].isFailure)
    #expect(!pair.server.isEstablished)
  }

  @Test func aServerWithAnotherCertificateGetsNoKeys() throws {
    let pair = try DTLSPair(clientExpects: DTLSPair.clientCertificate.fingerprint)
    pair.start()
    pair.run()
    #expect(pair.clientEvents == [.failed(.fingerprintMismatch)])
    #expect(pair.serverKeys == nil)
  }

  @Test func aFinishedHandshakeWaitsForTheFingerprint() throws {
    let pair = try DTLSPair(clientExpects: nil)
    pair.start()
    pair.run(until: .zero + .seconds(5))
    #expect(pair.clientEvents.isEmpty)
    #expect(pair.client.nextDeadline == Instant.zero + DTLSConnection.handshakeTimeout)
    pair.withClient { pair.client.expect(DTLSPair.serverCertificate.fingerprint, into: &$0) }
    #expect(pair.clientKeys != nil && pair.clientKeys?.local == pair.serverKeys?.remote)
    #expect(pair.client.nextDeadline == nil)
  }

  @Test func aLateFingerprintOfAnotherCertificateFails() throws {
    let pair = try DTLSPair(clientExpects: nil)
    pair.start()
    pair.run(until: .zero + .seconds(5))
    pair.withClient { pair.client.expect(DTLSPair.clientCertificate.fingerprint, into: &$0) }
    #expect(pair.clientEvents == [.failed(.fingerprintMismatch)])
    pair.run()
    #expect(pair.serverEvents.last == .closed)
  }

  @Test func aFingerprintThatNeverComesTimesOut() throws {
    let pair = try DTLSPair(clientExpects: nil)
    pair.start()
    pair.run()
    #expect(pair.clientEvents == [.failed(.timedOut)])
  }

  @Test func closingTellsThePeer() throws {
    let pair = try DTLSPair()
    pair.start()
    pair.run()
    pair.withServer { pair.server.close(into: &$0) }
    pair.run()
    #expect(pair.clientEvents.last == .closed)
    #expect(pair.clientEvents.count == 2)
    #expect(pair.serverEvents.count == 1)
    #expect(!pair.client.isEstablished && !pair.server.isEstablished)
  }

  @Test func aConnectionCanBeDroppedInEveryState() throws {
    for steps in 0...12 {
      let pair = try DTLSPair()
      pair.start()
      pair.run(until: .zero + .milliseconds(Int64(steps) * 10))
      pair.withClient { pair.client.close(into: &$0) }
      pair.withClient { pair.client.handleTimeout(at: pair.now + .seconds(60), into: &$0) }
      pair.run(until: .zero + .seconds(40))
      #expect(pair.client.nextDeadline == nil)
      #expect(!pair.client.isEstablished)
    }
  }

  @Test(arguments: Fingerprint.Algorithm.allCases) func aPeerMayAnnounceAnyHashOfItsCertificate(
    algorithm: Fingerprint.Algorithm
  ) throws {
    let right = try #require(DTLSPair.serverCertificate.fingerprint(by: algorithm))
    let wrong = try #require(DTLSPair.clientCertificate.fingerprint(by: algorithm))
    for (expected, isRight) in [(right, true), (wrong, false)] {
      let pair = try DTLSPair(clientExpects: expected)
      pair.start()
      pair.run()
      #expect((pair.clientKeys != nil) == isRight)
    }
  }

  @Test func fingerprintsPrintAndParseAlike() throws {
    let fingerprint = DTLSPair.clientCertificate.fingerprint
    #expect(fingerprint.description.hasPrefix("sha-256 "))
    #expect(fingerprint.description.count == 8 + 32 * 3 - 1)
    #expect(Fingerprint(fingerprint.description) == fingerprint)
    #expect(Fingerprint(fingerprint.description.lowercased()) == fingerprint)
    #expect(Fingerprint("SHA-1 " + Array(repeating: "0a", count: 20).joined(separator: ":"))?.algorithm == .sha1)
  }

  @Test func malformedFingerprintsAreRefused() {
    let good = DTLSPair.clientCertificate.fingerprint.description
    for end in 0..<good.count { #expect(Fingerprint(good.prefix(end)) == nil) }
    for text in ["md5 00:11", "sha-256", "sha-256 " + String(repeating: "+1:", count: 31) + "+1", good + ":00", good + " x"] {
      #expect(Fingerprint(text) == nil)
    }
    #expect(Fingerprint(algorithm: .sha256, bytes: [1, 2, 3]) == nil)
  }
}
