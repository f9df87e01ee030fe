import EncodedMedia
import Timing

/// Keeps one participant's picture and sound together: says how long pictures are held back for sound that comes later, and what
/// sound must wait at least where it is the pictures that come later.
///
/// Both are placed by their senders' reports on one clock, the sender's. Sound leaves the mix a transit after it was captured,
/// of which the playout delay is a part; a picture is there a transit of its own after it was captured. Within the window that nobody
/// notices (EBU R 37: sound from 40 ms before its picture to 60 ms after it) nothing is delayed.
///
///     played     sound that was captured then leaves now         ─▶ the least delay for the playout buffer
///     decoded    a picture that was captured then is there now   ─▶ when it may be shown
///
/// Holding a picture back costs nothing. A change of the sound's delay is heard, so that it follows no single picture: it is asked
/// for once nearly all pictures of some seconds were late, then for all that is missing, and taken back after ten seconds in
/// which far less was enough.
///
/// A value that knows no clock; senders whose reports make no sense are left alone.
package struct LipSync: Sendable {
  /// A picture is shown at most so long before its sound.
  package static let pictureLeadMax = Interval.milliseconds(30)
  /// Pictures are held so long at most.
  package static let heldMax = Interval.milliseconds(400)
  /// Sound waits for pictures so long at most, beyond its least transit.
  package static let soundDelayMax = Interval.milliseconds(300)
  /// Nearly all pictures are there at most so long after sound that waits for them, and after sound that need not. A canvas shows
  /// them up to one of its periods later.
  private static let pictureLag = Interval.milliseconds(5)
  private static let pictureLagBearable = Interval.milliseconds(25)
  /// Less than this below what sound waits is no reason to wait less.
  private static let slack = Interval.milliseconds(40)
  /// For less than this no sound waits on: it would come to little more than playout has anyway.
  private static let worthWaiting = Interval.milliseconds(60)
  /// How many of the last seconds are looked at before sound waits, and in how many of them pictures were late.
  private static let observedSeconds = 4
  private static let lateSeconds = 3
  /// Sound and picture further apart than this are none of one another.
  private static let differenceMax = Interval.seconds(2)
  /// Sound that has not been heard of for so long holds no picture.
  private static let memory = Interval.seconds(2)

  /// Intervals are counted from the first capture time that was seen.
  private var reference: NTPTime?
  /// `least` is the transit without what playout added.
  private var sound: (transit: Interval, least: Interval, time: Instant)?
  /// By how much pictures come later than sound would that waits for nothing.
  private var pictures = PictureLateness()
  private var soundDelayMin = Interval.zero

  package init() {}

  /// Sound leaves the mix.
  ///
  /// - Parameters:
  ///   - captured: when its first sample was taken, by the sender's clock.
  ///   - now: when that sample is mixed.
  ///   - delay: how much of its transit playout added.
  /// - Returns: the least playout delay with which sound does not run ahead of the pictures; zero where it need not wait.
  package mutating func played(_ captured: NTPTime, at now: Instant, delay: Interval) -> Interval {
    let transit = transit(captured, now)
    sound = (transit, transit - delay, now)
    if pictures.advance(to: now) { reconsider(delay: delay) }
    return soundDelayMin
  }

  /// A second of pictures has been seen.
  private mutating func reconsider(delay: Interval) {
    let bearable = max(delay, soundDelayMin) + Self.pictureLagBearable
    if pictures.count(ofLast: Self.observedSeconds, above: bearable) >= Self.lateSeconds {
      let wanted = pictures.most(ofLast: Self.observedSeconds) - Self.pictureLag
      soundDelayMin = min(max(wanted, soundDelayMin), Self.soundDelayMax)
    }
    let enough = pictures.most(ofLast: PictureLateness.seconds)
    if enough < soundDelayMin - Self.slack {
      soundDelayMin = enough < Self.worthWaiting ? .zero : enough - Self.pictureLag
    }
  }

  /// A picture was decoded.
  ///
  /// - Returns: when it may be shown at the earliest: now where nothing is known that holds it.
  package mutating func decoded(_ captured: NTPTime, at now: Instant) -> Instant {
    let transit = transit(captured, now)
    guard let sound, now - sound.time < Self.memory, abs(sound.transit - transit) < Self.differenceMax else { return now }
    pictures.note(transit - sound.least)
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
