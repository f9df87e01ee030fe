public import CongestionControl

/// The pictures one receiver can be given: outputs that show the same at different cost.
public struct VideoLadder: Hashable, Sendable {
  /// One output.
  public struct Rung: Hashable, Sendable {
    public var output: OutputID
    /// What it takes with the base layer only, with one temporal layer more, and so on. Empty where that is not known: then it is sent
    /// as it comes, and never paced.
    public var layers: [TemporalRate]

    public init(_ output: OutputID, layers: [TemporalRate] = []) {
      self.output = output
      self.layers = layers
    }

    /// - Parameters:
    ///   - bitsPerSecond, framesPerSecond: as it is encoded.
    ///   - shares: of the bit rate that temporal layers take together with those below, from the base up; each halves the frame rate
    ///     if it is left out.
    public init(_ output: OutputID, bitsPerSecond: Int, framesPerSecond: Double, shares: [Double]) {
      self.output = output
      layers = shares.enumerated().map { index, share in
        let encoded = Double(min(max(bitsPerSecond, 0), 1_000_000_000)) * min(max(share, 0), 1)
        return TemporalRate(
          encodedBitsPerSecond: Int(encoded), framesPerSecond: framesPerSecond / Double(1 << min(shares.count - 1 - index, 8)))
      }
    }
  }

  public static let rungsMax = 16

  /// From the best down; at most 16.
  public let rungs: [Rung]
  /// Whether the receiver is given what his path carries, down to sound alone; else the first rung, of which temporal layers are left
  /// out, and all of it only where for some seconds not even the base layer fits.
  public let isAutomatic: Bool
  /// Whether what is sent can be weighed against what the path carries.
  let isMeasured: Bool
  /// What is sent of an output he named as long as there is room, in bits per second: its base layer; 0 where his path decides.
  let floor: Int

  public init(_ rungs: [Rung], isAutomatic: Bool) {
    self.rungs = Array(rungs.prefix(isAutomatic ? Self.rungsMax : 1))
    self.isAutomatic = isAutomatic
    isMeasured = self.rungs.allSatisfy { !$0.layers.isEmpty }
    floor = isAutomatic ? 0 : self.rungs.first?.layers.first?.bitsPerSecond ?? 0
  }

  /// One output whatever the path carries.
  public init(_ output: OutputID, layers: [TemporalRate] = []) {
    self.init([Rung(output, layers: layers)], isAutomatic: false)
  }

  func index(of output: OutputID) -> Int? { rungs.firstIndex { $0.output == output } }

  /// The same as steps to choose from. Where rates are not known, the one step there is forwards every layer.
  var steps: OutputLadder {
    let unknown = (1...4).map { TemporalRate(bitsPerSecond: $0, framesPerSecond: 30) }
    return OutputLadder(
      rungs: rungs.map { .init(layers: $0.layers.isEmpty ? unknown : $0.layers) },
      endsInSoundAlone: isAutomatic || isMeasured)
  }
}
