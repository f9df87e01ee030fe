import RealTime
import Timing

/// What pictures may use of a processor quota: once it is used up the kernel stops all threads to the end of its period, those of
/// sound as well, so pictures wait before it comes to that.
///
///     used by the whole program in the last period ─┐
///     expected of pictures at work ─────────────────┼─▶ within what is meant for pictures? ─▶ one more, or it waits
///     expected of this one ─────────────────────────┘
///
/// What is longer than what is meant for pictures leaves them even where they did nothing for a period has the whole quota to go by, and
/// what is longer than that stands aside until it is believed less.
///
/// When the kernel's periods begin is not told to programs. What stays within the limit in every span as long as a period stays
/// within it in each of the kernel's.
package struct PictureBudget: Sendable {
  /// What a piece of work for pictures is told.
  package enum Admission: Sendable {
    /// It begins, and counts as being at work.
    case now
    /// Once less has been used of late; whoever went before it would take that from it.
    case soon
    /// It is too long for what all that is not pictures leaves of the quota: others need not wait for it.
    case later
  }

  /// Nil where there is none, and all are admitted.
  private var quota: ProcessorQuota?
  /// What the program had used by when; rising.
  private var samples: [Sample] = []
  /// Expected of pictures at work. What they have used already is counted twice, until they are done.
  private var reserved: Int64 = 0
  private var atWork = 0

  private struct Sample: Sendable {
    var at: Instant
    var used: Int64
    var pictures: Int64
  }

  /// The part of the quota that pictures may fill up. The rest is for sound and the network in a period that has more of both than the
  /// one before, and for what processors at work hold of the quota: up to 5 ms each, which the others cannot have.
  private static let share = 0.8
  /// The part that one picture may fill up which is too long for the other part. Sound that is stopped for the rest of a period begins
  /// with the next: as long as that is less than a tick none is late.
  private static let shareMax = 0.95
  /// What has waited for so long is thought to take half as much, and after twice as long a quarter: else one picture that took long
  /// would have to be the last.
  private static let patience = Interval.seconds(2)
  /// Periods so short are taken together: waiting for the next of them makes no tick late.
  private static let spanMin = Interval.milliseconds(40)
  /// Into how many parts a span is divided.
  private static let resolution: Int64 = 50

  /// The span that is looked at, a period or several; and nanoseconds of processor time that pictures may fill up in it, or one alone.
  private var span = Interval.zero
  private var limit: Int64 = 0
  private var limitMax: Int64 = 0

  package init() {}

  package mutating func change(_ quota: ProcessorQuota?) {
    guard quota != self.quota else { return }
    self.quota = quota
    guard let quota else { return samples.removeAll() }
    let periods = max(1, Self.spanMin.nanoseconds / max(quota.period.nanoseconds, 1))
    span = quota.period * periods
    limit = Int64(Self.share * Double(quota.nanoseconds)) * periods
    limitMax = Int64(Self.shareMax * Double(quota.nanoseconds)) * periods
  }

  /// - Parameters:
  ///   - used: nanoseconds of processor time that the whole program has used since its start.
  ///   - pictures: what of that was for pictures that are done.
  package mutating func observe(used: Int64, pictures: Int64 = 0, at now: Instant) {
    guard quota != nil else { return }
    if samples.count > 1, now - samples[samples.count - 2].at < span / Self.resolution { samples.removeLast() }
    samples.append(Sample(at: now, used: used, pictures: pictures))
    // One is kept from before the span.
    let first = samples.lastIndex { $0.at <= now - span } ?? 0
    samples.removeSubrange(..<first)
  }

  /// Whether a picture that is expected to take so many nanoseconds may be made now.
  ///
  /// - Parameter waited: how long it has waited for that.
  package mutating func admit(_ expected: Int64, waited: Interval = .zero) -> Admission {
    if let quota {
      guard let used = inLastSpan(\.used), Double(atWork) < quota.processors.rounded(.up) else { return .soon }
      let believed = expected >> min(waited.nanoseconds / Self.patience.nanoseconds, 62)
      let others = max(0, used - (inLastSpan(\.pictures) ?? 0))
      guard believed < limitMax - others else { return .later }
      guard believed < (believed < limit - others ? limit : limitMax) - used - reserved else { return .soon }
    }
    reserved += expected
    atWork += 1
    return .now
  }

  /// One that was admitted is done.
  package mutating func finish(_ expected: Int64) {
    reserved -= expected
    atWork -= 1
  }

  /// How much a count rose in the last span; nil while that is not known.
  private func inLastSpan(_ count: KeyPath<Sample, Int64>) -> Int64? {
    guard let first = samples.first, let last = samples.last, first.at <= last.at - span else { return nil }
    let begin = last.at - span
    let rise = last[keyPath: count] - first[keyPath: count]
    guard samples.count > 1, samples[1].at > first.at else { return rise }
    // Between two samples as much each nanosecond.
    let part = (begin - first.at).seconds / (samples[1].at - first.at).seconds
    return rise - Int64(part * Double(samples[1][keyPath: count] - first[keyPath: count]))
  }
}
