import RTPStreams
import Timing

/// How many copies of earlier frames (RFC 2198) a path has room for, beside the sound itself and the least of the pictures. Where
/// without a copy sound would hardly be understood, the first goes before pictures.
struct CopyRoom {
  /// What sound takes is measured over so long at least.
  private static let window = Interval.seconds(1)
  /// Of what the path carries, for sound with its copies where no picture has room or is wanted.
  private static let soundShare = 0.8
  /// From so much lost on a copy is more than a picture.
  private static let neededFrom = 0.04
  /// What there has to be to spare for one more, so that a rung is chosen beside it.
  private static let margin = 1.1

  private var since: (time: Instant, counters: SendCounters)?
  /// Bits per second: on the wire without copies, and of what is copied.
  private var sound = 0.0
  private var copied = 0.0
  /// 0 to 2.
  private(set) var copiesMax = 2

  /// - Parameters:
  ///   - counters: of the sound.
  ///   - loss: share of it that is lost, 0 to 1.
  ///   - estimate: of what the path carries, in bits per second.
  ///   - leastPicture: what the least of the pictures takes, in bits per second; 0 where none is wanted.
  mutating func update(_ counters: SendCounters, loss: Double, estimate: Int, leastPicture: Int, at now: Instant) {
    guard let since, counters.packets >= since.counters.packets else {
      self.since = (now, counters)
      return
    }
    if now - since.time >= Self.window {
      let seconds = (now - since.time).seconds
      copied = Double(counters.octets &- since.counters.octets) * 8 / seconds
      let headers = Double(counters.packets &- since.counters.packets) * Double(PathControl.packetOverhead) * 8
      sound = copied + headers / seconds
      self.since = (now, counters)
    }
    guard copied > 0 else { return }
    let left = Double(estimate) - sound
    let beside = Double(leastPicture)
    let hasPicture = beside > 0 && beside <= left
    for copies in (0...2).reversed() {
      let takes = Double(copies) * copied
      let spare = copies > copiesMax ? Self.margin : 1
      let isFirst = !hasPicture || copies == 1 && loss >= Self.neededFrom
      let fits = isFirst ? sound + takes * spare <= Self.soundShare * Double(estimate) : takes + beside * spare <= left
      if fits || copies == 0 {
        copiesMax = copies
        return
      }
    }
  }
}
