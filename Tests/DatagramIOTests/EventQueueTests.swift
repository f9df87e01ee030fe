import DatagramIO
import ICE
import RealTime
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
    MediaThread.start(name: "waker") { waker.wake() }
    var tokens: [UInt64] = []
    let found = queue.wait(timeout: .seconds(10)) { token, readiness in
      #expect(readiness.contains(.readable))
      tokens.append(token)
    }
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
}
