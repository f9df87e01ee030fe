import EncodedMedia
import RawMedia
import Synchronization
import Timing

/// The newest picture of one participant: a slot that a decoder fills and any number of canvases look into.
///
/// A slow decoder leaves the old picture standing; a fast one overwrites what nobody saw. Neither waits for the other.
package final class LatestPicture: Sendable {
  package struct Shown: Sendable {
    package var picture: Picture
    package var rotation: Rotation
    /// When it was decoded.
    package var time: Instant
  }
  private let slot = Mutex<Shown?>(nil)

  func put(_ shown: Shown) { slot.withLock { $0 = shown } }
  func clear() { slot.withLock { $0 = nil } }
  package var current: Shown? { slot.withLock { $0 } }
}
