import CPixelKernels

/// A horizontal axis as the C kernels read it: indices, weights, and the tables each instruction set needs.
final class AxisTables: @unchecked Sendable {
  // Unchecked because the memory is written here and only read afterwards.
  let axis: UnsafePointer<pk_axis>
  private let memory: UnsafeMutableRawPointer

  /// Weights of one output add up to this.
  static let one = 1 << 14
  /// Outputs the widest kernel makes at a time.
  private static let block = 16

  init(_ source: ScaleAxis) {
    let count = source.left.count
    let padded = (count + Self.block - 1) / Self.block * Self.block
    let left = (0..<padded).map { source.left[min($0, count - 1)] }
    let tapsMax = source.weights.map(\.count).max() ?? 1
    let pairs = (tapsMax + 1) / 2
    let spanOfFour = Self.span(left, 4), spanOfBlock = Self.span(left, Self.block)
    let octets = spanOfFour + 2 <= 8 ? 1 : spanOfFour + 2 <= 16 ? 2 : 0
    let registers = spanOfBlock + 2 <= 32 ? 1 : spanOfBlock + 2 <= 64 ? 2 : 0
    let isSpread = octets == 0 || registers == 0
    let taps = isSpread ? (pairs + 3) / 4 * 8 : (pairs + 1) / 2 * 4

    let sizes = (
      left: padded * 4, weights: padded * taps * 2, paired: padded * pairs * 4, words: padded * 4,
      spread: isSpread ? padded * taps * 2 : 0
    )
    let header = (MemoryLayout<pk_axis>.size + 63) & ~63
    let size = header + sizes.left + sizes.weights + sizes.paired + 3 * sizes.words + sizes.spread + 64
    memory = .allocate(byteCount: size, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    var place = memory + header
    func array<T>(_ type: T.Type, _ bytes: Int) -> UnsafeMutablePointer<T> {
      defer { place += bytes }
      return place.bindMemory(to: type, capacity: bytes / MemoryLayout<T>.size)
    }
    let paired = array(Int16.self, sizes.paired)
    let spread = array(Int16.self, sizes.spread)
    let permutations = array(UInt16.self, sizes.words)
    let shuffles = array(UInt8.self, sizes.words)
    let highShuffles = array(UInt8.self, sizes.words)
    let lefts = array(Int32.self, sizes.left)
    let weights = array(Int16.self, sizes.weights)

    for x in 0..<padded {
      lefts[x] = Int32(left[x])
      let shift = left[x] - left[x / Self.block * Self.block], near4 = left[x] - left[x / 4 * 4]
      for k in 0..<2 {
        permutations[2 * x + k] = UInt16(truncatingIfNeeded: shift + k)
        let sample = near4 + k
        for byte in 0..<2 {  // 0x80 picks nothing.
          shuffles[4 * x + 2 * k + byte] = sample < 8 ? UInt8(2 * sample + byte) : 0x80
          highShuffles[4 * x + 2 * k + byte] = (8..<16).contains(sample) ? UInt8(2 * (sample - 8) + byte) : 0x80
        }
      }
      guard x < count else { continue }
      for (t, weight) in source.weights[x].enumerated() {
        weights[x * taps + t] = Int16(weight)
        paired[(x / Self.block * pairs + t / 2) * 32 + x % Self.block * 2 + t % 2] = Int16(weight)
        guard isSpread else { continue }
        let (block, place) = (x / Self.block * Self.block * taps, x % Self.block)
        spread[block + place % 4 * 4 * taps + t / 8 * 32 + place / 4 * 8 + t % 8] = Int16(weight)
      }
    }
    let pointer = memory.bindMemory(to: pk_axis.self, capacity: 1)
    pointer.initialize(
      to: pk_axis(
        count: Int32(count), taps: Int32(taps), pairs: Int32(pairs), registers: Int32(registers), left: lefts,
        weights: weights, paired: paired, shuffles: octets > 0 ? UnsafePointer(shuffles) : nil,
        high_shuffles: octets == 2 ? UnsafePointer(highShuffles) : nil,
        permutations: registers > 0 ? UnsafePointer(permutations) : nil, spread: isSpread ? UnsafePointer(spread) : nil))
    axis = UnsafePointer(pointer)
  }

  deinit { memory.deallocate() }

  /// The furthest that the first samples of `group` neighbouring outputs lie apart.
  private static func span(_ left: [Int], _ group: Int) -> Int {
    stride(from: 0, to: left.count, by: group).map { left[$0 + group - 1] - left[$0] }.max() ?? 0
  }
}
