import Bytes
import ICE
import TestSupport
import Testing
import Timing

/// A lite agent, what it sent last and what it told.
final class LiteBench {
  static let local = ICECredentials(ufrag: "serverfrag", password: CheckRequest().password)
  static let remote = ICECredentials(ufrag: "clientfrag", password: "clientpassword0123456789")

  var agent: ICELiteAgent
  var arena = PacketArena()
  var outputs: [ICEOutput] = []

  init(patience: Interval = ICETiming.patience, returnPatience: Interval = ICETiming.returnPatience) throws {
    agent = ICELiteAgent(
      local: try #require(Self.local), remote: Self.remote, at: .zero, patience: patience, returnPatience: returnPatience)
  }

  /// Hands over a datagram; the answer, if one was sent back the same way.
  func receive(_ bytes: [UInt8], from path: TransportPath = .a, at now: Instant = .zero) -> [UInt8]? {
    arena.removeAll()
    let before = outputs.count
    agent.receive(bytes.span, from: path, at: now, arena: &arena, outputs: &outputs)
    for output in outputs[before...] {
      guard case .send(let range, path) = output else { continue }
      return copy(range, of: arena)
    }
    return nil
  }

  /// What was told besides datagrams, since the last call.
  func events() -> [ICEOutput] {
    defer { outputs.removeAll() }
    return outputs.filter { if case .send = $0 { false } else { true } }
  }

  func handleTimeout(at now: Instant) { agent.handleTimeout(at: now, outputs: &outputs) }
  func close(_ path: TransportPath, at now: Instant) { agent.pathClosed(path, at: now, outputs: &outputs) }
}

extension TransportPath {
  static let a = TransportPath(remote: TransportAddress(ipv4: 0xC000_0201, port: 1111))
  static let b = TransportPath(remote: TransportAddress(ipv4: 0xC633_6401, port: 2222))
}

func seconds(_ n: Int64) -> Instant { .zero + .seconds(n) }

@Suite struct LiteAgentTests {
  @Test func aCheckIsAnsweredWithItsMappedAddressAndIntegrity() throws {
    let bench = try LiteBench()
    let answer = try #require(bench.receive(CheckRequest(id: 5).encoded()))
    let facts = try #require(Facts(answer, STUNIntegrityKey(password: CheckRequest().password)))
    #expect(facts.type == .bindingSuccess)
    #expect(facts.transactionID.low == 5)
    #expect(facts.mappedAddress == TransportPath.a.remote)
    #expect(facts.isIntact)
    #expect(facts.hasValidFingerprint == true)
    #expect(bench.events() == [])
    let isValidated = bench.agent.isValidated(.a)
    #expect(isValidated)
    let other = bench.agent.isValidated(.b)
    #expect(!other)
  }

  @Test func aNominationConnects() throws {
    let bench = try LiteBench()
    _ = bench.receive(CheckRequest(id: 1, nominates: true).encoded())
    #expect(bench.events() == [.connected(.a)])
    _ = bench.receive(CheckRequest(id: 2, nominates: true).encoded())
    #expect(bench.events() == [])
    #expect(bench.agent.selectedPath == .a)
  }

  @Test func theNewestNominationIsFollowed() throws {
    let bench = try LiteBench()
    _ = bench.receive(CheckRequest(id: 1, nominates: true).encoded())
    _ = bench.receive(CheckRequest(id: 2).encoded(), from: .b)
    #expect(bench.events() == [.connected(.a)])
    _ = bench.receive(CheckRequest(id: 3, nominates: true).encoded(), from: .b)
    #expect(bench.events() == [.pathChanged(.b)])
    _ = bench.receive(CheckRequest(id: 4, nominates: true).encoded(), from: .a)
    #expect(bench.events() == [.pathChanged(.a)])
  }

  @Test func whatIsNotAuthenticMeetsSilenceAndChangesNothing() throws {
    let bench = try LiteBench()
    var forged: [CheckRequest] = []
    for name in [
      "", "serverfrag", "serverfrag:", "serverfrag:otherfrag", "otherfrag:clientfrag", "clientfrag:serverfrag",
      "serverfrag:clientfrag ", "serverfrag:clientfra",
    ] {
      forged.append(CheckRequest(username: name, nominates: true))
    }
    forged.append(CheckRequest(password: "wrongpassword01234567890", nominates: true))
    forged.append(CheckRequest(nominates: true, isSigned: false))
    forged.append(CheckRequest(type: .bindingIndication, nominates: true))
    forged.append(CheckRequest(type: .bindingSuccess, nominates: true))
    forged.append(CheckRequest(username: "serverfrag:other", nominates: true, controlling: nil, controlled: 9))
    for request in forged {
      let answer = bench.receive(request.encoded())
      #expect(answer == nil, "\(request)")
    }
    var wrongFingerprint = CheckRequest(nominates: true).encoded()
    wrongFingerprint[wrongFingerprint.count - 1] ^= 1
    #expect(bench.receive(wrongFingerprint) == nil)
    expectUntouched(bench)
    #expect(bench.agent.rejectedCount == forged.count + 1)
  }

