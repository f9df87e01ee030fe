import EncodedMedia
import Timing

/// Notices when a stream goes on under another SSRC.
struct SourceSwitch {
  enum Verdict {
    case same, changed
    /// A straggler of the source before.
    case former
  }

  private var source: SSRC?
  private var former: SSRC?
  private var changeTime = Instant.zero

  /// So long packets of the former source may come after the first of the new one.
  private static let overlap = Interval.milliseconds(500)

  mutating func judge(_ source: SSRC, at now: Instant) -> Verdict {
    guard let current = self.source else {
      self.source = source
      return .same
    }
    if source == current { return .same }
    if source == former, now - changeTime < Self.overlap { return .former }
    (former, self.source, changeTime) = (current, source, now)
    return .changed
  }
}
