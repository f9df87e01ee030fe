import CPixelKernels

/// Runs scaling plans; owns the rows between the two passes. One for each thread.
package struct PlaneScaler: ~Copyable, @unchecked Sendable {
  // Unchecked because the rows belong to this value alone, which cannot be copied.
  private let kernels: KernelSet
  /// Fixed-point samples after the first pass, and bytes for where a part does not begin with a block of outputs.
  private var row: UnsafeMutablePointer<Int16>
  private var rowCapacity: Int
  private var bytes: UnsafeMutablePointer<UInt8>
  private var byteCapacity: Int

  /// Outputs the horizontal kernels make at a time.
  private static let block = 16

  package init(kernels: KernelSet = .best) {
    self.kernels = kernels
    (rowCapacity, byteCapacity) = (2048, 2048)
    row = Self.zeroed(rowCapacity)
    bytes = .allocate(capacity: byteCapacity)
  }

  deinit {
    row.deallocate()
    bytes.deallocate()
  }

  /// Scales a plane straight into its place in another.
  ///
  /// - Parameters:
  ///   - source: the first sample of the plane the plan was made for; 63 bytes past the end of its last row may be read.
  ///   - destination: where the plan's first output goes, also when only a part of it is written.
  ///   - stride: bytes from row to row.
  ///   - part: the outputs to write, inside the plan's; all of them without it. Nothing else is written, and every sample is the
  ///     one that the whole would have there.
  package mutating func scale(
    _ source: UnsafePointer<UInt8>, stride: Int, to destination: UnsafeMutablePointer<UInt8>, stride destinationStride: Int,
    _ plan: ScalePlan, part: PixelArea? = nil
  ) {
    let whole = PixelArea(x: 0, y: 0, width: plan.width, height: plan.height)
    let part = part?.intersection(whole) ?? whole
    guard !part.isEmpty else { return }
    let first = source + plan.originY * stride + plan.originX
    let out = destination + part.y * destinationStride + part.x
    let (width, height) = (Int32(part.width), Int32(part.height))
    switch plan.method {
    case .copy:
      let from = first + part.y * stride + part.x
      for y in 0..<part.height { (out + y * destinationStride).update(from: from + y * stride, count: part.width) }
    case .halve:
      kernels.table.pointee.halve(first + 2 * (part.y * stride + part.x), stride, out, destinationStride, width, height)
    case .quarter:
      kernels.table.pointee.quarter(first + 4 * (part.y * stride + part.x), stride, out, destinationStride, width, height)
    case .weigh(let rows, let weights, let samples):
      grow(to: plan.extentX + Int(samples.axis.pointee.taps) + 192, bytes: plan.width + Self.block)
      weigh(first, stride, out, destinationStride, part, rows, weights, samples, extent: plan.extentX)
    }
  }

  private func weigh(
    _ first: UnsafePointer<UInt8>, _ stride: Int, _ out: UnsafeMutablePointer<UInt8>, _ outStride: Int, _ part: PixelArea,
    _ rows: [ScalePlan.Row], _ weights: [Int16], _ samples: AxisTables, extent: Int
  ) {
    let weighRows = kernels.table.pointee.weigh_rows!, weighSamples = kernels.table.pointee.weigh_samples!
    let axis = samples.axis, left = axis.pointee.left!
    let begin = part.x / Self.block * Self.block, end = part.x + part.width
    let from = Int(left[begin]), to = min(Int(left[end - 1]) + Int(axis.pointee.taps), extent)
    weights.withUnsafeBufferPointer { weights in
      guard let weights = weights.baseAddress else { return }
      for y in 0..<part.height {
        let line = rows[part.y + y]
        weighRows(first + line.top * stride + from, stride, weights + line.weights, line.taps, row + from, Int32(to - from))
        guard begin < part.x else {
          weighSamples(axis, row, out + y * outStride, Int32(begin), Int32(end))
          continue
        }
        weighSamples(axis, row, bytes, Int32(begin), Int32(end))
        (out + y * outStride).update(from: bytes + part.x - begin, count: part.width)
      }
    }
  }

  private mutating func grow(to capacity: Int, bytes bytesNeeded: Int) {
    if capacity > rowCapacity {
      row.deallocate()
      rowCapacity = capacity
      row = Self.zeroed(capacity)
    }
    if bytesNeeded > byteCapacity {
      bytes.deallocate()
      byteCapacity = bytesNeeded
      bytes = .allocate(capacity: bytesNeeded)
    }
  }

  private static func zeroed(_ capacity: Int) -> UnsafeMutablePointer<Int16> {
    let row = UnsafeMutablePointer<Int16>.allocate(capacity: capacity)
    row.initialize(repeating: 0, count: capacity)
    return row
  }
}
