import Glibc
import RawMedia

/// How loud audio is, in -dBov as RFC 6464 and RFC 6465 count: 0 is a full-scale square wave, 127 is silence.
package struct LevelMeter: Sendable {
  /// Rises at once and falls by 30 dB a second, as a display should.
  package private(set) var smoothed: UInt8 = 127
  /// Of the last tick alone.
  package private(set) var level: UInt8 = 127
  /// The mean power of the last tick, 1 for a full-scale square wave: the level before it was rounded, where that is known.
  package var power: Double { measuredPower ?? (level < 127 ? pow(10, Double(level) / -10) : 0) }
  /// Nil where the level was measured elsewhere.
  private var measuredPower: Double?
  /// The smoothed level in decibels above -127, in 1/16 dB.
  private var smoothedSixteenths = 0

  /// 30 dB a second in 1/16 dB a tick, rounded.
  private static let fallSixteenths = 10

  package init() {}

  /// Measures a tick; answers its level.
  @discardableResult
  package mutating func measure(_ samples: Span<Int16>) -> UInt8 {
    let power = Self.power(of: samples)
    observe(Self.level(ofPower: power))
    measuredPower = power
    return level
  }

  /// Takes in a level measured elsewhere, as by the sender.
  package mutating func observe(_ level: UInt8) {
    self.level = min(level, 127)
    measuredPower = nil
    smoothedSixteenths = max(Int(127 - self.level) * 16, smoothedSixteenths - Self.fallSixteenths, 0)
    smoothed = UInt8(clamping: 127 - (smoothedSixteenths + 8) / 16)
  }

  /// The level of samples' mean power, 0 to 127.
  package static func level(of samples: Span<Int16>) -> UInt8 { level(ofPower: power(of: samples)) }

  /// The mean power of samples, 1 for a full-scale square wave.
  package static func power(of samples: Span<Int16>) -> Double {
    guard !samples.isEmpty else { return 0 }
    let energy = samples.withUnsafeBufferPointer { samples in
      var sum: Int64 = 0
      for sample in samples { sum &+= Int64(Int32(sample) &* Int32(sample)) }
      return sum
    }
    return Double(energy) / Double(samples.count) / (32_768.0 * 32_768.0)
  }

  private static func level(ofPower power: Double) -> UInt8 {
    guard power > 0 else { return 127 }
    return UInt8(min(max((-10 * log10(power)).rounded(), 0), 127))
  }
}
