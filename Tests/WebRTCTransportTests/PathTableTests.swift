import ICE
import TestSupport
import Testing
import WebRTCTransport

struct PathTableTests {
  final class Leaf {}

  /// Few enough that they collide, are put in again and again, and share addresses, ports and sockets.
  private func path(_ bits: UInt64) -> TransportPath {
    let port = UInt16(truncatingIfNeeded: bits & 15)
    let remote =
      bits & 16 == 0
      ? TransportAddress(ipv4: UInt32(truncatingIfNeeded: bits >> 5 & 3), port: port)
      : TransportAddress(ipv6High: bits >> 5 & 1, low: bits >> 6 & 1, port: port)
    return TransportPath(
      transport: bits & 128 == 0 ? .udp : .tcp, socket: UInt32(truncatingIfNeeded: bits >> 8 & 1), remote: remote)
  }

  @Test(arguments: UInt64(1)...20) func itAnswersAsADictionaryDoes(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var table = PathTable<Leaf>(seed: random.next())
    var reference: [TransportPath: Leaf] = [:]
    var differences = 0
    for step in 0..<4000 {
      let path = path(random.next())
      // Grows, then shrinks, so that runs of taken slots form and are cut.
      if random.next() % 4 < (step < 2000 ? 3 : 1) {
        let leaf = Leaf()
        table[path] = leaf
        reference[path] = leaf
      } else if table.remove(path) !== reference.removeValue(forKey: path) {
        differences += 1
      }
      if table.count != reference.count || table[path] !== reference[path] { differences += 1 }
      if table.memory(path) != reference[path].map({ UnsafeRawPointer(Unmanaged.passUnretained($0).toOpaque()) }) {
        differences += 1
      }
      if step % 100 == 0 {
        for (path, leaf) in reference where table[path] !== leaf { differences += 1 }
      }
    }
    #expect(differences == 0)
  }

  @Test func itHoldsNothingThatWasRemoved() {
    var table = PathTable<Leaf>(seed: 1)
    weak var gone: Leaf?
    do {
      let leaf = Leaf()
      gone = leaf
      table[path(3)] = leaf
    }
    #expect(gone != nil)
    table[path(3)] = nil
    #expect(gone == nil)
    #expect(table.count == 0)
  }

  @Test func askingItAllocatesNothing() {
    var table = PathTable<Leaf>(seed: 1)
    for bits in UInt64(0)..<100 { table[path(bits)] = Leaf() }
    var found = 0
    let count = allocations {
      for bits in UInt64(0)..<200 where table[path(bits)] != nil { found += 1 }
    }
    #expect(count == 0)
    #expect(found >= 100)
  }
}
