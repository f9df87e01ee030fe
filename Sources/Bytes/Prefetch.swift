internal import CMemory

/// Asks for memory that will be needed in a microsecond: where hundreds of peers take turns, each has left the caches by the time he
/// comes again, and waiting for his memory costs as much as encrypting for him.
package enum Prefetch {
  /// Never more than a hint: nothing is read, and an address that is none does no harm.
  package static func memory(at address: UnsafeRawPointer, byteCount: Int) { shim_prefetch(address, byteCount) }

  /// The memory of an array's first element, or of where it will be put.
  package static func firstElement<Element>(of array: [Element]) {
    array.withUnsafeBytes { bytes in
      if let address = bytes.baseAddress { memory(at: address, byteCount: MemoryLayout<Element>.size) }
    }
  }
}
