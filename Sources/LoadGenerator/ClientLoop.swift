import DatagramIO
import RealTime
import Synchronization
import Timing

/// A thread that waits for the datagrams of many clients.
package final class ClientLoop: @unchecked Sendable {
  // Unchecked: the queue may be added to while it is waited at.
  private let queue: EventQueue
  private let clients = Mutex<[LoadClient]>([])
  private let isStopping = Atomic<Bool>(false)

  /// Between two looks at who has something due.
  private static let round = Interval.milliseconds(20)
  /// Turns are so far apart at least: where packets for hundreds come one by one, waking for each would cost more than taking it.
  private static let spacing = Interval.milliseconds(4)

  /// The queue tells of a few at a time; those who have something due wait no longer than for so many.
  private static let waitsPerTurn = 16

  package init() throws(SocketError) {
    queue = try EventQueue()
    MediaThread.start(name: "clients") { [self] in
      var turns = Turns()
      while !isStopping.load(ordering: .relaxed) { turn(&turns) }
    }
  }

  /// What the thread keeps from one turn to the next.
  private struct Turns {
    var last = MonotonicClock.now()
    var nextRound = MonotonicClock.now()
    var ready: [Int] = []
    let workspace = ClientWorkspace()
  }

  private func turn(_ turns: inout Turns) {
    MonotonicClock.sleep(until: turns.last + Self.spacing)
    let clients = clients.withLock { $0 }
    var timeout = Self.round
    for _ in 0..<Self.waitsPerTurn {
      turns.ready.removeAll(keepingCapacity: true)
      let found = queue.wait(timeout: timeout) { token, _ in turns.ready.append(Int(token)) }
      let now = MonotonicClock.now()
      turns.last = now
      for index in turns.ready where clients.indices.contains(index) {
        clients[index].advance(at: now, turns.workspace)
      }
      guard found == EventQueue.capacity else { break }
      timeout = .zero
    }
    // What is due is done on time also while packets come for others without a pause.
    guard turns.last >= turns.nextRound else { return }
    turns.nextRound = turns.last + Self.round
    for client in clients where client.isDue(at: turns.last) {
      client.advance(at: turns.last, turns.workspace)
    }
  }

  /// Looks after a client from now on.
  package func add(_ client: LoadClient) {
    let index = clients.withLock { clients in
      clients.append(client)
      return clients.count - 1
    }
    queue.add(client.descriptor, token: UInt64(index), for: .readable)
  }

  package func stop() { isStopping.store(true, ordering: .relaxed) }
}
