import Timing

/// The bounds of a playout buffer.
package struct PlayoutSettings: Hashable, Sendable {
  /// Never aim for less delay than this.
  package var delayMin: Interval
  /// Never aim for more; where the delay comes to two ticks more nevertheless, frames are passed over.
  package var delayMax: Interval
  /// Aimed for until enough packets have come to judge by.
  package var delayInitial: Interval
  /// Which share of packets is to come in time, in per cent: 50 to 99.9.
  package var percentile: Double
  /// More than this beyond the target is passed over at once, where the stream had stopped, rather than caught up with little by
  /// little.
  package var excessMax: Interval
  /// Frames held at most; the default is a second of the shortest that are in use, 5 ms.
  package var capacity: Int

  package init(
    delayMin: Interval = .milliseconds(10), delayMax: Interval = .milliseconds(500),
    delayInitial: Interval = .milliseconds(15), percentile: Double = 99.5, excessMax: Interval = .milliseconds(120),
    capacity: Int = 200
  ) {
    self.delayMin = delayMin
    self.delayMax = max(delayMax, delayMin)
    self.delayInitial = min(max(delayInitial, delayMin), self.delayMax)
    self.percentile = min(max(percentile, 50), 99.9)
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
  /// Lost frames that were decoded from the redundancy in the frame after them.
  package var recoveredFrames = 0
  /// Samples at 48 kHz made up: for loss, in want of anything to play, and to let the delay grow.
  package var concealedSamples = 0
  package var underrunSamples = 0
  package var expandedSamples = 0
  /// Samples at 48 kHz cut out to let the delay shrink.
  package var acceleratedSamples = 0
  /// From when the packet that was played last could have come at the earliest to when it was played.
  package var delay = Interval.zero
  /// The least and the most it ever was; zero before anything was played.
  package var delayMin = Interval.zero
  package var delayMax = Interval.zero
  /// The most a packet came later than the fastest of its time.
  package var latenessMax = Interval.zero
  /// What is aimed for now.
  package var target = Interval.zero

  package init() {}
}
