import Bytes
import EncodedMedia

/// A frame waiting for its turn.
struct QueuedFrame {
  var frame: EncodedFrame
  /// The sampling instant of its first sample in samples at 48 kHz, counting on where the RTP timestamp wraps.
  var position: Int64
  /// Samples at 48 kHz.
  var duration: Int

  var sequence: Int64 { frame.sequence }
  var place: FramePlace { FramePlace(sequence: sequence, position: position, duration: duration) }
}

/// Where a frame belongs in its stream: all that is asked of most frames that wait, and free to copy.
struct FramePlace {
  var sequence: Int64
  var position: Int64
  var duration: Int

  var end: Int64 { position &+ Int64(duration) }
}

/// Frames waiting to be played, in order of sequence; its owner keeps it within its capacity.
struct FrameQueue {
  private var frames: [QueuedFrame] = []

  init(capacity: Int) {
    // One more than stay, since a frame goes in before another goes out. Most streams never come near a large capacity.
    frames.reserveCapacity(min(capacity, 64) + 1)
  }

  var count: Int { frames.count }
  var first: QueuedFrame? { frames.first }
  var firstPlace: FramePlace? { place(0) }
  var secondPlace: FramePlace? { place(1) }
  var lastPlace: FramePlace? { place(frames.count - 1) }

  private func place(_ index: Int) -> FramePlace? { frames.indices.contains(index) ? frames[index].place : nil }

  /// How loud the first frame is, in -dBov.
  func levelOfFirst(unlessStated measured: UInt8?) -> UInt8 { frames.isEmpty ? 127 : frames[0].level(unlessStated: measured) }

  /// - Returns: false for a frame whose sequence number is in the queue already.
  mutating func insert(_ frame: QueuedFrame) -> Bool {
    // From the end, since frames mostly come in order.
    var index = frames.count
    while index > 0, frames[index - 1].sequence > frame.sequence { index -= 1 }
    if index > 0, frames[index - 1].sequence == frame.sequence { return false }
    if index == frames.count { frames.append(frame) } else { frames.insert(frame, at: index) }
    return true
  }

  /// Asks for the memory of the frame whose turn is next.
  func prefetch() { Prefetch.element(0, of: frames) }

  mutating func removeFirst() -> QueuedFrame? { frames.isEmpty ? nil : frames.remove(at: 0) }
  mutating func removeAll() { frames.removeAll(keepingCapacity: true) }
}
