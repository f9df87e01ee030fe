/// What an output costs with some of its temporal layers.
public struct TemporalRate: Hashable, Sendable {
  /// Headers included.
  public var bitsPerSecond: Int
  public var framesPerSecond: Double

  public init(bitsPerSecond: Int, framesPerSecond: Double) {
    self.bitsPerSecond = bitsPerSecond
    self.framesPerSecond = framesPerSecond
  }

  /// What an encoding takes on the wire: with IP, UDP, RTP and SRTP around each packet.
  ///
  /// - Parameter encodedBitsPerSecond: of the codec's payload alone.
  public init(encodedBitsPerSecond: Int, framesPerSecond: Double) {
    let encoded = Double(min(max(encodedBitsPerSecond, 0), 1_000_000_000))
    let packets = max(min(max(framesPerSecond, 0), 240), encoded / 8 / Self.payloadSize)
    self.init(
      bitsPerSecond: clampedInt(encoded + packets * Self.headerSize * 8), framesPerSecond: framesPerSecond)
  }

  private static let payloadSize = 1_100.0
  private static let headerSize = 82.0
}

/// One encoded output of video.
public struct Rung: Hashable, Sendable {
  /// With the base layer only, with one layer more, and so on; not empty, rising.
  public var layers: [TemporalRate]

  public init(layers: [TemporalRate]) { self.layers = layers }
}

/// What a receiver can be given: the outputs of a room from the best down, beneath them sound alone.
public struct OutputLadder: Hashable, Sendable {
  /// One thing a receiver can be given.
  public struct Step: Hashable, Sendable {
    /// Index into the ladder's rungs; nil for sound alone.
    public var rung: Int?
    /// 0 for sound alone.
    public var temporalLayers: Int
    /// Of the picture, with its headers.
    public var bitsPerSecond: Int
  }

  /// Below so many frames a second a smaller picture is better, if there is one that moves more.
  private static let framesPerSecondMin = 12.0
  private static let rungsMax = 16
  private static let layersMax = 4

  /// From the best, each cheaper than the one before it; at least one.
  public let steps: [Step]
  /// What the base layer of each rung takes.
  let bases: [Int]
  /// What the least of its pictures takes, in bits per second; 0 where there is none.
  public let least: Int

  /// - Parameters:
  ///   - rungs: from the best; at most 16 of at most 4 layers are looked at.
  ///   - endsInSoundAlone: whether a receiver whose path carries none of them gets no picture, rather than the least of them.
  public init(rungs: [Rung], endsInSoundAlone: Bool = true) {
    var steps: [Step] = []
    let rungs = rungs.prefix(Self.rungsMax)
    for (index, rung) in rungs.enumerated() {
      let below = index + 1 < rungs.count ? rungs[index + 1].layers.last?.framesPerSecond ?? 0 : 0
      for layers in (1...Self.layersMax).reversed() where layers <= rung.layers.count {
        let rate = rung.layers[layers - 1]
        guard layers == min(rung.layers.count, Self.layersMax) || rate.framesPerSecond >= min(Self.framesPerSecondMin, below)
        else { continue }
        let cost = min(max(rate.bitsPerSecond, 1), 1 << 40)
        if let last = steps.last, cost >= last.bitsPerSecond { continue }
        steps.append(Step(rung: index, temporalLayers: layers, bitsPerSecond: cost))
      }
    }
    if endsInSoundAlone || steps.isEmpty { steps.append(Step(rung: nil, temporalLayers: 0, bitsPerSecond: 0)) }
    self.steps = steps
    least = steps.last { $0.rung != nil }?.bitsPerSecond ?? 0
    bases = rungs.map { $0.layers.first?.bitsPerSecond ?? 0 }
  }
}
