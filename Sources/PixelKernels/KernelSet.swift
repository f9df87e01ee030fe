import CPixelKernels

/// One implementation of the pixel kernels; all implementations give the same bits.
///
/// `best` is chosen once, by what the processor can do; the others exist so that tests and benchmarks can hold them beside it.
package struct KernelSet: @unchecked Sendable {
  // Unchecked because it points to a table of function pointers which never changes.
  let table: UnsafePointer<pk_kernels>

  /// "scalar", "neon", "avx2", "avx512" or "avx512vnni".
  package var name: String { String(cString: table.pointee.name) }

  /// The reference in plain C, which runs everywhere.
  package static let scalar = KernelSet(table: pk_scalar())

  /// What this processor can run, the reference first and the fastest last.
  package static let available: [KernelSet] = [
    pk_scalar(), pk_neon(), pk_avx2(), pk_avx512(), pk_avx512vnni(),
  ].compactMap { table in table.map(KernelSet.init(table:)) }

  /// The fastest that this processor can run.
  package static let best = available.last ?? scalar
}
