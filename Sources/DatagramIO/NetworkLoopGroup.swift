import EncodedMedia
import ICE
import Synchronization
import WebRTCTransport

/// Several network threads behind one port, where one cannot serve all peers: each peer belongs to one of them for as long as it is
/// there, and a frame goes to those threads only that have somebody who receives it.
///
///     send(frame, to: output) ─▶ who has receivers of it? ─▶ NetworkLoop  NetworkLoop  NetworkLoop
///                                                                 ▲────────────▲────────────▲   one port
///
/// Observers are called on the thread of their peer, so on several threads at once where they watch several peers.
public final class NetworkLoopGroup: PeerTransport {
  /// Threads at most.
  public static let threadsMax = 32

  /// Where a peer is and what it may receive.
  private struct Seat {
    var loop: Int
    /// Our fragments that lead to it; none where there is one loop alone.
    var fragments: [UfragKey]
    var audio: OutputID?
    var pictures: [OutputID] = []
  }

  /// How many peers of each loop may receive an output.
  private struct Audience {
    var counts: [Int]
    /// A bit for each loop that has some.
    var loops: UInt32 = 0

    mutating func add(_ change: Int, at loop: Int) {
      counts[loop] += change
      if counts[loop] > 0 { loops |= 1 << UInt32(loop) } else { loops &= ~(1 << UInt32(loop)) }
    }
  }

  private struct Seating {
    var seats: [PeerID: Seat] = [:]
    var peers: [Int]
    var audiences: [OutputID: Audience] = [:]

    /// The loop with the fewest peers.
    var emptiest: Int { peers.indices.min { peers[$0] < peers[$1] } ?? 0 }

    mutating func receive(_ outputs: some Sequence<OutputID>, at loop: Int, change: Int) {
      for output in outputs {
        audiences[output, default: Audience(counts: Array(repeating: 0, count: peers.count))].add(change, at: loop)
        if audiences[output]?.loops == 0 { audiences[output] = nil }
      }
    }
  }

  private let loops: [NetworkLoop]
  private let directory = LoopDirectory()
  private let seating: Mutex<Seating>

  /// Opens the sockets and starts the threads.
  ///
  /// - Parameters:
  ///   - addresses: to be bound for UDP, and for ICE-TCP where `acceptsTCP`; port 0 has the kernel choose.
  ///   - threads: 1 to `threadsMax`.
  /// - Throws: a sentence that says which address cannot be had and why.
  public init(bind addresses: [TransportAddress], acceptsTCP: Bool, threads: Int = 1, seed: UInt64) throws(SocketError) {
    let threads = min(max(threads, 1), Self.threadsMax)
    var loops: [NetworkLoop] = []
    for (index, ports) in try MediaPort.open(addresses, acceptsTCP: acceptsTCP, loops: threads).enumerated() {
      let place = threads > 1 ? LoopPlace(index, in: directory) : nil
      loops.append(try NetworkLoop(ports, place: place, seed: seed &+ UInt64(index)))
    }
    self.loops = loops
    seating = Mutex(Seating(peers: Array(repeating: 0, count: threads)))
    if threads > 1 { directory.set(loops) }
  }

  /// Where peers reach us.
  public var localAddresses: [TransportAddress] { loops[0].localAddresses }
  public var threads: Int { loops.count }

  /// Ends the threads and closes the sockets; peers are told first.
  public func stop() {
    directory.set([])
    for loop in loops { loop.stop() }
  }

  /// Of all loops together; of waits the longest.
  public var statistics: NetworkLoop.Counters {
    loops.dropFirst().reduce(into: loops[0].statistics) { $0.add($1.statistics) }
  }

  public var punctuality: SendingPunctuality {
    loops.reduce(into: SendingPunctuality()) { $0.add($1.punctuality) }
  }

  // MARK: PeerTransport

