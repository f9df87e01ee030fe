import Timing

/// When each peer wants to be called next, the earliest first. A binary heap; a peer may stand in it more than once, and what is
/// out of date is recognised when it comes up.
struct DeadlineHeap {
  struct Entry {
    var deadline: Instant
    var peer: PeerID
  }
  private var entries: [Entry] = []

  var first: Entry? { entries.first }
  var count: Int { entries.count }

  mutating func insert(_ deadline: Instant, _ peer: PeerID) {
    entries.append(Entry(deadline: deadline, peer: peer))
    var index = entries.count - 1
    while index > 0, case let parent = (index - 1) / 2, entries[index].deadline < entries[parent].deadline {
      entries.swapAt(index, parent)
      index = parent
    }
  }

  mutating func removeFirst() {
    guard let last = entries.popLast() else { return }
    guard !entries.isEmpty else { return }
    entries[0] = last
    var index = 0
    while true {
      let children = (2 * index + 1)..<min(2 * index + 3, max(entries.count, 2 * index + 1))
      guard let least = children.min(by: { entries[$0].deadline < entries[$1].deadline }),
        entries[least].deadline < entries[index].deadline
      else { return }
      entries.swapAt(index, least)
      index = least
    }
  }

  /// Throws away what is out of date, and with it all that stands in the heap more than once.
  mutating func keep(_ isInForce: (Entry) -> Bool) {
    var seen: Set<PeerID> = []
    let kept = entries.filter { isInForce($0) && seen.insert($0.peer).inserted }
    entries.removeAll(keepingCapacity: true)
    for entry in kept { insert(entry.deadline, entry.peer) }
  }
}
