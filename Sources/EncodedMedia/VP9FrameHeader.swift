import Bytes

/// What the uncompressed header of a VP9 frame says first (VP9 bitstream specification section 6.2).
public struct VP9FrameHeader: Hashable, Sendable {
  public var profile: Int
  public var isKeyframe = false
  /// Shows a frame decoded before; nothing else is in it.
  public var showsExistingFrame = false
  /// The size in pixels; nil where it is that of a frame referred to.
  public var size: PictureSize?

  /// - Returns: nil for what is no VP9 frame or ends within the header.
  public init?(_ frame: Span<UInt8>) {
    var bits = BitReader(frame)
    guard bits.read(2) == 2, let low = bits.read(1), let high = bits.read(1) else { return nil }
    profile = Int(high << 1 | low)
    if profile == 3 { guard bits.read(1) == 0 else { return nil } }
    guard let shows = bits.readFlag() else { return nil }
    if shows {
      showsExistingFrame = true
      return
    }
    guard let isInter = bits.readFlag(), let isShown = bits.readFlag(), let isResilient = bits.readFlag() else { return nil }
    isKeyframe = !isInter
    var hasSize = true
    if isKeyframe {
      guard bits.read(24) == 0x498342, Self.skipColor(&bits, profile: profile) else { return nil }
    } else {
      guard let hasOwnSize = Self.skipReferences(&bits, profile: profile, isShown: isShown, isResilient: isResilient)
      else { return nil }
      hasSize = hasOwnSize
    }
    guard hasSize else { return }
    guard let width = bits.read(16), let height = bits.read(16) else { return nil }
    size = PictureSize(width: Int(width) &+ 1, height: Int(height) &+ 1)
  }

  /// color_config().
  private static func skipColor(_ bits: inout BitReader, profile: Int) -> Bool {
    if profile >= 2 { guard bits.skip(1) else { return false } }
    guard let space = bits.read(3) else { return false }
    // CS_RGB has no range, and subsampling is told in odd profiles only.
    if space != 7 { guard bits.skip(1) else { return false } }
    return profile & 1 == 0 || bits.skip(space == 7 ? 1 : 3)
  }

  /// What a frame that is no keyframe has before its size.
  ///
  /// - Returns: whether a size follows; nil where the header ends before or is not valid.
  private static func skipReferences(_ bits: inout BitReader, profile: Int, isShown: Bool, isResilient: Bool) -> Bool? {
    var isIntraOnly = false
    if !isShown {
      guard let flag = bits.readFlag() else { return nil }
      isIntraOnly = flag
    }
    if !isResilient { guard bits.skip(2) else { return nil } }
    if isIntraOnly {
      guard bits.read(24) == 0x498342, profile == 0 || skipColor(&bits, profile: profile), bits.skip(8) else { return nil }
      return true
    }
    guard bits.skip(8 + 3 * 4) else { return nil }
    for _ in 0..<3 {
      guard let isFound = bits.readFlag() else { return nil }
      if isFound { return false }
    }
    return true
  }
}

/// Several VP9 frames handed on as one, with an index of their sizes at the end (VP9 bitstream specification annex B).
public enum VP9Superframe {
  /// At most so many frames are in one.
  public static let frameCountMax = 8

  /// Calls `body` with each frame, or with the whole where there is no index.
  public static func forEachFrame(_ bytes: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
    guard let index = index(of: bytes) else { return body(bytes) }
    var start = 0
    for frame in 0..<index.count {
      var size = 0
      for byte in 0..<index.sizeBytes {
        size |= Int(bytes[index.start &+ 1 &+ frame &* index.sizeBytes &+ byte]) << (8 &* byte)
      }
      guard size <= index.start &- start else { return }
      if size > 0 { body(bytes.extracting(start..<(start &+ size))) }
      start &+= size
    }
  }

  /// Whether there is an index at the end.
  public static func hasIndex(_ bytes: Span<UInt8>) -> Bool { index(of: bytes) != nil }

  private static func index(of bytes: Span<UInt8>) -> (start: Int, count: Int, sizeBytes: Int)? {
    guard bytes.count > 0 else { return nil }
    let marker = bytes[bytes.count &- 1]
    guard marker & 0xE0 == 0xC0 else { return nil }
    let count = Int(marker & 7) &+ 1
    let sizeBytes = Int(marker >> 3 & 3) &+ 1
    let length = 2 &+ count &* sizeBytes
    guard bytes.count >= length, bytes[bytes.count &- length] == marker else { return nil }
    return (bytes.count &- length, count, sizeBytes)
  }

  /// Appends an index for frames that lie behind one another.
  public static func appendIndex(_ sizes: [8 of Int], count: Int, to bytes: inout [UInt8]) {
    guard (1...frameCountMax).contains(count) else { return }
    let marker = 0xC0 | 3 << 3 | UInt8(truncatingIfNeeded: count &- 1)
    bytes.append(marker)
    for frame in 0..<count {
      for byte in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: sizes[frame] >> (8 &* byte))) }
    }
    bytes.append(marker)
  }
}