  public func add(_ peer: PeerID, _ setup: PeerSetup, observer: any PeerObserver) {
    let fragments = loops.count > 1 ? [setup.localCredentials.key].compactMap(\.self) : []
    let loop = seating.withLock { seating in
      let loop = seating.emptiest
      seating.seats[peer] = Seat(loop: loop, fragments: fragments)
      seating.peers[loop] += 1
      return loop
    }
    loops[loop].add(peer, setup, observer: observer)
    // Once it is: checks may be handed over at once.
    for fragment in fragments { directory.add(fragment, of: loop) }
  }

  public func update(_ peer: PeerID, _ setup: PeerSetup) {
    let fragment = loops.count > 1 ? setup.localCredentials.key : nil
    let change: (loop: Int, isNew: Bool)? = seating.withLock { seating in
      guard var seat = seating.seats[peer] else { return nil }
      guard let fragment, !seat.fragments.contains(fragment) else { return (seat.loop, false) }
      // Which are in force still depends on what the peer nominated: his loop knows, and has let go of the others.
      seat.fragments.removeAll { !directory.contains($0) }
      seat.fragments.append(fragment)
      seating.seats[peer] = seat
      return (seat.loop, true)
    }
    guard let change else { return }
    loops[change.loop].update(peer, setup)
    if change.isNew, let fragment { directory.add(fragment, of: change.loop) }
  }

  public func remove(_ peer: PeerID) {
    let seat: Seat? = seating.withLock { seating in
      guard let seat = seating.seats.removeValue(forKey: peer) else { return nil }
      seating.peers[seat.loop] -= 1
      seating.receive(seat.pictures + [seat.audio].compactMap(\.self), at: seat.loop, change: -1)
      return seat
    }
    guard let seat else { return }
    for fragment in seat.fragments { directory.remove(fragment) }
    loops[seat.loop].remove(peer)
  }

  public func subscribe(_ peer: PeerID, _ kind: MediaKind, to output: OutputID?) {
    move(peer, kind, to: [output].compactMap(\.self)) { $0.subscribe(peer, kind, to: output) }
  }

  public func subscribe(_ peer: PeerID, to ladder: VideoLadder) {
    move(peer, .video, to: ladder.rungs.map(\.output)) { $0.subscribe(peer, to: ladder) }
  }

  public func requestKeyframe(_ peer: PeerID, _ stream: StreamID) {
    guard let loop = seating.withLock({ $0.seats[peer]?.loop }) else { return }
    loops[loop].requestKeyframe(peer, stream)
  }

  public func want(_ peer: PeerID, _ stream: StreamID, temporalLayers: UInt8) {
    guard let loop = seating.withLock({ $0.seats[peer]?.loop }) else { return }
    loops[loop].want(peer, stream, temporalLayers: temporalLayers)
  }

  public func send(_ frame: EncodedFrame, to output: OutputID) {
    guard loops.count > 1 else { return loops[0].send(frame, to: output) }
    var rest = seating.withLock { $0.audiences[output]?.loops ?? 0 }
    while rest != 0 {
      loops[rest.trailingZeroBitCount].send(frame, to: output)
      rest &= rest - 1
    }
  }

  /// Notes what a peer may receive from now on, before `tell` has its loop know.
  private func move(_ peer: PeerID, _ kind: MediaKind, to outputs: [OutputID], tell: (NetworkLoop) -> Void) {
    let loop: Int? = seating.withLock { seating in
      guard var seat = seating.seats[peer] else { return nil }
      seating.receive(outputs, at: seat.loop, change: 1)
      switch kind {
      case .audio:
        seating.receive([seat.audio].compactMap(\.self), at: seat.loop, change: -1)
        seat.audio = outputs.first
      case .video:
        seating.receive(seat.pictures, at: seat.loop, change: -1)
        seat.pictures = outputs
      }
      seating.seats[peer] = seat
      return seat.loop
    }
    if let loop { tell(loops[loop]) }
  }
}
