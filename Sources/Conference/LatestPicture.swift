import EncodedMedia
import RawMedia
import Synchronization
import Timing

/// The newest picture of one participant: a slot that a decoder fills and any number of canvases look into.
///
/// A slow decoder leaves the old picture standing; a fast one overwrites what nobody saw. Neither waits for the other.
final class LatestPicture: Sendable {
  struct Shown: Sendable {
    var picture: Picture
    var rotation: Rotation
    /// When it was decoded.
    var time: Instant
  }
  private let slot = Mutex<Shown?>(nil)

  func put(_ shown: Shown) { slot.withLock { $0 = shown } }
  func clear() { slot.withLock { $0 = nil } }
  var current: Shown? { slot.withLock { $0 } }
}
