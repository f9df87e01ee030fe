import SecureTransport
import TestSupport
import Timing

/// Two DTLS ends and the path between them, in virtual time and by seed.
final class DTLSPair {
  struct Path {
    var loss = 0.0
    var delay = Interval.milliseconds(20)
    var jitter = Interval.zero
  }

  struct Datagram {
    var due: Instant
    var order: Int
    var toClient: Bool
    var bytes: [UInt8]
  }

  static let clientCertificate = try! DTLSCertificate()
  static let serverCertificate = try! DTLSCertificate()

  let client: DTLSConnection
  let server: DTLSConnection
  var path: Path
  var random: SeededRandom
  var now = Instant.zero
  var underway: [Datagram] = []
  var clientEvents: [DTLSEvent] = []
  var serverEvents: [DTLSEvent] = []
  /// Every datagram either side sent, in order.
  var sent: [Datagram] = []
  /// Called with what is about to be delivered; answers what is delivered instead.
  var tamper: (Datagram) -> [[UInt8]] = { [$0.bytes] }
  private var order = 0

  init(
    seed: UInt64 = 1, path: Path = .init(), clientExpects: Fingerprint? = DTLSPair.serverCertificate.fingerprint,
    serverExpects: Fingerprint? = DTLSPair.clientCertificate.fingerprint,
    clientProfiles: [SRTPProfile] = [.aeadAES128GCM, .aes128CMHMACSHA1_80],
    serverProfiles: [SRTPProfile] = [.aeadAES128GCM, .aes128CMHMACSHA1_80]
  ) throws {
    client = try DTLSConnection(
      role: .active, certificate: Self.clientCertificate, expected: clientExpects, profiles: clientProfiles)
    server = try DTLSConnection(
      role: .passive, certificate: Self.serverCertificate, expected: serverExpects, profiles: serverProfiles)
    self.path = path
    random = SeededRandom(seed: seed)
  }

  func start() {
    withServer { server.start(at: now, into: &$0) }
    withClient { client.start(at: now, into: &$0) }
  }

  func withClient(_ body: (inout DTLSOutput) -> Void) {
    var output = DTLSOutput()
    body(&output)
    clientEvents += output.events
    send(output.datagrams, toClient: false)
  }

  func withServer(_ body: (inout DTLSOutput) -> Void) {
    var output = DTLSOutput()
    body(&output)
    serverEvents += output.events
    send(output.datagrams, toClient: true)
  }

  func send(_ datagrams: [[UInt8]], toClient: Bool) {
    for bytes in datagrams {
      order += 1
      let late = Interval.nanoseconds(Int64.random(in: 0...path.jitter.nanoseconds, using: &random))
      let datagram = Datagram(due: now + path.delay + late, order: order, toClient: toClient, bytes: bytes)
      sent.append(datagram)
      if Double.random(in: 0..<1, using: &random) >= path.loss { underway.append(datagram) }
    }
  }

  /// Runs until nothing is underway and nobody waits, or the time is over.
  func run(until end: Instant = .zero + .seconds(60)) {
    while true {
      let arrival = underway.min { ($0.due, $0.order) < ($1.due, $1.order) }
      let deadlines = [arrival?.due, client.nextDeadline, server.nextDeadline].compactMap { $0 }
      guard let next = deadlines.min(), next <= end else { break }
      now = max(now, next)
      if let arrival, arrival.due <= now {
        underway.removeAll { $0.order == arrival.order }
        for bytes in tamper(arrival) { deliver(bytes, toClient: arrival.toClient) }
      }
      if let deadline = client.nextDeadline, deadline <= now { withClient { client.handleTimeout(at: now, into: &$0) } }
      if let deadline = server.nextDeadline, deadline <= now { withServer { server.handleTimeout(at: now, into: &$0) } }
    }
    now = max(now, min(end, now))
  }

  func deliver(_ bytes: [UInt8], toClient: Bool) {
    if toClient {
      withClient { client.receive(bytes.span, at: now, into: &$0) }
    } else {
      withServer { server.receive(bytes.span, at: now, into: &$0) }
    }
  }

  var clientKeys: SRTPKeys? { keys(clientEvents) }
  var serverKeys: SRTPKeys? { keys(serverEvents) }

  private func keys(_ events: [DTLSEvent]) -> SRTPKeys? {
    for case .connected(let keys) in events { return keys }
    return nil
  }
}

extension DTLSEvent {
  var isFailure: Bool { if case .failed = self { true } else { false } }
}
