import Timing

/// How the pace of pictures and the bit rate go together: an encoder is told of a constant pace, and of a target that is larger by
/// as much as pictures are further apart than that.
///
/// Told the true times, libvpx takes the distance of two frames for its frame rate from then on: where one picture in four is left
/// out, it exceeds the target by up to a half.
struct RatePace {
  private let nominal: Interval
  private var last: Instant?
  /// The mean distance of pictures, in units of the nominal one.
  private var distance = 1.0
  /// By what a target is to be multiplied: `distance`, but for small changes.
  private(set) var factor = 1.0

  /// A picture's part of the mean.
  private static let weight = 0.125
  /// A room that rests saves nothing up for when it moves again: 10 pictures a second where 30 may come have what they need.
  private static let distanceMax = 3.0
  /// Smaller changes of the target are not worth telling.
  private static let tolerance = 0.03

  /// - Parameter framesPerSecond: the pace the encoder is told of, 1 or more.
  init(framesPerSecond: Int) { nominal = .ticks(1, at: Int64(max(framesPerSecond, 1))) }

  /// Takes note of a picture.
  ///
  /// - Returns: whether the factor has changed.
  mutating func advance(to time: Instant) -> Bool {
    if let last {
      let step = min(max((time - last).seconds / nominal.seconds, 0), Self.distanceMax)
      distance += Self.weight * (step - distance)
    }
    last = time
    guard abs(distance - factor) > Self.tolerance * factor else { return false }
    factor = distance
    return true
  }
}
