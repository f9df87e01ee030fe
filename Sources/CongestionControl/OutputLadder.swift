/// What an output costs with some of its temporal layers.
public struct TemporalRate: Hashable, Sendable {
  /// Measured, headers included.
  public var bitsPerSecond: Int
  public var framesPerSecond: Double

  public init(bitsPerSecond: Int, framesPerSecond: Double) {
    self.bitsPerSecond = bitsPerSecond
    self.framesPerSecond = framesPerSecond
  }
}

/// One encoded output of video.
public struct Rung: Hashable, Sendable {
  /// With the base layer only, with one layer more, and so on; not empty, rising.
  public var layers: [TemporalRate]

  public init(layers: [TemporalRate]) { self.layers = layers }
}

/// What a receiver can be given: the outputs of a room from the best down, beneath them audio alone.
public struct OutputLadder: Hashable, Sendable {
  /// One thing a receiver can be given.
  public struct Step: Hashable, Sendable {
    /// Index into the ladder's rungs; nil for audio alone.
    public var rung: Int?
    /// 0 for audio alone.
    public var temporalLayers: Int
    /// How much sound each audio packet holds: 20, 40 or 60.
    public var audioPacketMilliseconds: Int
    /// Audio and video with their headers.
    public var bitsPerSecond: Int
  }

  /// Below so many frames a second a smaller picture is better, if there is one.
  private static let framesPerSecondMin = 12.0
  /// Each audio packet's IP, UDP, RTP and SRTP bytes.
  private static let audioOverhead = 70
  private static let rungsMax = 16
  private static let layersMax = 4

  /// From the best, each cheaper than the one before it; the last is audio alone at its longest packets.
  public let steps: [Step]

  /// - Parameters:
  ///   - rungs: from the best; at most 16 of at most 4 layers are looked at.
  ///   - audioBitsPerSecond: of the codec's payload alone; 0 for a receiver without sound.
  ///   - stretchedAudioBitsPerSecond: of the audio in packets of 40 and 60 ms, which has an encoder of its own and may be coded lower.
  public init(rungs: [Rung], audioBitsPerSecond: Int, stretchedAudioBitsPerSecond: Int? = nil) {
    var steps: [Step] = []
    func add(_ rung: Int?, _ layers: Int, _ milliseconds: Int, _ video: Int) {
      let overhead = audioBitsPerSecond > 0 ? Self.audioOverhead * 8 * 1_000 / milliseconds : 0
      let audio = milliseconds == 20 ? audioBitsPerSecond : stretchedAudioBitsPerSecond ?? audioBitsPerSecond
      let cost = min(max(video, 0), 1 << 40) &+ min(max(audio, 0), 1 << 30) &+ overhead
      if let last = steps.last, cost >= last.bitsPerSecond { return }
      steps.append(Step(rung: rung, temporalLayers: layers, audioPacketMilliseconds: milliseconds, bitsPerSecond: cost))
    }
    let rungs = rungs.prefix(Self.rungsMax)
    for (index, rung) in rungs.enumerated() {
      let isLast = index == rungs.count - 1
      for layers in (1...Self.layersMax).reversed() where layers <= rung.layers.count {
        let rate = rung.layers[layers - 1]
        guard layers == min(rung.layers.count, Self.layersMax) || isLast || rate.framesPerSecond >= Self.framesPerSecondMin
        else { continue }
        add(index, layers, 20, rate.bitsPerSecond)
      }
      if isLast, let least = rung.layers.first {
        for milliseconds in [40, 60] { add(index, 1, milliseconds, least.bitsPerSecond) }
      }
    }
    for milliseconds in [20, 40, 60] { add(nil, 0, milliseconds, 0) }
    self.steps = steps
  }
}
