import CAllocationCounter

/// How many allocations the calling thread makes while `body` runs.
public func allocations(during body: () throws -> Void) rethrows -> Int {
  let before = allocation_count()
  try body()
  return Int(allocation_count() - before)
}

/// Bytes of the heap that the whole process has in use.
public func liveHeapBytes() -> Int { Int(live_heap_bytes()) }
