extension VideoEncoder {
  /// How pictures are encoded, whichever the codec; what one of them has no use for it passes over.
  package struct Settings: Hashable, Sendable {
    /// Target in bits per second, 1000 or more; may change while encoding.
    package var bitsPerSecond: Int
    /// What the rate control reckons with, 1 to 60 pictures a second.
    package var framesPerSecond: Int
    /// Whether most of the picture is a shared screen: sharp edges, little motion.
    package var isScreen: Bool
    /// 1 to 3, of which H.264 has two; frames of upper layers can be left out, which halves the frame rate for each.
    package var temporalLayers: Int
    /// libvpx's `cpu-used`: for VP8 -16 (fastest) to -1, one below zero holding to the deadline whatever the machine does; for VP9 5
    /// to 9 (fastest); nil for what a mixer wants of each.
    package var speed: Int?
    /// VP8, VP9: 1 to 16.
    package var threadCount: Int
    /// VP8, VP9: lets frames be lost on the way without the later ones' entropy tables going astray, for a few per cent of bit rate.
    package var isErrorResilient: Bool
    /// VP8, VP9: below what change a block counts as still, 0 (never) upwards; what damage says costs less quality than this.
    package var staticThreshold: Int
    /// VP8, VP9: 0 (best) to 63, the least and the most each frame is quantized with.
    package var quantizerMin: Int
    package var quantizerMax: Int
    /// The largest keyframe, in per cent of what a frame may take on average; 0 for no limit.
    package var keyframeSizeMaxPercent: Int

    package init(
      bitsPerSecond: Int, framesPerSecond: Int = 30, isScreen: Bool = false, temporalLayers: Int = 1, speed: Int? = nil,
      threadCount: Int = 1, isErrorResilient: Bool = false, staticThreshold: Int = 0, quantizerMin: Int = 4,
      quantizerMax: Int = 56,
      keyframeSizeMaxPercent: Int = 900
    ) {
      self.bitsPerSecond = bitsPerSecond
      self.framesPerSecond = framesPerSecond
      self.isScreen = isScreen
      self.temporalLayers = temporalLayers
      self.speed = speed
      self.threadCount = threadCount
      self.isErrorResilient = isErrorResilient
      self.staticThreshold = staticThreshold
      self.quantizerMin = quantizerMin
      self.quantizerMax = quantizerMax
      self.keyframeSizeMaxPercent = keyframeSizeMaxPercent
    }
  }
}
