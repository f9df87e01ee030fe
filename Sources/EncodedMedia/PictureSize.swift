import Bytes

/// The size of a coded picture in pixels, as its bitstream tells it.
public struct PictureSize: Hashable, Sendable {
  public var width: Int
  public var height: Int

  public init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  /// The size of the pictures that begin with a keyframe, read from its headers without decoding anything.
  ///
  /// - Parameter keyframe: as `EncodedFrame` carries it. With spatial layers, the largest of them.
  /// - Returns: nil for other frames, for audio and for headers that cannot be read.
  public init?(ofKeyframe keyframe: Span<UInt8>, codec: Codec) {
    switch codec {
    case .vp8:
      guard let header = VP8FrameHeader(keyframe), header.isKeyframe else { return nil }
      self.init(width: header.width, height: header.height)
    case .vp9:
      guard let header = VP9FrameHeader(keyframe), header.isKeyframe else { return nil }
      var largest = PictureSize(width: 0, height: 0)
      VP9Superframe.forEachFrame(keyframe) { frame in
        guard let size = VP9FrameHeader(frame)?.size, size.width * size.height > largest.width * largest.height else { return }
        largest = size
      }
      guard largest.width > 0 else { return nil }
      self = largest
    case .h264:
      guard let size = H264SequenceParameters.firstSize(inByteStream: keyframe) else { return nil }
      self = size
    case .av1:
      guard let size = AV1SequenceHeader.firstSize(in: keyframe) else { return nil }
      self = size
    case .opus, .pcmu, .pcma: return nil
    }
  }
}
