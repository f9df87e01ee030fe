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

@Test func aQuotaIsTwoNumbersInMicroseconds() {
  let half = ProcessorQuota(nanoseconds: 50_000_000, each: .milliseconds(100))
  #expect(ProcessorQuota("50000 100000\n") == half && half.processors == 0.5)
  #expect(ProcessorQuota("50000\n 100000\n") == half, "as two files of cgroup v1 say it")
  for none in ["max 100000\n", "-1\n 100000\n", "", " ", "50000", "50000 0", "0 100000", "1 2 3", "9223372036854775807 1"] {
    #expect(ProcessorQuota(none) == nil, "\(none)")
  }
}

@Test func aGroupHasTheQuotasOfAllThatItIsWithin() {
  #expect(
    GroupQuota.files("0::/system.slice/docker-4f2a.scope\n") == [
      ["/sys/fs/cgroup/cpu.max"], ["/sys/fs/cgroup/system.slice/cpu.max"],
      ["/sys/fs/cgroup/system.slice/docker-4f2a.scope/cpu.max"],
    ])
  #expect(GroupQuota.files("0::/\n") == [["/sys/fs/cgroup/cpu.max"]], "within a container")
}

@Test func ofCgroupV1OnlyTheGroupOfProcessorsHasAQuota() {
  let groups = "5:cpu,cpuacct:/docker/4f2a\n4:memory:/docker/4f2a\n3:cpuset:/x\n2:cpu:/\n1:name=systemd:/y\nnonsense\n::\n"
  #expect(
    GroupQuota.files(groups).filter { $0.count == 2 }
      == ["", "/docker", "/docker/4f2a", ""].map { path in
        ["/sys/fs/cgroup/cpu\(path)/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu\(path)/cpu.cfs_period_us"]
      })
  #expect(GroupQuota.files(groups).count == 5 && GroupQuota.files("").isEmpty)
}

@Test func theWallClockIsLaterThanThisTest() {
  #expect(WallClock.unixNanoseconds() > 1_700_000_000_000_000_000)
}
