public import CMemory

/// Asks for memory that will be needed in a microsecond: where hundreds of peers take turns, each has left the caches by the time he
/// comes again, and waiting for his memory costs as much as encrypting for him.
///
/// Addresses come from what refers to the memory, an array's value or a place in one, never from the memory itself: whoever looks into it
/// waits for it.
public enum Prefetch {
  /// Never more than a hint: nothing is read, and an address that is none does no harm.
  @inlinable public static func memory(at address: UnsafeRawPointer, byteCount: Int) { shim_prefetch(address, byteCount) }

  /// The memory of an array's element, or of where it will be put; nothing beyond what the array's elements may need.
  ///
  /// - Parameter hasHead: whether what lies before the elements is asked for too: who changes one asks there whether anybody shares them.
  @inlinable public static func element<Element>(_ index: Int, of array: [Element], hasHead: Bool = false) {
    let storage = storage(of: array)
    if hasHead { memory(at: storage, byteCount: headByteCount) }
    memory(at: storage + (headByteCount &+ index &* MemoryLayout<Element>.stride), byteCount: MemoryLayout<Element>.size)
  }

  /// Where an array's memory is while it has room for its elements: what they lie behind, and then they.
  @inlinable public static func storage<Element>(of array: [Element]) -> UnsafeRawPointer {
    withUnsafeBytes(of: array) { $0.load(as: UnsafeRawPointer.self) }
  }

  /// What an array's elements lie behind: its type, count and capacity, and how many share it.
  @inlinable public static var headByteCount: Int { 32 }

  /// The address of the object that an array's element is, or begins with, as it lies there: a reference that is counted would be
  /// waited for.
  ///
  /// - Parameter index: of an element there is.
  @inlinable public static func object<Element>(_ index: Int, in array: [Element]) -> UnsafeRawPointer {
    array.withUnsafeBytes { $0.load(fromByteOffset: index &* MemoryLayout<Element>.stride, as: UnsafeRawPointer.self) }
  }
}
