import Glibc

/// A factor for samples in fixed point: 14 bits behind the point, 0 to just under 4 (+12 dB).
///
/// Fixed point makes a participant's contribution to a mix the same number wherever it is worked out, so that taking it out again
/// is exact.
package struct Gain: Hashable, Comparable, Sendable {
  package let rawValue: UInt16

  package init(rawValue: UInt16) { self.rawValue = rawValue }

  /// - Parameter factor: held to 0 ..< 4; not a number counts as 0.
  package init(factor: Double) {
    let scaled = (factor * 16_384).rounded()
    rawValue = scaled > 0 ? UInt16(min(scaled, 65_535)) : 0
  }

  /// - Parameter decibels: held to +12; below -84 is silence.
  package init(decibels: Double) { self.init(factor: pow(10, decibels / 20)) }

  package static let unity = Gain(rawValue: 16_384)
  package static let zero = Gain(rawValue: 0)

  package static func < (a: Gain, b: Gain) -> Bool { a.rawValue < b.rawValue }

  /// The factor, 0 to just under 4.
  package var factor: Double { Double(rawValue) / 16_384 }

  /// One gain after the other, rounded to nearest and held to what a gain can be; unity leaves the other as it is.
  package static func * (a: Gain, b: Gain) -> Gain {
    Gain(rawValue: UInt16(clamping: (UInt32(a.rawValue) &* UInt32(b.rawValue) &+ 8_192) >> 14))
  }

  /// The sample times the gain, rounded to nearest; unity leaves it as it is. At most 131 068 either way.
  @inline(__always) package func apply(to sample: Int16) -> Int32 {
    (Int32(sample) &* Int32(rawValue) &+ 8_192) >> 14
  }
}
