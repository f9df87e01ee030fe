import Bytes
import ICE

/// Finds whom a path leads to: open addressing with linear probing, at most half full.
///
/// Asked once for every datagram, where a `Dictionary` spends several times as long on its hash, which keeps out collisions made on
/// purpose by whoever chooses keys. Here only authenticated peers put in paths, few each, and the hash depends on a seed.
package struct PathTable<Value: AnyObject> {
  private struct Slot {
    var path: TransportPath
    /// Nil in a slot that is free.
    var value: Value?
  }

  /// As many as a power of two; none before the first path.
  private var slots: [Slot] = []
  package private(set) var count = 0
  private let seed: UInt64
  private let valueOffset = MemoryLayout<Slot>.offset(of: \Slot.value) ?? 0

  package init(seed: UInt64) { self.seed = seed }

  package subscript(path: TransportPath) -> Value? {
    get { find(path).flatMap { slots[$0].value } }
    set {
      guard let newValue else {
        remove(path)
        return
      }
      if let place = find(path) {
        slots[place].value = newValue
      } else {
        insert(path, newValue)
      }
    }
  }

  /// A path will be asked for soon: asks for the memory it is noted in.
  package func prefetch(_ path: TransportPath) {
    if count > 0 { Prefetch.element(home(path), of: slots) }
  }

  /// Where what the path leads to lies, without a reference counted: that would be waited for by whoever only asks for its memory.
  package func memory(_ path: TransportPath) -> UnsafeRawPointer? {
    guard let place = find(path) else { return nil }
    return slots.withUnsafeBytes {
      $0.load(fromByteOffset: place &* MemoryLayout<Slot>.stride &+ valueOffset, as: UnsafeRawPointer?.self)
    }
  }

  /// - Returns: what the path led to.
  @discardableResult package mutating func remove(_ path: TransportPath) -> Value? {
    guard var free = find(path) else { return nil }
    let removed = slots[free].value
    slots[free].value = nil
    count &-= 1
    // Those behind it that probing passed over this slot for move up, so that it finds them still.
    var place = next(free)
    while slots[place].value != nil {
      let distance = (place &- home(slots[place].path)) & (slots.count &- 1)
      if distance >= (place &- free) & (slots.count &- 1) {
        slots.swapAt(free, place)
        free = place
      }
      place = next(place)
    }
    return removed
  }

  private mutating func insert(_ path: TransportPath, _ value: Value) {
    if count &* 2 >= slots.count { grow() }
    var place = home(path)
    while slots[place].value != nil { place = next(place) }
    slots[place] = Slot(path: path, value: value)
    count &+= 1
  }

  private mutating func grow() {
    let old = slots
    let nobody = TransportPath(remote: .init(ipv4: 0, port: 0))
    slots = Array(repeating: Slot(path: nobody, value: nil), count: max(old.count &* 2, 16))
    count = 0
    for slot in old {
      if let value = slot.value { insert(slot.path, value) }
    }
  }

  private func find(_ path: TransportPath) -> Int? {
    guard count > 0 else { return nil }
    var place = home(path)
    while slots[place].value != nil {
      if slots[place].path == path { return place }
      place = next(place)
    }
    return nil
  }

  private func next(_ place: Int) -> Int { (place &+ 1) & (slots.count &- 1) }

  /// Where probing begins: two products whose halves are folded together, each factor with a secret in it.
  private func home(_ path: TransportPath) -> Int {
    let remote = path.remote
    let rest = UInt64(path.socket) << 32 | UInt64(remote.port) << 16 | UInt64(path.transport.rawValue) << 8
    let first = fold(remote.low ^ seed, (rest | UInt64(remote.family.rawValue)) ^ 0x9E37_79B9_7F4A_7C15)
    let hash = fold(first ^ remote.high, seed ^ 0xD6E8_FEB8_6659_FD93)
    return Int(truncatingIfNeeded: hash) & (slots.count &- 1)
  }

  private func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }
}
