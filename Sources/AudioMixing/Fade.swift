import RawMedia

/// Ramps and crossfades, so that nothing is switched with a click.
package enum Fade {
  /// Scales samples from one gain to another over their first `rampSamples`, and by the second from there on.
  ///
  /// Applied to a participant's samples before they are added to a bus, so that what is added is also what is taken out.
  /// - Parameter rampSamples: samples a channel; 0 switches at once.
  package static func ramp(
    _ samples: inout MutableSpan<Int16>, channelCount: Int, from start: Gain, to end: Gain, rampSamples: Int
  ) {
    let frames = samples.count / max(channelCount, 1)
    let rampFrames = min(max(rampSamples, 0), frames)
    for frame in 0..<rampFrames {
      let (a, b) = (Int(start.rawValue), Int(end.rawValue))
      let gain = Gain(rawValue: UInt16(clamping: a + (b - a) * (frame + 1) / (rampFrames + 1)))
      for index in (frame * channelCount)..<((frame + 1) * channelCount) {
        samples[index] = Int16(clamping: gain.apply(to: samples[index]))
      }
    }
    guard end != .unity else { return }
    for index in (rampFrames * channelCount)..<samples.count { samples[index] = Int16(clamping: end.apply(to: samples[index])) }
  }

  /// Fades from one signal to another over their first `fadeSamples`; from there on it is the other.
  ///
  /// Linear, which keeps the level of signals that are alike, as two mixes of a room are.
  /// - Parameters:
  ///   - old: what was heard so far.
  ///   - new: what is to be heard; holds the result. As long as `old`.
  ///   - fadeSamples: samples a channel.
  package static func cross(
    from old: Span<Int32>, into new: inout MutableSpan<Int32>, channelCount: Int, fadeSamples: Int
  ) {
    precondition(old.count == new.count, "signals faded between have one length")
    let frames = min(max(fadeSamples, 0), new.count / max(channelCount, 1))
    for frame in 0..<frames {
      for index in (frame * channelCount)..<((frame + 1) * channelCount) {
        let (a, b) = (Int64(old[index]), Int64(new[index]))
        new[index] = Int32(truncatingIfNeeded: a + (b - a) * Int64(frame + 1) / Int64(frames + 1))
      }
    }
  }
}

/// A participant's gain, which moves to a new value over 10 ms where it is changed.
package struct GainRamp: Sendable {
  /// What is moved to with the next tick.
  package var target: Gain
  private var current: Gain

  /// 10 ms.
  private static let rampSamples = 480

  package init(_ gain: Gain = .unity) {
    target = gain
    current = gain
  }

  /// Whether ticks pass unchanged.
  package var isUnity: Bool { target == .unity && current == .unity }
  /// Whether ticks come out silent, so that they need not be decoded.
  package var isSilent: Bool { target == .zero && current == .zero }

  /// Applies the gain to a tick in place.
  package mutating func apply(to samples: inout MutableSpan<Int16>, channelCount: Int) {
    guard !isUnity else { return }
    Fade.ramp(
      &samples, channelCount: channelCount, from: current, to: target, rampSamples: current == target ? 0 : Self.rampSamples)
    current = target
  }
}
