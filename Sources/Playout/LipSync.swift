import EncodedMedia
import Timing

/// Keeps one participant's sound and picture together: says how long pictures are held back for the sound, and how long sound must
/// wait for pictures.
///
/// Both are placed by their senders' reports on one clock, the sender's. Sound leaves the mix a transit after it was captured, of
/// which the playout delay is a part; a picture is there a transit of its own after it was captured. Within the window that nobody
/// notices (EBU R 37: sound from 40 ms before its picture to 60 ms after it) nothing is delayed.
///
///     played     sound that was captured then leaves now          ─▶ audioDelayMin, for the playout buffer
///     decoded    a picture that was captured then is there now    ─▶ when it may be shown
///
/// A value that knows no clock; senders whose reports make no sense are left alone.
package struct LipSync: Sendable {
  /// A picture is shown at most so long before its sound.
  package static let pictureLeadMax = Interval.milliseconds(30)
  /// Nearly all pictures are there at most so long after sound that waits for them, and after sound that need not.
  private static let pictureLagMax = Interval.milliseconds(5)
  private static let pictureLagBearable = Interval.milliseconds(35)
  /// Less than this below what sound waits is no reason to wait less.
  private static let floorSlack = Interval.milliseconds(20)
  private static let patience = Interval.seconds(10)
  /// Sound waits for pictures so long at most, beyond its least transit.
  package static let audioDelayMax = Interval.milliseconds(400)
  /// Sound and picture further apart than this are none of one another.
  private static let differenceMax = Interval.seconds(2)
  /// Sound that has not been heard of for so long holds no picture.
  private static let memory = Interval.seconds(2)

  /// Intervals are counted from the first capture time that was seen.
  private var reference: NTPTime?
  private var sound: (transit: Interval, delay: Interval, time: Instant)?
  private var pictures = DelayEstimator(
    settings: .init(delayMin: .zero, delayMax: .milliseconds(500), delayInitial: .zero, percentile: 95))
  /// What sound waits at least, and since when less has been enough.
  private var floor = Interval.zero
  private var enoughSince = Instant.zero
  private var lastPicture: (transit: Interval, time: Instant)?

  package init() {}

  /// Sound leaves the mix.
  ///
  /// - Parameters:
  ///   - captured: when its first sample was taken, by the sender's clock.
  ///   - now: when that sample is mixed.
  ///   - delay: how much of its transit playout added.
  package mutating func played(_ captured: NTPTime, at now: Instant, delay: Interval) {
    sound = (transit(captured, now), delay, now)
  }

  /// A picture was decoded.
  ///
  /// - Returns: when it may be shown at the earliest: now where nothing is known that holds it.
  package mutating func decoded(_ captured: NTPTime, at now: Instant) -> Instant {
    let transit = transit(captured, now)
    lastPicture = (transit, now)
    pictures.observe(transit: transit, arrival: now)
    guard let sound, now - sound.time < Self.memory, abs(sound.transit - transit) < Self.differenceMax else { return now }
    let held = sound.transit - Self.pictureLeadMax - transit
    return now + min(max(held, .zero), Self.audioDelayMax)
  }

  /// The least playout delay with which sound does not run ahead of the pictures; zero where it need not wait.
  ///
  /// Every change is heard: it rises only where pictures are later than anybody should see, then by all that is missing, and falls
  /// when less has been enough for ten seconds.
  package mutating func audioDelayMin(at now: Instant) -> Interval {
    guard let sound, let lastPicture, let base = pictures.base, now - lastPicture.time < Self.memory,
      abs(sound.transit - lastPicture.transit) < Self.differenceMax
    else {
      floor = .zero
      return .zero
    }
    let needed = base + pictures.target - (sound.transit - sound.delay)
    let wanted = min(max(needed - Self.pictureLagMax, .zero), Self.audioDelayMax)
    if needed - Self.pictureLagBearable > max(sound.delay, floor) { floor = max(floor, wanted) }
    if wanted + Self.floorSlack > floor { enoughSince = now }
    if now - enoughSince >= Self.patience {
      floor = wanted
      enoughSince = now
    }
    return floor
  }

  private mutating func transit(_ captured: NTPTime, _ now: Instant) -> Interval {
    let reference = reference ?? captured
    self.reference = reference
    return (now - .zero) - (captured - reference)
  }

  private func abs(_ interval: Interval) -> Interval { interval < .zero ? .zero - interval : interval }
}
