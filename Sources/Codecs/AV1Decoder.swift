import CDav1d
import EncodedMedia
import RawMedia

/// Decodes AV1 temporal units (main profile, 8 bits, 4:2:0) to pictures; of spatial layers the highest that is kept.
///
/// Damage is an error, never a picture: after any, units are refused until the next keyframe. One thread, no frame held back.
/// Not to be used by two threads at once.
package final class AV1Decoder: @unchecked Sendable {
  // Unchecked because of the C handle, which may move between threads but not be shared by them.

  package let limits: PictureLimits
  private let context: OpaquePointer
  private let image: UnsafeMutablePointer<Dav1dPicture>
  private var awaitsKeyframe = true
  /// The units of the layers to be decoded.
  private var kept: [UInt8] = []
  /// More pictures than a temporal unit has layers.
  private static let picturesMax = 64

  package init(limits: PictureLimits = PictureLimits()) throws(CodecError) {
    guard let context = tutti_dav1d_open(UInt32(clamping: limits.pixels)) else { throw .unavailable(.av1Decoder) }
    self.limits = limits
    self.context = context
    image = .allocate(capacity: 1)
    image.initialize(to: Dav1dPicture())
  }

  deinit {
    var context: OpaquePointer? = context
    dav1d_close(&context)
    image.deallocate()
  }

  /// Decodes one temporal unit, its units with their sizes, into a picture of the pool.
  ///
  /// - Parameters:
  ///   - isKeyframe: whether it holds a sequence header and a keyframe.
  ///   - layers: which spatial layers to decode; nil for all.
  /// - Returns: nil where nothing is to be shown.
  package func decode(_ unit: Span<UInt8>, isKeyframe: Bool, layers: SpatialLayers? = nil, pool: inout PicturePool)
    throws(CodecError) -> Picture?
  {
    guard let layers, layers.leavesOut else { return try decode(unit, isKeyframe, &pool) }
    kept.removeAll(keepingCapacity: true)
    AV1Unit.append(unit, keeping: layers, to: &kept)
    let kept = kept
    return try decode(kept.span, isKeyframe, &pool)
  }

  private func decode(_ unit: Span<UInt8>, _ isKeyframe: Bool, _ pool: inout PicturePool) throws(CodecError) -> Picture? {
    if isKeyframe {
      guard let size = PictureSize(ofKeyframe: unit, codec: .av1) else { throw damage() }
      guard limits.allow(width: size.width, height: size.height) else {
        awaitsKeyframe = true
        throw .tooLarge
      }
    }
    guard isKeyframe || !awaitsKeyframe else { throw .needsKeyframe }
    let status = unit.withUnsafeBufferPointer { bytes in
      bytes.baseAddress.map { tutti_dav1d_send(context, $0, bytes.count) } ?? -1
    }
    guard status == 0 else { throw damage() }
    defer { dav1d_picture_unref(image) }
    var hasPicture = false
    for _ in 0..<Self.picturesMax {
      let status = tutti_dav1d_get(context, image)
      if status == tutti_dav1d_again { break }
      guard status == 0 else { throw damage() }
      hasPicture = true
    }
    awaitsKeyframe = false
    return hasPicture ? try copy(image.pointee, pool: &pool) : nil
  }

  private func damage() -> CodecError {
    awaitsKeyframe = true
    dav1d_flush(context)
    return .malformed
  }

  private func copy(_ image: Dav1dPicture, pool: inout PicturePool) throws(CodecError) -> Picture {
    guard image.p.layout == DAV1D_PIXEL_LAYOUT_I420, image.p.bpc == 8 else { throw .unsupportedFormat }
    let (width, height) = (Int(image.p.w), Int(image.p.h))
    guard limits.allow(width: width, height: height) else { throw .tooLarge }
    guard let luma = image.data.0, let blue = image.data.1, let red = image.data.2 else { throw damage() }
    let picture = pool.take(width: width, height: height)
    let planes = (
      PlaneCopy(luma.assumingMemoryBound(to: UInt8.self), stride: image.stride.0),
      PlaneCopy(blue.assumingMemoryBound(to: UInt8.self), stride: image.stride.1),
      PlaneCopy(red.assumingMemoryBound(to: UInt8.self), stride: image.stride.1)
    )
    picture.take(planes, isFullRange: image.seq_hdr != nil && image.seq_hdr.pointee.color_range != 0)
    return picture
  }
}
