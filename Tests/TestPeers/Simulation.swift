import Bytes
import EncodedMedia
import ICE
import SDP
import SecureTransport
import TestSupport
import Timing
import WebRTCTransport

/// A server's endpoint and its clients over an emulated network, in virtual time and by seed.
public final class Simulation {
  public static let serverAddress = TransportAddress(ipv4: 0xC000_0201, port: 8000)
  public static let certificate = try! DTLSCertificate()
  /// When virtual time is zero: some day in 2026.
  public static let wallClockAtZero = NTPTime(unixNanoseconds: 1_780_000_000_000_000_000)

  public private(set) var now = Instant.zero
  public var endpoint: Endpoint
  public var network: NetworkEmulator<TransportAddress>
  public var clients: [TestClient] = []
  public let negotiator: PeerNegotiator
  public var random: SeededRandom
  public var outputs = PeerOutputs()
  /// Sees every datagram as it is sent; answers whether it is to be lost.
  public var tap: (_ datagram: [UInt8], _ from: TransportAddress, _ to: TransportAddress) -> Bool = { _, _, _ in false }
  /// Commands waiting for the endpoint, from whoever plays the mixing side.
  public var commands: () -> [Endpoint.Command] = { [] }
  private var lastPeer: UInt32 = 0

  public init(
    link: Link = Link(), seed: UInt64, capabilities: MediaCapabilities = .server, registry: (any PathRegistry)? = nil
  ) {
    random = SeededRandom(seed: seed)
    network = NetworkEmulator(link: link, seed: random.next())
    endpoint = Endpoint(wallClockAtZero: Self.wallClockAtZero, seed: random.next(), registry: registry)
    negotiator = PeerNegotiator(
      certificate: Self.certificate, candidates: [.host(Self.serverAddress)], capabilities: capabilities)
  }

  /// A new client's offer and the server's answer to it.
  public struct Call {
    public var offerer: PeerOfferer
    public var client: PeerSetup
    public var server: PeerSetup
    public var answer: String
  }

  public static let bothWays = [
    PeerOfferer.Line(.audio, sends: true, receives: true), PeerOfferer.Line(.video, sends: true, receives: true),
  ]
  public static let watching = [
    PeerOfferer.Line(.audio, sends: false, receives: true), PeerOfferer.Line(.video, sends: false, receives: true),
  ]

  public func negotiate(
    _ lines: [PeerOfferer.Line] = bothWays, address: TransportAddress, capabilities: MediaCapabilities = .client,
    direction: AnswerDirection = .both
  ) throws -> Call {
    var offerer = PeerOfferer(
      certificate: TestClient.certificate, candidates: [.host(address)], capabilities: capabilities, using: &random)
    let answer = try negotiator.answer(offerer.offer(lines), direction: direction, using: &random)
    let client = try offerer.apply(answer: answer.text)
    return Call(offerer: offerer, client: client, server: answer.setup, answer: answer.text)
  }

  /// An address nobody had before.
  public func newAddress() -> TransportAddress {
    lastPeer += 1
    return TransportAddress(ipv4: 0x0A00_0000 + lastPeer, port: 40_000)
  }

  /// Lets a client join: the endpoint knows it, and its checks begin.
  @discardableResult
  public func join(
    _ lines: [PeerOfferer.Line] = bothWays, at address: TransportAddress? = nil, capabilities: MediaCapabilities = .client,
    observer: any PeerObserver = TestObserver(), change: (inout Call) -> Void = { _ in }
  ) throws -> TestClient {
    let own = newAddress()
    var call = try negotiate(lines, address: address ?? own, capabilities: capabilities)
    change(&call)
    let id = PeerID(lastPeer)
    execute(.add(id, call.server, observer))
    let client = try TestClient(
      id: id, address: address ?? own, offerer: call.offerer, setup: call.client, seed: random.next(), at: now)
    clients.append(client)
    return client
  }

  /// The client is gone without a word; the endpoint is told to forget it.
  public func leave(_ client: TestClient, politely: Bool = false) {
    if politely {
      client.session.close(at: now, into: &client.outputs)
      flush(client)
    }
    clients.removeAll { $0 === client }
    execute(.remove(client.id))
    network.forget(client.address)
  }

