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

  package init() throws(SocketError) {
    queue = try EventQueue()
    MediaThread.start(name: "clients") { [self] in
      var nextRound = MonotonicClock.now()
      var ready: [Int] = []
      while !isStopping.load(ordering: .relaxed) { turn(&nextRound, &ready) }
    }
  }

  private func turn(_ nextRound: inout Instant, _ ready: inout [Int]) {
    ready.removeAll(keepingCapacity: true)
    queue.wait(timeout: Self.round) { token, _ in ready.append(Int(token)) }
    let clients = clients.withLock { $0 }
    for index in ready where clients.indices.contains(index) { clients[index].advance() }
    // What is due is done on time also while packets come for others without a pause.
    let now = MonotonicClock.now()
    guard now >= nextRound else { return }
    nextRound = now + Self.round
    for client in clients where client.isDue(at: now) { client.advance() }
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
