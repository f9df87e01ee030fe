import RealTime
import Synchronization
import Testing
import Timing

@Test func theMonotonicClockNeverGoesBack() {
  var last = MonotonicClock.now()
  for _ in 0..<1000 {
    let now = MonotonicClock.now()
    #expect(now >= last)
    last = now
  }
}

@Test func sleepingEndsNotBeforeItsDeadline() {
  let deadline = MonotonicClock.now() + .milliseconds(2)
  MonotonicClock.sleep(until: deadline)
  #expect(MonotonicClock.now() >= deadline)
  MonotonicClock.sleep(until: .zero)
}

@Test func aThreadRunsItsBodyOnce() async {
  await withCheckedContinuation { continuation in
    MediaThread.start(name: "a name longer than the kernel keeps", priority: .realTime) { continuation.resume() }
  }
}

@Test func theWallClockIsLaterThanThisTest() {
  #expect(WallClock.unixNanoseconds() > 1_700_000_000_000_000_000)
}
