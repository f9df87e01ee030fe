import DatagramIO
import ICE
import Synchronization
import TestSupport
import Testing
import Timing

private let loopback = TransportAddress(ipv4: 0x7F00_0001, port: 0)

@Suite struct EventQueueTests {
  @Test func aWakerEndsAWaitFromAnotherThread() throws {
    let queue = try EventQueue()
    let waker = try Waker()
    queue.add(waker.descriptor, token: 42, for: .readable)
    let thread = try Thread(name: "waker-of-a-long-name", priority: .realTime(1)) { waker.wake() }
    var tokens: [UInt64] = []
    let found = queue.wait(timeout: .seconds(10)) { token, readiness in
      #expect(readiness.contains(.readable))
      tokens.append(token)
    }
    thread.join()
    #expect(found == 1 && tokens == [42])
    waker.clear()
    let after = queue.wait(timeout: .zero) { _, _ in }
    #expect(after == 0)
  }

  @Test func aWaitEndsWithItsTime() throws {
    let queue = try EventQueue()
    let before = MonotonicClock.now()
    let found = queue.wait(timeout: .microseconds(300)) { _, _ in }
    #expect(found == 0)
    #expect(MonotonicClock.now() - before >= .microseconds(300))
    let negative = queue.wait(timeout: .seconds(-5)) { _, _ in }
    #expect(negative == 0)
  }

  @Test func watchingCanBeChangedAndEnded() throws {
    let queue = try EventQueue()
    let socket = try UDPSocket(bind: loopback)
    let added = queue.add(socket.descriptor, token: 1, for: [.readable, .writable])
    let again = queue.add(socket.descriptor, token: 1, for: .readable)
    #expect(added && !again)
    var ready: EventQueue.Readiness = []
    queue.wait(timeout: .seconds(1)) { _, readiness in ready = readiness }
    #expect(ready == .writable)
    queue.change(socket.descriptor, token: 1, for: .readable)
    let idle = queue.wait(timeout: .zero) { _, _ in }
    #expect(idle == 0)
    queue.remove(socket.descriptor)
    let readded = queue.add(socket.descriptor, token: 2, for: .readable)
    #expect(readded)
  }

  @Test func clocksRun() {
    let a = MonotonicClock.now()
    let b = MonotonicClock.now()
    #expect(b >= a && a > .zero)
    // Between 2020 and the wrap of 2036.
    #expect(MonotonicClock.wallClock().rawValue >> 32 > 3_786_825_600)
  }

  @Test func aThreadRunsItsBodyOnce() throws {
    let runs = Counter()
    let threads = try (0..<8).map { number in try Thread(name: "t\(number)") { runs.value.add(1, ordering: .relaxed) } }
    for thread in threads { thread.join() }
    #expect(runs.value.load(ordering: .relaxed) == 8)
  }
}

private final class Counter: Sendable {
  let value = Atomic<Int>(0)
}
