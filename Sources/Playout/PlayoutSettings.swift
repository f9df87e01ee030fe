import Timing

/// The bounds of a playout buffer.
package struct PlayoutSettings: Hashable, Sendable {
  /// Never aim for less delay than this.
  package var delayMin: Interval
  /// Never aim for more.
  package var delayMax: Interval
  /// Aimed for until enough packets have come to judge by.
  package var delayInitial: Interval
  /// Which share of packets is to come in time, in per cent: 50 to 99.
  package var percentile: Int
  /// More than this beyond the target is passed over at once rather than caught up with little by little.
  package var excessMax: Interval
  /// Frames held at most.
  package var capacity: Int

  package init(
    delayMin: Interval = .milliseconds(10), delayMax: Interval = .milliseconds(500),
    delayInitial: Interval = .milliseconds(40), percentile: Int = 97, excessMax: Interval = .milliseconds(120),
    capacity: Int = 64
  ) {
    self.delayMin = delayMin
    self.delayMax = max(delayMax, delayMin)
    self.delayInitial = min(max(delayInitial, delayMin), self.delayMax)
    self.percentile = min(max(percentile, 50), 99)
    self.excessMax = excessMax
    self.capacity = max(capacity, 2)
  }
}

/// What a playout buffer has counted since it was made.
package struct PlayoutStatistics: Hashable, Sendable {
  /// Frames accepted.
  package var inserted = 0
  package var played = 0
  /// Frames that came after their place had been concealed or passed over.
  package var late = 0
  package var duplicates = 0
  /// Frames that had not come when they were due.
  package var lost = 0
  /// Frames of no known length or another codec.
  package var malformed = 0
  /// Frames passed over to catch up, and those dropped because the buffer was full.
  package var skipped = 0
  package var overflowed = 0
  /// How often the stream jumped and was taken as a new one.
  package var resets = 0
  /// Samples at 48 kHz made up: for loss, in want of anything to play, and to let the delay grow.
  package var concealedSamples = 0
  package var underrunSamples = 0
  package var expandedSamples = 0
  /// Samples at 48 kHz cut out to let the delay shrink.
  package var acceleratedSamples = 0
  /// From when the packet that was played last could have come at the earliest to when it was played.
  package var delay = Interval.zero
  /// What is aimed for now.
  package var target = Interval.zero
}
