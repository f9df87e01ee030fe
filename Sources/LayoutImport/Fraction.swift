/// A part of a side, as Open WebRTC Toolkit writes it: `"2/3"`, or a number.
struct Fraction: Equatable {
  /// 0 to `partsMax`.
  var numerator: Int
  /// 1 to `partsMax`.
  var denominator: Int

  static let partsMax = 100_000

  init(_ numerator: Int, _ denominator: Int) {
    (self.numerator, self.denominator) = (numerator, denominator)
  }

  /// `2/3`, `1`, `0.25`; nil for anything else, for less than nothing, and for parts beyond `partsMax`.
  init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count == 2, let numerator = Int(parts[0]), let denominator = Int(parts[1]) {
      guard (0...Self.partsMax).contains(numerator), (1...Self.partsMax).contains(denominator) else { return nil }
      self.init(numerator, denominator)
      reduce()
    } else if parts.count == 1, let number = Double(text) {
      self.init(number)
    } else {
      return nil
    }
  }

  /// The nearest fraction of ten-thousandths, or of thirds and the like where that is nearer to what was meant (0.333, 0.6667).
  init?(_ number: Double) {
    guard number.isFinite, (0...Double(Self.partsMax / 10_000)).contains(number) else { return nil }
    for denominator in 1...16 {
      let numerator = (number * Double(denominator)).rounded()
      if abs(numerator / Double(denominator) - number) < 0.000_51 {
        self.init(Int(numerator), denominator)
        return
      }
    }
    self.init(Int((number * 10_000).rounded()), 10_000)
    reduce()
  }

  var value: Double { Double(numerator) / Double(denominator) }

  private mutating func reduce() {
    let divisor = max(Self.greatestCommonDivisor(numerator, denominator), 1)
    numerator /= divisor
    denominator /= divisor
  }

  static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
  }

  /// The smallest number that all denominators divide; nil beyond `partsMax`.
  static func commonDenominator(_ fractions: [Fraction]) -> Int? {
    var common = 1
    for fraction in fractions {
      common = common / greatestCommonDivisor(common, fraction.denominator) * fraction.denominator
      if common > partsMax { return nil }
    }
    return common
  }
}
