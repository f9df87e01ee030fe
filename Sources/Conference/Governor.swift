import Timing

/// How much of the pictures is given up while the server has too little processor, from nothing on.
package enum VideoLevel: Int, Sendable, CaseIterable, Comparable {
  case full, halfRate, quarterRate, halfSize, stills

  package static func < (a: VideoLevel, b: VideoLevel) -> Bool { a.rawValue < b.rawValue }

  /// Whether there is nothing left for newcomers.
  package var refusesNewcomers: Bool { self >= .halfSize }

  /// In the words of metrics, events and `/healthz`.
  package var name: String {
    switch self {
    case .full: "full"
    case .halfRate: "half-rate"
    case .quarterRate: "quarter-rate"
    case .halfSize: "half-size"
    case .stills: "stills"
    }
  }

  /// One picture is made where so many would be.
  package func periods(atRate framesPerSecond: Int) -> Int {
    switch self {
    case .full: 1
    case .halfRate: 2
    case .quarterRate, .halfSize: 4
    case .stills: max(4, framesPerSecond / 2)
    }
  }

  /// An output as it is made at this level: its size changes, its rate is left to `periods`.
  package func applied(to output: OutputSettings) -> OutputSettings {
    guard self >= .halfSize else { return output }
    var smaller = output
    smaller.width = max(64, output.width / 4 * 2)
    smaller.height = max(64, output.height / 4 * 2)
    smaller.bitrate = max(30_000, output.bitrate / 2)
    return smaller
  }
}

