import CPixelKernels

/// How the samples of one direction are weighed: for each output its first source sample and its weights.
///
/// Shrinking, an output is the mean over the stretch of source it covers, each source sample weighing as much as lies inside.
/// Enlarging, it is the line between its two nearest samples. Weights are rounded so that they always add up to one, the error
/// going to the largest, so flat areas keep their value exactly.
struct ScaleAxis {
  /// First source sample of each output, counted from `origin`; never falling.
  private(set) var left: [Int] = []
  /// For each output its weights, which add up to `one`.
  private(set) var weights: [[Int]] = []
  /// The first sample of the plane that any output uses.
  private(set) var origin = 0
  /// How many samples of the plane, from `origin`, the outputs use.
  private(set) var extent = 0

  /// - Parameters:
  ///   - start, length: the stretch of source in samples, inside 0...size; fractions are honoured.
  ///   - count: outputs, at least 1.
  ///   - size: samples the plane has.
  ///   - one: what the weights of an output add up to.
  init(start: Double, length: Double, size: Int, count: Int, one: Int) {
    let first = min(max(Int(start.rounded(.down)), 0), size - 1)
    let end = min(max(Int((start + length - 1e-9).rounded(.up)), first + 1), size)
    origin = first
    extent = end - first
    let ratio = length / Double(count)
    for i in 0..<count {
      let from = start - Double(first) + Double(i) * ratio
      let (place, shares) = ratio > 1 ? Self.area(from, from + ratio, extent) : Self.line(from + ratio / 2, extent)
      let (skipped, rounded) = Self.rounded(shares, one)
      left.append(place + skipped)
      weights.append(rounded)
    }
  }

  /// Shares of each sample in the stretch from `a` to `b`.
  private static func area(_ a: Double, _ b: Double, _ size: Int) -> (Int, [Double]) {
    let first = min(max(Int((a + 1e-9).rounded(.down)), 0), size - 1)
    let end = min(max(Int((b - 1e-9).rounded(.up)), first + 1), size)
    return (first, (first..<end).map { max(min(b, Double($0 + 1)) - max(a, Double($0)), 1e-9) })
  }

  /// Shares of the two samples around the point `centre`; one at the edges.
  private static func line(_ centre: Double, _ size: Int) -> (Int, [Double]) {
    let place = min(max(centre - 0.5, 0), Double(size - 1))
    let first = Int(place)
    let part = place - Double(first)
    return part < 1e-9 ? (first, [1]) : (first, [1 - part, part])
  }

  /// Shares as whole weights adding up to `one`, less those at either end that round to nothing.
  private static func rounded(_ shares: [Double], _ one: Int) -> (skipped: Int, [Int]) {
    let sum = shares.reduce(0, +)
    var weights: [Int] = []
    var (exact, given) = (0.0, 0)
    for share in shares {  // Rounding the running sum keeps the total right and spreads the error.
      exact += share
      let total = Int((exact / sum * Double(one)).rounded())
      weights.append(total - given)
      given = total
    }
    let skipped = weights.prefix { $0 == 0 }.count
    weights.removeFirst(skipped)
    while weights.last == 0 { weights.removeLast() }
    return (skipped, weights)
  }
}
