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

/// Whether the server takes newcomers: by what they will cost, and not while pictures have to give way.
package struct AdmissionControl: Sendable {
  /// The part of the processors up to which newcomers are taken, above 0 to 1.
  private let shareMax: Double
  /// Processors used of late, and what those will use who came since.
  private var used = 0.0
  private var expected = 0.0
  private var allowance = Double.infinity
  /// Refuses until there is clearly room again.
  package private(set) var isFull = false
  package private(set) var refusedCount = 0
  package private(set) var model = CostModel()

  /// Once full, this part of the limit has to be free again.
  private static let slack = 0.1

  package init(shareMax: Double) { self.shareMax = shareMax }

  /// Processor time used of late, as a part of what may be used.
  package var share: Double { allowance > 0 && allowance < .infinity ? used / allowance : 0 }

  /// Takes in what was measured; about once a second.
  package mutating func observe(_ use: CostModel.Use, _ census: CostModel.Census, allowance: Double) {
    model.learn(use, census)
    self.allowance = allowance
    used += 0.3 * (use.total - used)
    expected *= 0.7
    isFull = hasLimit && used + expected > shareMax * allowance * (isFull ? 1 - Self.slack : 1)
  }

  /// With all of the processors to use only late ticks tell that it is too much.
  private var hasLimit: Bool { shareMax < 1 }

  /// While half of it is free nobody is refused for what he is thought to cost.
  private var isHalfFree: Bool { used + expected < shareMax * allowance / 2 }

  /// Whether one comes in who will cost so much.
  package mutating func admits(_ cost: Double, at level: VideoLevel) -> Bool {
    guard !isFull, !level.refusesNewcomers, !hasLimit || isHalfFree || used + expected + cost <= shareMax * allowance else {
      refusedCount += 1
      return false
    }
    expected += cost
    return true
  }
}