/// Decides how much of the pictures is given up, by whether ticks keep their deadlines: sound is never touched.
///
///     full ──▶ half-rate ──▶ quarter-rate ──▶ half-size ──▶ stills        a step as soon as it is clear that it does not work
///          ◀──           ◀──              ◀──           ◀──               a step back after calm; the longer, the more often it failed
///
/// Calm is eight seconds after strain, then four more for each further step: from stills to full in 20 s where nothing goes wrong. A step
/// back that had to be taken again within half a minute waits twice as long the next time; the others do not. Where clearly less of the
/// processors is used than before it failed, it need not wait: a quota was lifted, or others have gone.
///
/// Told about once a second what the loops and the network thread counted, and at once where that is alarming or hardly a picture is made. Processors that are busy are no overload as long as nothing is
/// late, but for those that are used up: then what nobody counts waits as well.
package struct Governor: Sendable {
  /// What was counted since the last sample.
  package struct Sample: Sendable, Equatable {
    package var pictureTicks = 0
    /// Picture ticks that found the one before at work, or began more than a period late.
    package var picturesMissed = 0
    /// Pieces of work for pictures that waited so as not to use up a quota.
    package var heldBack = 0
    package var soundTicks = 0
    /// Sound ticks that began more than 20 ms late or were left out.
    package var soundLate = 0
    /// Times that something was sent, or spans of 20 ms that it waited to be sent.
    package var sendings = 0
    /// Of those, the spans that it waited: what is mixed in time is of no use where it is sent late.
    package var sendingsLate = 0
    /// Processors this program used.
    package var processors = 0.0
    /// The same as a part of those it may use.
    package var processorShare = 0.0

    package init() {}

    /// Whether a tenth of a second's sound was late before the second is over: it cannot turn out well any more, and each quarter of a
    /// second that is waited is heard.
    package func isAlarming(within time: Interval) -> Bool {
      func isBad(_ late: Int, of all: Int) -> Bool { Double(late) * 10 * time.seconds > Double(all) && late > 2 }
      return time > .zero && (isBad(soundLate, of: soundTicks) || isBad(sendingsLate, of: sendings))
    }

    /// Whether a quota leaves time for less than a third of the pictures.
    private var isStarved: Bool { heldBack > 0 && picturesMissed * 3 > pictureTicks * 2 }

    /// Whether that is clear before the second is over: of so many pictures it is no chance.
    package var isClearlyStarved: Bool { isStarved && picturesMissed >= 5 }

    /// Whether one such second is enough to tell: much of the sound is late, or a quota leaves time for few of the pictures.
    fileprivate var isBad: Bool { isAlarming(within: .seconds(1)) || isStarved }
  }

  package private(set) var level = VideoLevel.full
  /// Samples that showed strain, less those that did not.
  private var strain = 0
  private var calmSince: Instant?
  /// The most of the processors that a sample showed since then.
  private var calmShare = 0.0
  /// How long it has to last at least.
  private var calmMin = Self.patienceAfterStrain
  /// By the level they lead to; nothing leads back to the last.
  private var returns = [Return](repeating: Return(), count: VideoLevel.allCases.count - 1)
  private var lastReturn: Instant?

  /// A step back to one level.
  private struct Return: Sendable {
    /// How long calm has to last before it.
    var patience = Governor.patienceMin
    /// The most of the processors that was used in the calm before it was last taken.
    var shareBefore = 0.0
  }

  /// A step is taken when so many samples more were strained than were not.
  private static let strainMax = 2
  private static let processorsMin = 0.1
  private static let shareMax = 0.98
  /// Where more is in use it is not calm; and where pictures wait for a quota.
  private static let calmShare = 0.85
  private static let calmShareWithinQuota = 0.6
  /// After strain, and after a step back.
  private static let patienceAfterStrain = Interval.seconds(8)
  private static let patienceMin = Interval.seconds(4)
  private static let patienceMax = Interval.seconds(128)
  /// A return that lasted for so long was right.
  private static let provenAfter = Interval.seconds(30)
  /// What uses less than so much of what it did before is another load.
  private static let otherShare = 0.7

  package init() {}

  /// - Returns: whether the level has changed.
  package mutating func observe(_ sample: Sample, at now: Instant) -> Bool {
    if let lastReturn, now - lastReturn >= Self.provenAfter {
      for proven in level.rawValue..<returns.count { returns[proven] = Return() }
      self.lastReturn = nil
    }
    // One tick that comes late now and then is the machine's own business, whatever it was at.
    let soundIsLate = Self.isMuch(sample.soundLate, of: sample.soundTicks)
    let sendingIsLate = Self.isMuch(sample.sendingsLate, of: sample.sendings)
    // Within a quota none is late for another reason, and what goes by its edge is better made less of.
    let picturesAreLate = sample.picturesMissed * (sample.heldBack > 0 ? 5 : 3) > sample.pictureTicks
    // Who uses next to nothing is kept waiting by others: giving way would win nothing. Where pictures wait for a quota it is that.
    let hasSomethingToGive = sample.processors >= Self.processorsMin || sample.heldBack > 0
    let isExhausted = sample.processorShare >= Self.shareMax
    guard hasSomethingToGive, soundIsLate || sendingIsLate || picturesAreLate || isExhausted else {
      return relax(sample, at: now)
    }
    calmSince = nil
    strain += sample.isBad ? Self.strainMax : 1
    guard strain >= Self.strainMax, let next = VideoLevel(rawValue: level.rawValue + 1) else { return false }
    strain = 0
    if lastReturn != nil {
      let patience = max(returns[level.rawValue].patience, Self.patienceAfterStrain)
      returns[level.rawValue].patience = min(patience * 2, Self.patienceMax)
    }
    lastReturn = nil
    level = next
    return true
  }

  /// More than a hundredth, and not one alone.
  private static func isMuch(_ late: Int, of all: Int) -> Bool { late >= 2 && late * 100 > all }

  private mutating func relax(_ sample: Sample, at now: Instant) -> Bool {
    strain = max(0, strain - 1)
    // Pictures never use up a quota: what they wait for is known to be short long before it is used up.
    let shareMax = sample.heldBack > 0 ? Self.calmShareWithinQuota : Self.calmShare
    guard sample.picturesMissed * 50 <= sample.pictureTicks, sample.processorShare < shareMax else {
      calmSince = nil
      return false
    }
    if calmSince == nil { (calmSince, calmShare, calmMin) = (now, 0, Self.patienceAfterStrain) }
    calmShare = max(calmShare, sample.processorShare)
    guard let since = calmSince, let next = VideoLevel(rawValue: level.rawValue - 1) else { return false }
    let before = returns[next.rawValue]
    let patience = calmShare < Self.otherShare * before.shareBefore ? calmMin : max(before.patience, calmMin)
    guard now - since >= patience else { return false }
    returns[next.rawValue].shareBefore = calmShare
    level = next
    (calmSince, calmShare, calmMin) = (now, 0, Self.patienceMin)
    lastReturn = now
    return true
  }
}
