import EncodedMedia
import RawMedia

/// Decodes VP9 frames (profile 0) to pictures; of spatial layers the highest that is kept.
///
/// Damage is an error, never a picture: after any, frames are refused until the next keyframe. The size may change with any
/// frame. Not to be used by two threads at once.
package final class VP9Decoder: @unchecked Sendable {
  // Unchecked because of the C handle within, which may move between threads but not be shared by them.

  package let limits: PictureLimits
  private let context: VPXDecoderContext
  private var awaitsKeyframe = true
  /// The frames that libvpx gets with an index behind them, without which it would go on to decode whatever follows the first
  /// frame, unchecked.
  private var indexed: [UInt8] = []

  package init(limits: PictureLimits = PictureLimits()) throws(CodecError) {
    self.limits = limits
    context = try VPXDecoderContext()
  }

  /// Decodes one whole frame, or superframe, into a picture of the pool.
  ///
  /// - Parameter layers: which of a superframe's frames to decode; nil for all.
  /// - Returns: nil for a frame that is not to be shown.
  package func decode(_ frame: Span<UInt8>, layers: SpatialLayers? = nil, pool: inout PicturePool) throws(CodecError)
    -> Picture?
  {
    let wasAwaiting = awaitsKeyframe
    awaitsKeyframe = true
    let isWhole = !(layers?.leavesOut ?? false) && VP9Superframe.hasIndex(frame)
    if !isWhole { index(frame, layers) }
    let indexed = indexed
    let isKeyframe = try check(isWhole ? frame : indexed.span)
    guard isKeyframe || !wasAwaiting else { throw .needsKeyframe }
    let picture = try run(isWhole ? frame : indexed.span, pool: &pool)
    awaitsKeyframe = false
    return picture
  }

  /// Looks at each frame's header before the library sees any of them.
  ///
  /// - Returns: whether decoding can start here.
  private func check(_ bytes: Span<UInt8>) throws(CodecError) -> Bool {
    guard let first = VP9FrameHeader(bytes) else { throw .malformed }
    var fault: CodecError?
    VP9Superframe.forEachFrame(bytes) { frame in
      guard let header = VP9FrameHeader(frame) else { return fault = .malformed }
      if header.profile != 0 { fault = .unsupportedFormat }
      if let size = header.size, !limits.allow(width: size.width, height: size.height) { fault = .tooLarge }
    }
    if let fault { throw fault }
    return first.isKeyframe
  }

  /// Copies the frames to be decoded into `indexed`.
  private func index(_ bytes: Span<UInt8>, _ layers: SpatialLayers?) {
    indexed.removeAll(keepingCapacity: true)
    var sizes: [8 of Int] = .init(repeating: 0)
    var (place, count) = (0, 0)
    VP9Superframe.forEachFrame(bytes) { frame in
      defer { place &+= 1 }
      guard layers?.keeps(place) ?? true, count < VP9Superframe.frameCountMax else { return }
      indexed.append(contentsOf: frame)
      sizes[count] = frame.count
      count &+= 1
    }
    VP9Superframe.appendIndex(sizes, count: count, to: &indexed)
  }

  private func run(_ frame: Span<UInt8>, pool: inout PicturePool) throws(CodecError) -> Picture? {
    try frame.withUnsafeBufferPointer { (bytes) throws(CodecError) in
      try context.decode(bytes, within: limits, pool: &pool)
    }
  }
}
