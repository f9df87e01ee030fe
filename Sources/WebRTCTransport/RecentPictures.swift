import EncodedMedia

/// The last keyframe of an output and all frames since, so that who comes in between need not wait for another.
///
/// Bounded in bytes: what has grown longer costs a newcomer more than a keyframe would, and is forgotten up to the next one.
struct RecentPictures {
  private(set) var frames: [PacketizedFrame] = []
  private(set) var byteCount = 0

  /// Two or three seconds at 500 kb/s; more at once would choke the line of whoever is to take it.
  static let byteCountMax = 160_000

  mutating func append(_ frame: PacketizedFrame) {
    if frame.isKeyframe { removeAll() }
    guard frame.isKeyframe || !frames.isEmpty else { return }
    byteCount &+= frame.bytes.count
    guard byteCount <= Self.byteCountMax else { return removeAll() }
    frames.append(frame)
  }

  mutating func removeAll() {
    frames.removeAll(keepingCapacity: true)
    byteCount = 0
  }
}
