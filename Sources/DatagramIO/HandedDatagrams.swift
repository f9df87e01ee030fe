import Bytes
import ICE

/// Datagrams that one loop read and another is meant by, one behind the other in memory that is used again.
struct HandedDatagrams {
  /// More waits for a loop only if that has stood still: some hundred thousand packets a second for as long as one turn takes.
  private static let byteCountMax = 8 << 20

  private struct Entry {
    /// One past its last byte.
    var end: Int
    var path: TransportPath
  }

  private var bytes: [UInt8] = []
  private var entries: [Entry] = []

  var isEmpty: Bool { entries.isEmpty }

  /// - Returns: false where there is no room.
  mutating func append(_ datagram: Span<UInt8>, from path: TransportPath) -> Bool {
    guard bytes.count &+ datagram.count <= Self.byteCountMax else { return false }
    datagram.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    entries.append(Entry(end: bytes.count, path: path))
    return true
  }

  /// Hands out each, which may be overwritten, in the order they came, and keeps none.
  mutating func removeAll(_ body: (inout MutableSpan<UInt8>, TransportPath) -> Void) {
    bytes.withUnsafeMutableBufferPointer { bytes in
      var start = 0
      for entry in entries {
        var datagram = UnsafeMutableBufferPointer(rebasing: bytes[start..<entry.end]).mutableSpan
        body(&datagram, entry.path)
        start = entry.end
      }
    }
    bytes.removeAll(keepingCapacity: true)
    entries.removeAll(keepingCapacity: true)
  }
}
