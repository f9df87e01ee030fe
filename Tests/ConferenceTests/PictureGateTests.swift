import Conference
import Dispatch
import RealTime
import Synchronization
import Testing
import Timing

/// The gate with a quota of the test's own; how much is let through is the budget's (`PictureBudgetTests`).
@Suite struct PictureGateTests {
  /// Notes its number when it is done.
  private final class Piece: PictureWork {
    let expectedTime: Int64 = 1
    let isOutput = false
    private let number: Int
    private let done: DoneList

    init(_ number: Int, _ done: DoneList) {
      self.number = number
      self.done = done
    }

    func work() { done.add(number) }
  }

  private final class DoneList: Sendable {
    let numbers = Mutex<[Int]>([])
    let count = DispatchSemaphore(value: 0)

    func add(_ number: Int) {
      numbers.withLock { $0.append(number) }
      count.signal()
    }

    func wait(for count: Int) { for _ in 0..<count { self.count.wait() } }
  }

  @Test func withoutAQuotaNothingWaits() {
    let gate = PictureGate { nil }
    let (queue, done) = (DispatchQueue(label: "pictures"), DoneList())
    for number in 0..<10 { gate.submit(Piece(number, done), on: queue) }
    done.wait(for: 10)
    #expect(done.numbers.withLock { $0 } == Array(0..<10) && gate.heldBack == 0)
  }

  @Test func whatWaitsForAQuotaIsDoneInItsOrderOnceThatIsLifted() {
    let isLifted = Atomic<Bool>(false)
    // Less in a second than this test has used: nothing is ever admitted.
    let quota = ProcessorQuota(nanoseconds: 1_000, each: .seconds(1))
    let gate = PictureGate { isLifted.load(ordering: .relaxed) ? nil : quota }
    let (queue, done) = (DispatchQueue(label: "pictures"), DoneList())
    for number in 0..<5 { gate.submit(Piece(number, done), on: queue) }
    #expect(done.numbers.withLock { $0 }.isEmpty && gate.heldBack == 5)
    isLifted.store(true, ordering: .relaxed)
    done.wait(for: 5)
    #expect(done.numbers.withLock { $0 } == Array(0..<5))
  }

  @Test func whatTheQuotaHasRoomForIsDone() {
    let gate = PictureGate { ProcessorQuota(nanoseconds: 1_000_000_000_000, each: .milliseconds(1)) }
    let (queue, done) = (DispatchQueue(label: "pictures"), DoneList())
    for number in 0..<100 { gate.submit(Piece(number, done), on: queue) }
    done.wait(for: 100)
    #expect(done.numbers.withLock { $0 } == Array(0..<100))
  }
}
