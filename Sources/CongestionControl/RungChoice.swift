import Timing

/// Which rung of a ladder a receiver gets for what its path carries.
///
/// Down at once: to fewer temporal layers with the next frame, to another rung at that rung's next key frame and until then to the base
/// layer, or to nothing where the path does not carry even that. Up one step or more after the estimate held long enough or a probe
/// measured that the step fits. A step up that had to be taken back is tried again after a wait that doubles.
public struct RungChoice: Sendable {
  private enum Margins {
    /// A step is kept while it costs no more than the estimate, and taken up from below with this much to spare.
    static let up = 1.10
    /// So much to spare says that the path is another than the one that did not carry the step.
    static let anotherPath = 1.5
    static let hold = Interval.seconds(2)
    /// So long feedback is waited for that may tell otherwise.
    static let silence = Interval.seconds(1)
    static let holdAfterProbe = Interval.milliseconds(500)
    static let waits = Interval.seconds(4)...Interval.seconds(60)
    /// A step up that lasts so long was right.
    static let proof = Interval.seconds(15)
    /// An estimate that is too low by so much at most, for so long at most, is ridden out: it falls for a moment wherever a machine has
    /// other things to do, and what was sent meanwhile waits for a fifth of that time.
    static let dipDepth = 1.2
    static let dipLength = Interval.seconds(1)
  }

  public let ladder: OutputLadder
  /// What is asked with each feedback, as it was when the step was chosen: each receiver has a ladder of his own, elsewhere in memory,
  /// and hundreds of them tell of their paths several times a second.
  @usableFromInline struct Marks: Sendable {
    @usableFromInline let chosen: OutputLadder.Step
    // What the estimate is held against.
    /// The step is kept while the estimate is no less, in bits per second.
    let kept: Double
    /// One above it fits from here on.
    let rising: Double
    @usableFromInline let wanted: Int
  }

  /// The step chosen, as an index into the ladder's; its rung may still wait for a key frame.
  public private(set) var step: Int { didSet { marks = Self.marks(ladder, step, wantedMargin) } }
  /// The rung whose frames are forwarded now; nil for none.
  public private(set) var forwardedRung: Int?
  /// The rung whose next key frame is awaited, to be asked for.
  public private(set) var awaitedRung: Int?

  private var fitsSince: Instant? { didSet { if fitsSince == nil { fitsByProbe = false } } }
  /// Whether a probe has measured that a step up fits, since it does.
  private var fitsByProbe = false
  /// Since when the estimate is a little less than what is chosen takes.
  private var dipSince: Instant?
  private var lastUp: Instant?
  private var upAllowedAt: Instant?
  private var wait = Margins.waits.lowerBound
  /// Whether a step was ever too much for the path.
  private var hasFallen = false
  @usableFromInline private(set) var marks: Marks

  /// - Parameters:
  ///   - estimate: of what the path carries of pictures, in bits per second; the first step is the best that fits in it.
  ///   - forwarding: the rung that the receiver is given already; nil for none.
  public init(_ ladder: OutputLadder, estimate: Int, forwarding: Int? = nil) {
    self.ladder = ladder
    step = Self.best(ladder, estimate, margin: 1)
    marks = Self.marks(ladder, step, nil)
    forwardedRung = forwarding
    follow()
  }

  // MARK: Answers

  /// The step that was chosen.
  // Inlined, as what follows: asked of a choice in another module, it would be handed a copy of it.
  @inlinable public var chosen: OutputLadder.Step { marks.chosen }

  /// How many temporal layers of the forwarded rung are forwarded: only the base while another rung is awaited; 0 for no video.
  @inlinable public var forwardedLayers: Int {
    guard forwardedRung != nil else { return 0 }
    guard forwardedRung == chosen.rung else { return 1 }
    return chosen.temporalLayers
  }

  /// What the estimator is to find room for: the best step until one proved too much, then the next one up, with what it takes not to
  /// wait for it; what is chosen where that is the best.
  @inlinable public var wantedBitsPerSecond: Int { marks.wanted }

  /// When `update` is to be told the estimate again though there was no feedback; nil where a step up would not be taken then. Where
  /// nothing is sent there is none, and what was measured last would never be made use of.
  public var riseDeadline: Instant? { fitsSince.map { max($0 + hold, upAllowedAt ?? $0) + Margins.silence } }

  private var hold: Interval { fitsByProbe ? Margins.holdAfterProbe : Margins.hold }

  // MARK: Events

