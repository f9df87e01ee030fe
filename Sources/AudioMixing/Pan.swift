import Glibc

/// Where between left and right a voice is heard.
///
/// Constant power: `left² + right²` is the same everywhere, so that moving somebody makes him neither louder nor quieter. In the
/// middle both gains are one, so that a voice there is what it is without panning; at either end one is √2 (+3 dB), the other zero.
package struct Pan: Hashable, Sendable {
  package let left: Gain
  package let right: Gain

  /// - Parameter position: -1 is left, 0 the middle, 1 right; held to that, and not a number counts as 0.
  package init(position: Double) {
    let held = position.isNaN ? 0 : min(max(position, -1), 1)
    guard held != 0 else {
      left = .unity
      right = .unity
      return
    }
    let angle = (held + 1) * .pi / 4
    left = Gain(factor: 2.0.squareRoot() * cos(angle))
    right = Gain(factor: 2.0.squareRoot() * sin(angle))
  }

  package static let center = Pan(position: 0)
}
