import Dispatch
import RealTime
import Synchronization
import Timing

/// Whatever wants to be called at even times: a room's mix every 20 ms, a canvas at its frame rate.
package protocol Ticking: AnyObject, Sendable {
  /// The time from one tick to the next; may change from tick to tick.
  var tickPeriod: Interval { get }
  /// - Parameters:
  ///   - index: counts on from 0 by one a period, ticks that had to be skipped included.
  ///   - due: when the tick was to happen. What it produces is stamped with this, not with the time it was reached.
  func tick(_ index: Int64, due: Instant)
}

/// One thread that calls its members at absolute deadlines, and sleeps without a timer while it has none.
///
/// Deadlines are start + k x period: a tick that comes late does not move those after it. One that comes more than
/// `skipAfter` late is skipped, with all that are also over. Those that begin late and those that are skipped are counted.
package final class TickLoop: Sendable {
  private struct Member {
    let ticking: any Ticking
    var index: Int64
    var due: Instant
  }
  private struct Changes {
    var joining: [any Ticking] = []
    var leaving: [ObjectIdentifier] = []
    var started = false
  }

  private let name: String
  private let priority: MediaThread.Priority
  private let skipAfter: Interval
  private let changes = Mutex(Changes())
  private let wake = DispatchSemaphore(value: 0)
  private let lateCount = Atomic<Int>(0)
  private let skippedCount = Atomic<Int>(0)
  private let tickCount = Atomic<Int>(0)
  private let processorNanoseconds = Atomic<Int64>(0)
  private let isRealTime = Atomic<Bool>(false)

  /// - Parameter skipAfter: how late a tick may be and still happen.
  package init(name: String, priority: MediaThread.Priority, skipAfter: Interval) {
    self.name = name
    self.priority = priority
    self.skipAfter = skipAfter
  }

  /// Ticks that began more than a period late.
  package var lateTicks: Int { lateCount.load(ordering: .relaxed) }
  /// Ticks that were so late that they were left out.
  package var skippedTicks: Int { skippedCount.load(ordering: .relaxed) }
  /// Nanoseconds of processor time its thread has used.
  package var processorTime: Int64 { processorNanoseconds.load(ordering: .relaxed) }
  /// Of that, what no quota of the control group counts: all where the system allowed SCHED_FIFO, else nothing.
  package var unlimitedTime: Int64 { isRealTime.load(ordering: .relaxed) ? processorTime : 0 }
  /// All that were due.
  package var ticks: Int { tickCount.load(ordering: .relaxed) }

  /// Starts calling `member`, with its tick 0 within a period from now. The thread starts with the first member.
  package func add(_ member: any Ticking) {
    let starts = changes.withLock { changes in
      changes.joining.append(member)
      defer { changes.started = true }
      return !changes.started
    }
    wake.signal()
    if starts { MediaThread.start(name: name, priority: priority) { [self] in run() } }
  }

  /// Stops calling `member`; a tick under way is finished.
  package func remove(_ member: any Ticking) {
    changes.withLock { changes in
      changes.joining.removeAll { $0 === member }
      changes.leaving.append(ObjectIdentifier(member))
    }
    wake.signal()
  }

  private func run() {
    isRealTime.store(MediaThread.isRealTime, ordering: .relaxed)
    var members: [Member] = []
    while true {
      takeChanges(&members)
      guard let next = members.indices.min(by: { members[$0].due < members[$1].due }) else {
        wake.wait()
        continue
      }
      waitUntil(members[next].due)
      let now = MonotonicClock.now()
      for index in members.indices where members[index].due <= now { call(&members[index], at: now) }
      processorNanoseconds.store(ProcessorTime.ofThread(), ordering: .relaxed)
    }
  }

  /// Sleeps to the deadline. New members wait for the next tick of the others, a few milliseconds: nothing wakes the sleeper.
  private func waitUntil(_ deadline: Instant) {
    MonotonicClock.sleep(until: min(deadline, MonotonicClock.now() + .milliseconds(50)))
  }

  private func takeChanges(_ members: inout [Member]) {
    changes.withLock { changes in
      for member in changes.leaving { members.removeAll { ObjectIdentifier($0.ticking) == member } }
      for member in changes.joining {
        members.append(Member(ticking: member, index: 0, due: firstDeadline(of: member)))
      }
      changes.leaving.removeAll(keepingCapacity: true)
      changes.joining.removeAll(keepingCapacity: true)
    }
  }

  /// The next multiple of the period: members of one period tick together, so that the thread wakes once for all.
  private func firstDeadline(of member: any Ticking) -> Instant {
    let period = max(member.tickPeriod.nanoseconds, 1_000_000)
    return Instant(nanoseconds: (MonotonicClock.now().nanoseconds / period + 1) * period)
  }

  private func call(_ member: inout Member, at now: Instant) {
    let period = max(member.ticking.tickPeriod, .milliseconds(1))
    let late = now - member.due
    if late > skipAfter {
      let skipped = late.nanoseconds / period.nanoseconds
      member.index += skipped
      member.due += period * skipped
      skippedCount.add(Int(skipped), ordering: .relaxed)
      tickCount.add(Int(skipped), ordering: .relaxed)
    } else if late > period {
      lateCount.add(1, ordering: .relaxed)
    }
    member.ticking.tick(member.index, due: member.due)
    tickCount.add(1, ordering: .relaxed)
    member.index += 1
    member.due += period
  }
}
