import RealTime
import Timing

/// The rest the network thread takes between turns, so that one turn serves many packets: waking costs as much as handling several.
///
///     pictures pass  2 ms from turn to turn: every millisecond is one of delay, and waits for pacing are as short
///     sound alone    until just before the next multiple of 5 ms, or until there is something to send
///
/// Sound is mixed at even times, every 20 ms counted from the clock's origin: what came by then is in the mix whether it was read at
/// once or a millisecond before.
package final class TurnRest {
  private static let spacing = Interval.milliseconds(2)
  private static let soundSpacing = Interval.milliseconds(5)
  /// How long before the multiple: waking up and a turn of some hundred packets.
  private static let lead = Interval.milliseconds(1)
  /// Without pictures for so long there is sound alone.
  private static let patience = Interval.seconds(1)

  /// Watches for commands, and for nothing else.
  private let commands: EventQueue

  package init(_ waker: Waker) throws(SocketError) {
    commands = try EventQueue()
    commands.add(waker.descriptor, token: 0, for: .readable)
  }

  /// Sleeps until the next turn may begin.
  ///
  /// - Parameters:
  ///   - turn: when the last one began.
  ///   - lastPicture: when a picture last came or went; nil for never.
  package func afterTurn(at turn: Instant, lastPicture: Instant?) {
    if Self.hasSoundAlone(at: turn, lastPicture: lastPicture) {
      let wait = Self.soundTurn(after: turn) - MonotonicClock.now()
      let isAskedFor = commands.wait(timeout: wait) { _, _ in } > 0
      guard isAskedFor else { return }
    }
    MonotonicClock.sleep(until: turn + Self.spacing)
  }

  /// Whether no picture passed lately, as of a turn; the times are those of `afterTurn`.
  package static func hasSoundAlone(at turn: Instant, lastPicture: Instant?) -> Bool {
    guard let lastPicture else { return true }
    return turn - lastPicture > patience
  }

  /// The first time after `turn` that lies just before a multiple of 5 ms.
  package static func soundTurn(after turn: Instant) -> Instant {
    let spacing = soundSpacing.nanoseconds
    return Instant(nanoseconds: ((turn + lead).nanoseconds / spacing + 1) * spacing) - lead
  }
}