  /// The estimate, told with each feedback and at `riseDeadline`.
  ///
  /// - Parameter wasProbed: a probe has just measured it.
  /// - Returns: whether the step changed.
  public mutating func update(estimate: Int, wasProbed: Bool = false, at now: Instant) -> Bool {
    if Double(estimate) < marks.kept {
      return !isDip(estimate, at: now) && moveDown(to: Self.best(ladder, estimate, margin: 1), estimate, at: now)
    }
    dipSince = nil
    if let lastUp, now - lastUp > Margins.proof {
      self.lastUp = nil
      wait = Margins.waits.lowerBound
    }
    guard Double(estimate) >= marks.rising else {
      fitsSince = nil
      return false
    }
    let fitting = Self.best(ladder, estimate, margin: Margins.up)
    if fitsSince == nil { fitsSince = now }
    fitsByProbe = fitsByProbe || wasProbed
    guard let since = fitsSince, now - since >= hold, mayRise(estimate, at: now) else { return false }
    return moveUp(to: fitting, at: now)
  }

  /// A key frame of a rung is there to be forwarded.
  ///
  /// - Returns: whether the receiver is switched to it, beginning with this frame.
  public mutating func keyframe(of rung: Int) -> Bool {
    guard awaitedRung == rung else { return false }
    (forwardedRung, awaitedRung) = (rung, nil)
    return true
  }

  /// A base layer frame was not sent although it could have been: what refers to it cannot be decoded, so nothing is forwarded before
  /// a key frame.
  public mutating func baseWasLeftOut() { (forwardedRung, awaitedRung) = (nil, chosen.rung) }

  /// Whether the estimate is so little too low, and for so short a time, that it may come back.
  private mutating func isDip(_ estimate: Int, at now: Instant) -> Bool {
    guard marks.kept <= Margins.dipDepth * Double(estimate) else { return false }
    let since = dipSince ?? now
    dipSince = since
    return now - since < Margins.dipLength
  }

  /// Whether the wait after a step taken back is over, or the path has become another.
  private func mayRise(_ estimate: Int, at now: Instant) -> Bool {
    guard let upAllowedAt, now < upAllowedAt, step > 0 else { return true }
    return Double(estimate) >= Margins.anotherPath * Double(ladder.steps[step - 1].bitsPerSecond)
  }

  private mutating func moveDown(to affordable: Int, _ estimate: Int, at now: Instant) -> Bool {
    if let lastUp, now - lastUp <= Margins.proof {
      upAllowedAt = now + wait
      wait = min(wait * 2, Margins.waits.upperBound)
    }
    lastUp = nil
    hasFallen = true
    step = affordable
    (fitsSince, dipSince) = (nil, nil)
    follow()
    // What fills the path meanwhile would delay all that follows.
    if awaitedRung != nil, let rung = forwardedRung, !carries(rung, estimate) { forwardedRung = nil }
    return true
  }

  /// Whether the base layer of a rung fits.
  private func carries(_ rung: Int, _ estimate: Int) -> Bool {
    guard let base = ladder.bases.indices.contains(rung) ? ladder.bases[rung] : nil else { return false }
    return base <= estimate
  }

  private mutating func moveUp(to fitting: Int, at now: Instant) -> Bool {
    upAllowedAt = nil
    step = fitting
    fitsSince = nil
    lastUp = now
    follow()
    return true
  }

  /// What the next step is to have to spare; nil before any was too much.
  private var wantedMargin: Double? { hasFallen ? upAllowedAt == nil ? Margins.up : Margins.anotherPath : nil }

  /// Awaits the chosen rung's key frame where it is another than the forwarded one; sound alone begins at once.
  private mutating func follow() {
    guard let rung = chosen.rung else {
      (forwardedRung, awaitedRung) = (nil, nil)
      return
    }
    awaitedRung = rung == forwardedRung ? nil : rung
  }

  /// Each step is cheaper than the one before it, so nothing but its neighbour above decides whether any fits.
  ///
  /// - Parameter margin: of what is wanted of the next one; nil where the best is wanted.
  private static func marks(_ ladder: OutputLadder, _ step: Int, _ margin: Double?) -> Marks {
    let chosen = ladder.steps[step]
    let kept = step == ladder.steps.count - 1 ? -Double.infinity : Double(chosen.bitsPerSecond)
    guard step > 0 else { return Marks(chosen: chosen, kept: kept, rising: .infinity, wanted: chosen.bitsPerSecond) }
    let wanted = Double(ladder.steps[margin == nil ? 0 : step - 1].bitsPerSecond) * (margin ?? Margins.up) * 1.05
    let rising = Double(ladder.steps[step - 1].bitsPerSecond) * Margins.up
    return Marks(chosen: chosen, kept: kept, rising: rising, wanted: clampedInt(wanted))
  }

  /// The first step whose cost with the margin is within the estimate; the last where none is.
  private static func best(_ ladder: OutputLadder, _ estimate: Int, margin: Double) -> Int {
    let index = ladder.steps.firstIndex { Double($0.bitsPerSecond) * margin <= Double(estimate) }
    return index ?? ladder.steps.count - 1
  }
}
