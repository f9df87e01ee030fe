import EncodedMedia
import RawMedia
import Synchronization
import Timing

/// The pictures of one participant that may be shown now or soon: a decoder puts them in, any number of canvases look.
///
/// Most pictures are due at once; those whose sound is still on its way wait for it. A slow decoder leaves the old picture standing; a
/// fast one pushes out what nobody saw. Neither waits for the other.
package final class PictureQueue: Sendable {
  package struct Shown: Sendable {
    package var picture: Picture
    package var rotation: Rotation
    /// From when on it may be shown.
    package var due: Instant
  }

  private struct Contents {
    var shown: Shown?
    /// In the order they are due.
    var waiting: [Shown] = []
    /// Since when the participant has been looked at without a pause; before that no picture could come.
    var watchedSince: Instant?
    /// When the last frame came, whether or not anybody looked.
    var lastFrame: Instant?

    /// Since when the picture shown could have been replaced by a newer one: not while nobody looked, and at any time where the
    /// sender has fallen silent.
    func standingSince(_ shown: Shown) -> Instant {
      guard let watchedSince else { return shown.due }
      return max(shown.due, min(watchedSince, lastFrame ?? watchedSince))
    }
  }
  private let contents = Mutex(Contents())

  /// 400 ms at 30 pictures a second: longer than any sound is waited for. More than these, and the oldest is shown early.
  private static let waitingMax = 12
  /// Who sent nothing for so long is not waited for.
  private static let awaitedFor = Interval.milliseconds(500)

  func put(_ shown: Shown) {
    contents.withLock { contents in
      // A picture whose turn was reckoned earlier than that of the one before has overtaken it.
      contents.waiting.removeAll { $0.due > shown.due }
      contents.waiting.append(shown)
      if contents.waiting.count > Self.waitingMax { contents.shown = contents.waiting.removeFirst() }
    }
  }

  func clear() {
    contents.withLock { contents in
      contents.shown = nil
      contents.waiting.removeAll()
    }
  }

  /// The participant is looked at from now on; until his next picture comes the last one is as good as new.
  func watch(from now: Instant) { contents.withLock { $0.watchedSince = now } }

  /// A frame came.
  func noteFrame(at now: Instant) { contents.withLock { $0.lastFrame = now } }

  /// Whether the sender is at it and his first picture since he is looked at has not come.
  func isAwaited(at now: Instant) -> Bool {
    contents.withLock { contents in
      guard let last = contents.lastFrame, now - last < Self.awaitedFor else { return false }
      guard let newest = contents.waiting.last ?? contents.shown else { return true }
      return contents.watchedSince.map { newest.due < $0 } ?? false
    }
  }

  /// The picture to be shown at `now`, and how long it has been standing since there could have been a newer one; nil before the first.
  package func picture(at now: Instant) -> (shown: Shown, age: Interval)? {
    contents.withLock { contents in
      if let last = contents.waiting.lastIndex(where: { $0.due <= now }) {
        contents.shown = contents.waiting[last]
        contents.waiting.removeSubrange(...last)
      }
      guard let shown = contents.shown else { return nil }
      return (shown, max(now - contents.standingSince(shown), .zero))
    }
  }
}