  @Test func truncatedAndRandomDatagramsChangeNothing() throws {
    let bench = try LiteBench()
    let whole = CheckRequest(nominates: true).encoded()
    for count in 0..<whole.count { #expect(bench.receive(Array(whole[..<count])) == nil) }
    var random = SeededRandom(seed: 11)
    for _ in 0..<10_000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        bytes[Int.random(in: 0..<whole.count - 8, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
      }
      if bytes != whole { #expect(bench.receive(bytes) == nil) }
    }
    expectUntouched(bench)
  }

  private func expectUntouched(_ bench: LiteBench) {
    let (path, isValidated, deadline) = (
      bench.agent.selectedPath, bench.agent.isValidated(.a), bench.agent.nextDeadline
    )
    #expect(path == nil)
    #expect(!isValidated)
    #expect(deadline == Instant.zero + ICETiming.patience)
    #expect(bench.events() == [])
  }

  @Test func aRequestReplayedFromElsewhereMovesNothing() throws {
    let bench = try LiteBench()
    let request = CheckRequest(id: 77, nominates: true).encoded()
    _ = bench.receive(request, at: .zero)
    _ = bench.events()
    #expect(bench.receive(request, from: .b, at: seconds(1)) == nil)
    #expect(bench.events() == [])
    #expect(bench.agent.selectedPath == .a)
    let isValidated = bench.agent.isValidated(.b)
    #expect(!isValidated)
  }

  @Test func aRetransmissionIsAnsweredButDoesNotRenewConsent() throws {
    let bench = try LiteBench()
    let request = CheckRequest(id: 77, nominates: true).encoded()
    _ = bench.receive(request)
    #expect(bench.receive(request, at: seconds(20)) != nil)
    bench.handleTimeout(at: seconds(30))
    #expect(bench.events() == [.connected(.a), .failed])
  }

  @Test func anOldNominationReplayedAfterASwitchDoesNotSwitchBack() throws {
    let bench = try LiteBench()
    let old = CheckRequest(id: 1, nominates: true).encoded()
    _ = bench.receive(old, from: .a)
    _ = bench.receive(CheckRequest(id: 2, nominates: true).encoded(), from: .b)
    for id in 3..<200 as Range<UInt64> { _ = bench.receive(CheckRequest(id: id).encoded(), from: .b) }
    _ = bench.receive(old, from: .a)
    #expect(bench.agent.selectedPath == .b)
  }

  @Test func aPeerThatIsControlledTooIsToldToSwitch() throws {
    let bench = try LiteBench()
    let answer = try #require(bench.receive(CheckRequest(nominates: true, controlling: nil, controlled: .max).encoded()))
    let facts = try #require(Facts(answer, STUNIntegrityKey(password: CheckRequest().password)))
    #expect(facts.type == .bindingError)
    #expect(facts.errorCode == 487)
    #expect(facts.isIntact)
    expectUntouched(bench)
  }

  @Test func anUnknownAttributeThatMustBeUnderstoodIsNamed() throws {
    let bench = try LiteBench()
    let answer = try #require(bench.receive(CheckRequest(nominates: true, unknown: 0x7ABC).encoded()))
    let facts = try #require(Facts(answer, STUNIntegrityKey(password: CheckRequest().password)))
    #expect(facts.errorCode == 420)
    #expect(facts.isIntact)
    #expect(answer.windows(of: [0x00, 0x0A, 0x00, 0x02, 0x7A, 0xBC]))
    expectUntouched(bench)
  }

  @Test func anAnswerIsNeverLongerThanItsRequest() throws {
    let bench = try LiteBench()
    let ipv6 = TransportPath(remote: TransportAddress(ipv6High: 1, low: 1, port: 1))
    let requests = [
      CheckRequest(id: 1), CheckRequest(id: 2, controlling: nil, priority: nil),
      CheckRequest(id: 3, controlling: nil, controlled: 1),
      CheckRequest(id: 4, controlling: nil, priority: nil, unknown: 0x7000),
    ]
    for request in requests {
      let bytes = request.encoded()
      for path in [TransportPath.a, ipv6] {
        if let answer = bench.receive(bytes, from: path) { #expect(answer.count <= bytes.count) }
      }
    }
  }

  @Test func consentExpiresThirtySecondsAfterTheLastCheck() throws {
    let bench = try LiteBench()
    _ = bench.receive(CheckRequest(id: 1, nominates: true).encoded(), at: seconds(1))
    _ = bench.receive(CheckRequest(id: 2).encoded(), at: seconds(12))
    _ = bench.events()
    #expect(bench.agent.nextDeadline == seconds(42))
    bench.handleTimeout(at: seconds(42) - .nanoseconds(1))
    #expect(bench.events() == [])
    bench.handleTimeout(at: seconds(42))
    #expect(bench.events() == [.failed])
    #expect(bench.agent.selectedPath == nil)
    let isValidated = bench.agent.isValidated(.a)
    #expect(!isValidated)
  }

  @Test func aCheckOnTheSamePathEndsADisconnection() throws {
    let bench = try LiteBench()
    _ = bench.receive(CheckRequest(id: 1, nominates: true).encoded())
    bench.close(.a, at: seconds(10))
    _ = bench.receive(CheckRequest(id: 2).encoded(), from: .b, at: seconds(11))
    #expect(bench.events() == [.connected(.a), .disconnected])
    _ = bench.receive(CheckRequest(id: 3).encoded(), from: .a, at: seconds(12))
    #expect(bench.events() == [.connected(.a)])
  }

  @Test func whoRestartsInTimeHasTimeForANewPathThoughHisOldOneExpires() throws {
    let bench = try LiteBench(patience: .seconds(10))
    _ = bench.receive(CheckRequest(id: 1, nominates: true).encoded())
    let local = try #require(ICECredentials(ufrag: "freshserver", password: "freshserverpassword12345"))
    bench.agent.restart(local: local, remote: LiteBench.remote, at: seconds(29))
    bench.handleTimeout(at: seconds(30))
    #expect(bench.events() == [.connected(.a), .disconnected])
    #expect(bench.agent.nextDeadline == seconds(40))
  }

  @Test func anExpiredPathGivesWayToOneNominatedEarlierThatIsAlive() throws {
    let bench = try LiteBench()
    _ = bench.receive(CheckRequest(id: 1, nominates: true).encoded(), from: .a, at: .zero)
    _ = bench.receive(CheckRequest(id: 2, nominates: true).encoded(), from: .b, at: .zero)
    _ = bench.receive(CheckRequest(id: 3).encoded(), from: .a, at: seconds(20))
    bench.handleTimeout(at: seconds(30))
    #expect(bench.events() == [.connected(.a), .pathChanged(.b), .pathChanged(.a)])
  }

  @Test func patienceEnds() throws {
    let bench = try LiteBench(patience: .seconds(10))
    _ = bench.receive(CheckRequest(id: 1).encoded())
    #expect(bench.agent.nextDeadline == seconds(10))
    bench.handleTimeout(at: seconds(10))
    #expect(bench.events() == [.failed])
    #expect(bench.agent.nextDeadline == nil)
    #expect(bench.receive(CheckRequest(id: 2, nominates: true).encoded(), at: seconds(11)) == nil)
  }

  @Test func aDisconnectedPeerThatStaysAwayFails() throws {
    let bench = try LiteBench(returnPatience: .seconds(10))
    _ = bench.receive(CheckRequest(id: 1, nominates: true).encoded())
    bench.close(.a, at: seconds(5))
    bench.handleTimeout(at: seconds(15))
    #expect(bench.events() == [.connected(.a), .disconnected, .failed])
  }

  @Test func aRestartKeepsThePathUntilTheNewCredentialsNominate() throws {
    let bench = try LiteBench()
    _ = bench.receive(CheckRequest(id: 1, nominates: true).encoded())
    let local = try #require(ICECredentials(ufrag: "freshserver", password: "freshserverpassword12345"))
    let remote = try #require(ICECredentials(ufrag: "freshclient", password: "freshclientpassword12345"))
    bench.agent.restart(local: local, remote: remote, at: seconds(1))
    _ = bench.events()
    #expect(bench.agent.selectedPath == .a)
    #expect(bench.agent.previousLocalCredentials == LiteBench.local)

    let old = bench.receive(CheckRequest(id: 2, nominates: true).encoded(), at: seconds(2))
    #expect(old != nil)
    let fresh = { (id: UInt64, nominates: Bool) in
      CheckRequest(username: "freshserver:freshclient", password: local.password, id: id, nominates: nominates).encoded()
    }
    #expect(bench.receive(fresh(3, false), from: .b, at: seconds(2)) != nil)
    #expect(bench.events() == [])
    _ = bench.receive(fresh(4, true), from: .b, at: seconds(3))
    #expect(bench.events() == [.pathChanged(.b)])
    #expect(bench.agent.previousLocalCredentials == nil)
    #expect(bench.receive(CheckRequest(id: 5, nominates: true).encoded(), at: seconds(4)) == nil)
    #expect(bench.agent.selectedPath == .b)
    let mixed = CheckRequest(username: "freshserver:clientfrag", password: local.password, id: 6).encoded()
    #expect(bench.receive(mixed, at: seconds(4)) == nil)
  }

  @Test func checksWaitForThePeersDescription() throws {
    let bench = try LiteBench()
    bench.agent = ICELiteAgent(local: try #require(LiteBench.local), remote: nil, at: .zero)
    #expect(bench.receive(CheckRequest(id: 1).encoded()) == nil)
    bench.agent.setRemote(try #require(LiteBench.remote))
    #expect(bench.receive(CheckRequest(id: 1).encoded()) != nil)
  }

  @Test func manyPathsNeverPushOutTheSelectedOne() throws {
    let bench = try LiteBench()
    _ = bench.receive(CheckRequest(id: 1, nominates: true).encoded())
    for id in 2..<200 as Range<UInt64> {
      let path = TransportPath(remote: TransportAddress(ipv4: 0x0A00_0001, port: UInt16(id)))
      _ = bench.receive(CheckRequest(id: id).encoded(), from: path, at: seconds(1))
    }
    bench.handleTimeout(at: seconds(20))
    #expect(bench.events() == [.connected(.a)])
    let newest = bench.agent.isValidated(TransportPath(remote: TransportAddress(ipv4: 0x0A00_0001, port: 199)))
    let oldest = bench.agent.isValidated(TransportPath(remote: TransportAddress(ipv4: 0x0A00_0001, port: 2)))
    #expect(newest)
    #expect(!oldest)
  }

  @Test func aRequestWithoutFingerprintCountsWhenItsIntegrityIsRight() throws {
    let bench = try LiteBench()
    let bare = Array(CheckRequest(nominates: true, isSigned: false).encoded().dropLast(8))
    #expect(bench.receive(signed(bare, password: CheckRequest().password)) != nil)
    #expect(bench.events() == [.connected(.a)])
  }

  @Test func aTCPConnectionIsAPathOfItsOwnUntilItCloses() throws {
    let bench = try LiteBench()
    var first = TransportPath.a
    first.transport = .tcp
    first.socket = 7
    var second = first
    second.socket = 8
    _ = bench.receive(CheckRequest(id: 1, nominates: true).encoded(), from: first)
    #expect(bench.events() == [.connected(first)])
    #expect(!bench.agent.isValidated(second))
    bench.agent.pathClosed(second, at: seconds(1), outputs: &bench.outputs)
    #expect(bench.events() == [])
    bench.agent.pathClosed(first, at: seconds(1), outputs: &bench.outputs)
    #expect(bench.events() == [.disconnected])
    #expect(!bench.agent.isValidated(first))
    _ = bench.receive(CheckRequest(id: 2, nominates: true).encoded(), from: second, at: seconds(2))
    #expect(bench.events() == [.connected(second)])
  }

  @Test func aClosedPathGivesWayToAnotherThatWasNominated() throws {
    let bench = try LiteBench()
    _ = bench.receive(CheckRequest(id: 1, nominates: true).encoded(), from: .a)
    _ = bench.receive(CheckRequest(id: 2, nominates: true).encoded(), from: .b)
    bench.agent.pathClosed(.b, at: seconds(1), outputs: &bench.outputs)
    #expect(bench.events() == [.connected(.a), .pathChanged(.b), .pathChanged(.a)])
  }

  @Test func aCheckAllocatesNothing() throws {
    let bench = try LiteBench()
    let requests = (0..<600).map { CheckRequest(id: UInt64($0), nominates: true).encoded() }
    bench.outputs.reserveCapacity(8)
    func feed(_ range: Range<Int>) {
      for index in range {
        bench.arena.removeAll()
        bench.outputs.removeAll(keepingCapacity: true)
        let path: TransportPath = index & 1 == 0 ? .a : .b
        let request = requests[index]
        bench.agent.receive(
          request.span, from: path, at: seconds(Int64(index / 100)), arena: &bench.arena, outputs: &bench.outputs)
        bench.agent.handleTimeout(at: seconds(Int64(index / 100)), outputs: &bench.outputs)
      }
    }
    feed(0..<20)
    let count = allocations { feed(20..<600) }
    #expect(count == 0)
    #expect(bench.agent.rejectedCount == 0)
  }
}

extension [UInt8] {
  /// Whether the bytes occur somewhere.
  func windows(of part: [UInt8]) -> Bool {
    guard count >= part.count else { return false }
    return (0...(count - part.count)).contains { Array(self[$0..<$0 + part.count]) == part }
  }
}
