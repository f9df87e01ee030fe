import Timing

/// Which audio output suits a receiver's line, where he leaves the choice to the server (`auto`).
///
/// Down at once where the line carries less than the output takes, or loses much where nobody knows what it carries; up again only
/// after calm, and the longer the more often that went wrong. What an output takes counts its headers: at low rates they are more
/// than the sound.
package struct RenditionChoice: Sendable {
  /// What is known of a receiver's line.
  package struct Line: Sendable {
    /// Share of our packets lost, 0 to 1.
    package var loss: Double
    /// Bits per second the line is thought to carry, by our estimate or the receiver's (REMB); nil where nothing is known.
    package var bitsPerSecond: Int?
    /// Whether a picture shares it.
    package var hasPicture: Bool
    /// Copies of earlier frames that its loss asks for in each packet.
    package var copies: Int

    package init(loss: Double, bitsPerSecond: Int? = nil, hasPicture: Bool = false, copies: Int = 0) {
      self.loss = loss
      self.bitsPerSecond = bitsPerSecond
      self.hasPicture = hasPicture
      self.copies = copies
    }
  }

  /// Into the outputs handed to `update`, from the one that takes most to the one that takes least; nil before the first choice.
  private var chosen: Int?
  private var calmSince: Instant?
  private var changedAt = Instant.zero
  private var patience = RenditionChoice.patienceMin

  /// IPv4, UDP, RTP with two extensions and two CSRCs, and the SRTP tag.
  private static let headerBytes = 20 + 8 + 12 + 8 + 8 + 16
  private static let lossMax = 0.08
  private static let lossCalm = 0.02
  /// Of the line's rate, sound may take so much; beside a picture less, so that there is one.
  private static let share = 0.8
  private static let shareBesidePicture = 0.4
  private static let patienceMin = Interval.seconds(8)
  private static let patienceMax = Interval.seconds(120)
  /// Reports come every few seconds: a step shows its effect only then.
  private static let settling = Interval.seconds(5)

  /// Bits per second on the wire.
  package static func rate(of output: AudioOutputSettings) -> Int { output.bitrate + headerRate(ptime: output.ptime) }

  /// Bits per second on the wire with copies of earlier frames, of which long packets have one at most.
  static func rate(of output: AudioOutputSettings, copies: Int) -> Int {
    rate(of: output) + output.bitrate * min(max(copies, 0), output.ptime < 60 ? 2 : 1)
  }

  /// Bits per second of headers, with packets of so many milliseconds.
  static func headerRate(ptime: Int) -> Int { headerBytes * 8 * 1000 / max(ptime, 1) }

  /// The name of the output that takes least: what to begin with where a line is not known yet.
  package static func least(of outputs: [AudioOutputSettings]) -> String? {
    outputs.min { rate(of: $0) < rate(of: $1) }?.name
  }

  package init() {}

  /// - Parameter outputs: those there are, in any order.
  /// - Returns: the name of the one to be received from now on.
  package mutating func update(_ line: Line, outputs: [AudioOutputSettings], at now: Instant) -> String? {
    let ladder = outputs.sorted { Self.rate(of: $0) > Self.rate(of: $1) }
    guard !ladder.isEmpty else { return nil }
    let fits = { (output: AudioOutputSettings) in
      let share = line.hasPicture ? Self.shareBesidePicture : Self.share
      return line.bitsPerSecond.map { Double(Self.rate(of: output, copies: line.copies)) <= Double($0) * share } ?? true
    }
    var rung = min(chosen ?? ladder.firstIndex(where: fits) ?? .max, ladder.count - 1)
    defer { chosen = rung }
    // An estimate has taken in what loss means; by itself, loss asks for copies and not for less.
    let loss = line.bitsPerSecond == nil ? line.loss : 0
    if !fits(ladder[rung]) || loss > Self.lossMax {
      calmSince = nil
      if rung + 1 < ladder.count, now - changedAt >= Self.settling || !fits(ladder[rung]) {
        descend(at: now)
        rung += 1
      }
    } else if loss < Self.lossCalm, rung > 0, fits(ladder[rung - 1]) {
      if climbs(at: now) { rung -= 1 }
    } else {
      calmSince = nil
    }
    return ladder[rung].name
  }

  private mutating func descend(at now: Instant) {
    // Back down soon after a step up: that was too early.
    if now - changedAt < patience { patience = min(patience * 2, Self.patienceMax) }
    changedAt = now
  }

  /// - Returns: whether it was calm for long enough.
  private mutating func climbs(at now: Instant) -> Bool {
    let since = calmSince ?? now
    calmSince = since
    guard now - since >= patience else { return false }
    changedAt = now
    calmSince = nil
    return true
  }
}
