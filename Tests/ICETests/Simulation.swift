import Bytes
import ICE
import TestSupport
import Timing

/// Either agent, for a simulation of two.
enum Agent {
  case lite(ICELiteAgent)
  case full(ICEFullAgent)

  var nextDeadline: Instant? {
    switch self {
    case .lite(let agent): agent.nextDeadline
    case .full(let agent): agent.nextDeadline
    }
  }

  var selectedPath: TransportPath? {
    switch self {
    case .lite(let agent): agent.selectedPath
    case .full(let agent): agent.selectedPath
    }
  }

  mutating func receive(
    _ bytes: [UInt8], from path: TransportPath, at now: Instant, arena: inout PacketArena, outputs: inout [ICEOutput]
  ) {
    switch self {
    case .lite(var agent):
      agent.receive(bytes.span, from: path, at: now, arena: &arena, outputs: &outputs)
      self = .lite(agent)
    case .full(var agent):
      agent.receive(bytes.span, from: path, at: now, arena: &arena, outputs: &outputs)
      self = .full(agent)
    }
  }

  mutating func handleTimeout(at now: Instant, arena: inout PacketArena, outputs: inout [ICEOutput]) {
    switch self {
    case .lite(var agent):
      agent.handleTimeout(at: now, outputs: &outputs)
      self = .lite(agent)
    case .full(var agent):
      agent.handleTimeout(at: now, arena: &arena, outputs: &outputs)
      self = .full(agent)
    }
  }

  mutating func withFull(_ body: (inout ICEFullAgent) -> Void) {
    guard case .full(var agent) = self else { return }
    body(&agent)
    self = .full(agent)
  }

  mutating func withLite(_ body: (inout ICELiteAgent) -> Void) {
    guard case .lite(var agent) = self else { return }
    body(&agent)
    self = .lite(agent)
  }
}

/// Two agents and a network between them that loses, delays, translates and blocks, in virtual time and by seed.
struct Simulation {
  struct Datagram {
    var at: Instant
    var from: TransportAddress
    var to: TransportAddress
    var bytes: [UInt8]
  }

  struct Event: Equatable {
    var at: Instant
    var node: Int
    var output: ICEOutput
  }

  var now = Instant.zero
  var agents: [Agent]
  /// The addresses of each agent's sockets, by socket number.
  var sockets: [[TransportAddress]]
  var random: SeededRandom
  var lossPercent = 0
  var delayMilliseconds: ClosedRange<Int64> = 5...20
  /// Addresses to and from which nothing passes.
  var blocked: Set<TransportAddress> = []
  /// What a NAT makes of an address when a datagram leaves.
  var translations: [TransportAddress: TransportAddress] = [:]
  var events: [Event] = []
  /// Everything that was sent, for replaying.
  var sent: [Datagram] = []
  private var queue: [Datagram] = []
  private var arena = [PacketArenaBox()]

  init(_ agents: [Agent], sockets: [[TransportAddress]], seed: UInt64 = 1) {
    self.agents = agents
    self.sockets = sockets
    self.random = SeededRandom(seed: seed)
  }

  /// Runs for an interval of virtual time, or until `done` says so after an event.
  mutating func run(for interval: Interval, until done: (Simulation) -> Bool = { _ in false }) {
    let end = now + interval
    while true {
      let next = min(agents.compactMap(\.nextDeadline).min() ?? .distantFuture, queue.map(\.at).min() ?? .distantFuture)
      guard next <= end else {
        now = end
        return
      }
      now = max(now, next)
      deliver()
      for node in agents.indices where agents[node].nextDeadline.map({ $0 <= now }) == true {
        act(node) { agent, now, arena, outputs in agent.handleTimeout(at: now, arena: &arena, outputs: &outputs) }
      }
      if done(self) { return }
    }
  }

  var areBothConnected: Bool { agents.allSatisfy { $0.selectedPath != nil } }

  /// Puts a datagram on the network as if sent from `from`.
  mutating func inject(_ bytes: [UInt8], from: TransportAddress, to: TransportAddress) {
    queue.append(Datagram(at: now, from: from, to: to, bytes: bytes))
    deliver()
  }

  func count(_ output: ICEOutput, of node: Int) -> Int { events.count { $0.node == node && $0.output == output } }

  private mutating func deliver() {
    let due = queue.filter { $0.at <= now }.sorted { $0.at < $1.at }
    queue.removeAll { $0.at <= now }
    for datagram in due {
      let inner = translations.first { $0.value == datagram.to }?.key ?? datagram.to
      guard !blocked.contains(datagram.from), !blocked.contains(datagram.to), !blocked.contains(inner) else { continue }
      for node in agents.indices {
        guard let socket = sockets[node].firstIndex(of: inner) else { continue }
        let path = TransportPath(socket: UInt32(socket), remote: datagram.from)
        act(node) { agent, now, arena, outputs in
          agent.receive(datagram.bytes, from: path, at: now, arena: &arena, outputs: &outputs)
        }
      }
    }
  }

  private mutating func act(_ node: Int, _ body: (inout Agent, Instant, inout PacketArena, inout [ICEOutput]) -> Void) {
    var outputs: [ICEOutput] = []
    let box = arena[0]
    box.arena.removeAll()
    body(&agents[node], now, &box.arena, &outputs)
    for output in outputs {
      guard case .send(let range, let path) = output else {
        events.append(Event(at: now, node: node, output: output))
        continue
      }
      let from = sockets[node][Int(path.socket)]
      transmit(copy(range, of: box.arena), from: from, to: path.remote)
    }
  }

  private mutating func transmit(_ bytes: [UInt8], from: TransportAddress, to: TransportAddress) {
    guard !blocked.contains(from) else { return }
    let delay = Interval.milliseconds(Int64.random(in: delayMilliseconds, using: &random))
    let datagram = Datagram(at: now + delay, from: translations[from] ?? from, to: to, bytes: bytes)
    sent.append(datagram)
    guard Int.random(in: 0..<100, using: &random) >= lossPercent else { return }
    queue.append(datagram)
  }
}

/// A place for the arena, which cannot be copied.
final class PacketArenaBox {
  var arena = PacketArena()
}

/// Lends the bytes of a packet.
func withPacket(_ range: Range<Int>, of arena: borrowing PacketArena, _ body: (Span<UInt8>) -> Void) {
  body(arena.packet(range))
}

func copy(_ range: Range<Int>, of arena: borrowing PacketArena) -> [UInt8] {
  let packet = arena.packet(range)
  return packet.indices.map { packet[$0] }
}

extension Simulation: CustomStringConvertible {
  /// Short enough for a failed expectation.
  var description: String { "at \(now.nanoseconds / 1_000_000) ms: \(events.map { "\($0.node): \($0.output)" })" }
}
