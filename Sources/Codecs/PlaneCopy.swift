/// One plane of a codec's picture, to be copied out.
struct PlaneCopy {
  private let source: UnsafePointer<UInt8>
  private let stride: Int

  /// - Parameter stride: bytes from a row to the next; may be negative.
  init(_ source: UnsafePointer<UInt8>, stride: Int) {
    self.source = source
    self.stride = stride
  }

  /// Copies `height` rows of `width` bytes.
  func run(to target: UnsafeMutablePointer<UInt8>, stride targetStride: Int, width: Int, height: Int) {
    for row in 0..<height { (target + row * targetStride).update(from: source + row * stride, count: width) }
  }

  /// Copies each byte through a table of 256 values.
  func run(
    to target: UnsafeMutablePointer<UInt8>, stride targetStride: Int, width: Int, height: Int, mapping table: [UInt8]
  ) {
    precondition(table.count == 256, "a table has a value for each byte")
    table.withUnsafeBufferPointer { table in
      for row in 0..<height {
        let (input, output) = (source + row * stride, target + row * targetStride)
        for column in 0..<width { output[column] = table[Int(input[column])] }
      }
    }
  }
}
