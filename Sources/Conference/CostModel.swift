/// What participants and outputs cost of the processors, learned from what was measured: what says whether one more fits.
///
/// All costs are in processors: 0.02 is a fiftieth of one. Before anything was measured they are what one core of a server of 2020 takes.
package struct CostModel: Sendable, Equatable {
  /// How many there are of whatever costs something.
  package struct Census: Sendable, Equatable {
    /// Those whose pictures are decoded.
    package var pictures = 0
    /// Those whose sound is listened to.
    package var voices = 0
    /// Encodings of pictures.
    package var outputs = 0
    /// Everybody.
    package var peers = 0

    package init() {}
  }

  /// Processors used since the last sample, by what for.
  package struct Use: Sendable, Equatable {
    package var decoding = 0.0
    package var sound = 0.0
    package var outputs = 0.0
    /// All of the program.
    package var total = 0.0

    package init() {}
  }

  /// What one of each costs.
  package private(set) var picture = 0.02
  package private(set) var voice = 0.015
  package private(set) var output = 0.3
  /// The rest of the program, by peers: sending, receiving, encryption.
  package private(set) var peer = 0.000_5

  /// How much of a new measurement is believed.
  private static let trust = 0.2

  package init() {}

  package mutating func learn(_ use: Use, _ census: Census) {
    Self.learn(&picture, use.decoding, census.pictures, in: 0.001...1)
    Self.learn(&voice, use.sound, census.voices, in: 0.000_5...0.2)
    Self.learn(&output, use.outputs, census.outputs, in: 0.001...4)
    Self.learn(&peer, use.total - use.decoding - use.sound - use.outputs, census.peers, in: 0.000_05...0.1)
  }

  private static func learn(_ cost: inout Double, _ use: Double, _ count: Int, in range: ClosedRange<Double>) {
    guard count > 0, use > 0 else { return }
    let measured = min(max(use / Double(count), range.lowerBound), range.upperBound)
    cost += trust * (measured - cost)
  }

  /// What a newcomer adds.
  ///
  /// - Parameter startsOutput: whether he is the first to receive his picture.
  package func cost(publishes: Bool, startsOutput: Bool) -> Double {
    peer + (publishes ? picture + voice : 0) + (startsOutput ? output : 0)
  }
}