  public func execute(_ command: Endpoint.Command) {
    // The closure may not touch `self` while the endpoint is being changed: what is flushed is sent from a copy.
    var sent: [([UInt8], TransportAddress)] = []
    endpoint.execute(command, at: now, into: &outputs) { outputs in
      sent += Self.take(&outputs)
    }
    sent += Self.take(&outputs)
    for (bytes, to) in sent { transmit(bytes, from: Self.serverAddress, to: to) }
  }

  /// Puts a datagram before the endpoint as if it had come from `address`.
  public func inject(_ datagram: [UInt8], from address: TransportAddress) {
    var bytes = datagram
    var span = bytes.mutableSpan
    endpoint.receive(&span, from: TransportPath(remote: address), at: now, into: &outputs)
    flushServer()
  }

  // MARK: Time

  /// Lets time pass up to `end`, or until `done` says so after something happened.
  public func run(until end: Instant, or done: () -> Bool = { false }) {
    settle()
    while !done(), let next = nextEvent, next <= end {
      now = max(now, next)
      step()
    }
    if !done() { now = max(now, end) }
  }

  public func run(for interval: Interval, or done: () -> Bool = { false }) { run(until: now + interval, or: done) }

  /// Lets everybody connect.
  @discardableResult
  public func connectAll(within patience: Interval = .seconds(20)) -> Bool {
    let end = now + patience
    run(until: end) { clients.allSatisfy { $0.isConnected && $0.session.isConnected } }
    // The server's side may be a flight behind.
    run(for: .milliseconds(500))
    return clients.allSatisfy(\.isConnected)
  }

  private var nextEvent: Instant? {
    var earliest = network.nextArrival ?? .distantFuture
    if let deadline = endpoint.nextDeadline { earliest = min(earliest, deadline) }
    for client in clients {
      if let deadline = client.session.nextDeadline { earliest = min(earliest, deadline) }
    }
    return earliest == .distantFuture ? nil : earliest
  }

  private func step() {
    while let datagram = network.takeArrival(at: now) { deliver(datagram) }
    if let deadline = endpoint.nextDeadline, deadline <= now {
      endpoint.handleTimeout(at: now, into: &outputs)
      flushServer()
    }
    for client in clients {
      guard let deadline = client.session.nextDeadline, deadline <= now else { continue }
      client.session.handleTimeout(at: now, into: &client.outputs)
      precondition(
        client.session.nextDeadline.map { $0 > now } ?? true, "what was due at \(now) is still due after it was done")
    }
    settle()
  }

  private func deliver(_ datagram: NetworkEmulator<TransportAddress>.Datagram) {
    if datagram.to == Self.serverAddress {
      inject(datagram.bytes, from: datagram.from)
    } else if let client = clients.first(where: { $0.address == datagram.to }) {
      client.receive(datagram.bytes, from: datagram.from, at: now)
      flush(client)
    }
  }

  /// Sends and tells what clients and the mixing side have ready.
  private func settle() {
    for client in clients { flush(client) }
    for command in commands() { execute(command) }
  }

  public func flush(_ client: TestClient) {
    client.takeEvents(at: now)
    for (bytes, to) in Self.take(&client.outputs) where !client.drops(bytes) { transmit(bytes, from: client.address, to: to) }
  }

  /// Sends what the endpoint has ready.
  public func flushServer() {
    for (bytes, to) in Self.take(&outputs) { transmit(bytes, from: Self.serverAddress, to: to) }
  }

  private static func take(_ outputs: inout PeerOutputs) -> [([UInt8], TransportAddress)] {
    var taken: [([UInt8], TransportAddress)] = []
    for transmit in outputs.transmits {
      taken.append((Self.bytes(transmit.range, of: outputs.arena), transmit.path.remote))
    }
    outputs.removeSent()
    return taken
  }

  private static func bytes(_ range: Range<Int>, of arena: borrowing PacketArena) -> [UInt8] {
    let packet = arena.packet(range)
    var bytes: [UInt8] = []
    bytes.append(contentsOf: packet)
    return bytes
  }

  private func transmit(_ bytes: [UInt8], from: TransportAddress, to: TransportAddress) {
    if tap(bytes, from, to) { return }
    network.send(bytes, from: from, to: to, at: now)
  }
}
