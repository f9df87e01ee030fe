import EncodedMedia
import Timing

/// Keeps one participant's picture with his sound: says how long pictures are held back for sound that comes later.
///
/// Both are placed by their senders' reports on one clock, the sender's. Sound leaves the mix a transit after it was captured,
/// playout delay included; a picture is there a transit of its own after it was captured. Within the window that nobody
/// notices (EBU R 37: sound from 40 ms before its picture to 60 ms after it) nothing is delayed. Sound waits for no picture: a change of
/// its delay is heard.
///
///     played     sound that was captured then leaves now
///     decoded    a picture that was captured then is there now   ─▶ when it may be shown
///
/// A value that knows no clock; senders whose reports make no sense are left alone.
package struct LipSync: Sendable {
  /// A picture is shown at most so long before its sound.
  package static let pictureLeadMax = Interval.milliseconds(30)
  /// Pictures are held so long at most.
  package static let heldMax = Interval.milliseconds(400)
  /// Sound and picture further apart than this are none of one another.
  private static let differenceMax = Interval.seconds(2)
  /// Sound that has not been heard of for so long holds no picture.
  private static let memory = Interval.seconds(2)

  /// Intervals are counted from the first capture time that was seen.
  private var reference: NTPTime?
  private var sound: (transit: Interval, time: Instant)?

  package init() {}

  /// Sound leaves the mix.
  ///
  /// - Parameters:
  ///   - captured: when its first sample was taken, by the sender's clock.
  ///   - now: when that sample is mixed.
  package mutating func played(_ captured: NTPTime, at now: Instant) {
    sound = (transit(captured, now), now)
  }

  /// A picture was decoded.
  ///
  /// - Returns: when it may be shown at the earliest: now where nothing is known that holds it.
  package mutating func decoded(_ captured: NTPTime, at now: Instant) -> Instant {
    let transit = transit(captured, now)
    guard let sound, now - sound.time < Self.memory, abs(sound.transit - transit) < Self.differenceMax else { return now }
    let held = sound.transit - Self.pictureLeadMax - transit
    return now + min(max(held, .zero), Self.heldMax)
  }

  private mutating func transit(_ captured: NTPTime, _ now: Instant) -> Interval {
    let reference = reference ?? captured
    self.reference = reference
    return (now - .zero) - (captured - reference)
  }

  private func abs(_ interval: Interval) -> Interval { interval < .zero ? .zero - interval : interval }
}
