import Bytes
import Synchronization

/// The bytes of one encoded frame, shared by reference by all who send, decode or record it, and never changed once shared.
public final class FrameBuffer: @unchecked Sendable {
  // Unchecked because `bytes` is writable; whoever filled the buffer hands it on only when it is done with it, and the pool
  // takes it back only once nobody else holds it.
  public fileprivate(set) var bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public var count: Int { bytes.count }
}

/// Frame buffers that are used again once everyone has let go of them, so that a steady stream allocates nothing.
///
/// A buffer needs no returning: the pool keeps a reference to each and looks for one that only it still holds. With all in use
/// it makes one that it does not keep, and counts that.
public struct FrameBufferPool: ~Copyable {
  private var buffers: [FrameBuffer] = []
  private let capacity: Int
  private let bytesReserved: Int
  private var next = 0
  /// Buffers made because all the pool's own were in use.
  public private(set) var misses = 0

  /// - Parameters:
  ///   - capacity: how many buffers are kept: as many as may be in flight at once, plus one.
  ///   - bytesReserved: what each can hold before it grows, and keeps once grown.
  public init(capacity: Int, bytesReserved: Int) {
    self.capacity = max(capacity, 1)
    self.bytesReserved = bytesReserved
  }

  /// A buffer holding what `fill` appends to its emptied bytes.
  public mutating func make(_ fill: (inout [UInt8]) -> Void) -> FrameBuffer {
    let buffer = takeUnused()
    buffer.bytes.removeAll(keepingCapacity: true)
    fill(&buffer.bytes)
    return buffer
  }

  /// A buffer holding a copy of `bytes`.
  public mutating func make(copying bytes: Span<UInt8>) -> FrameBuffer {
    make { $0.append(contentsOf: bytes) }
  }

  /// Asks for the memory of the buffer that is probably used next.
  package mutating func prefetch() {
    guard !buffers.isEmpty else { return }
    let place = next &+ 1 < buffers.count ? next &+ 1 : 0
    Prefetch.memory(at: Prefetch.object(place, in: buffers), byteCount: 1)
  }

  private mutating func takeUnused() -> FrameBuffer {
    // A few tries from where the last search ended: buffers are mostly let go of in the order they were taken.
    for _ in 0..<min(buffers.count, 4) {
      next = next &+ 1 < buffers.count ? next &+ 1 : 0
      if isKnownUniquelyReferenced(&buffers[next]) {
        // Whoever let go of it on another thread is done reading before this thread writes.
        atomicMemoryFence(ordering: .acquiring)
        return buffers[next]
      }
    }
    let buffer = FrameBuffer([])
    buffer.bytes.reserveCapacity(bytesReserved)
    if buffers.count < capacity { buffers.append(buffer) } else { misses &+= 1 }
    return buffer
  }
}

extension Array where Element == UInt8 {
  /// Appends the bytes of a span in one copy.
  public mutating func append(contentsOf bytes: Span<UInt8>) {
    bytes.withUnsafeBufferPointer { append(contentsOf: $0) }
  }
}
