import CAllocationCounter

/// How many allocations the calling thread makes while `body` runs.
public func allocations(during body: () throws -> Void) rethrows -> Int {
  let before = allocation_count()
  try body()
  return Int(allocation_count() - before)
}
