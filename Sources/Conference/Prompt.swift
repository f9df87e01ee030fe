import RawMedia

/// A recording to be played into a room's mixes.
package struct Prompt: Sendable {
  /// Told apart by this; chosen by whoever starts it.
  package typealias ID = UInt32

  package enum Placement: String, Sendable, CaseIterable {
    /// Together with those who speak.
    case under
    /// Its audience hears nothing else while it lasts.
    case instead
  }

  /// Who hears it.
  package enum Audience: Sendable, Equatable {
    case everybody
    /// These and nobody else.
    case only(Set<UInt32>)

    func contains(_ number: UInt32) -> Bool {
      switch self {
      case .everybody: true
      case .only(let numbers): numbers.contains(number)
      }
    }
  }

  package var id: ID
  /// 48 kHz, one channel.
  package var samples: [Int16]
  /// Begins anew at its end, until it is stopped.
  package var loops: Bool
  package var placement: Placement
  /// Linear.
  package var gain: Float
  package var audience: Audience

  package init(
    id: ID, samples: [Int16], loops: Bool = false, placement: Placement = .under, gain: Float = 1,
    audience: Audience = .everybody
  ) {
    self.id = id
    self.samples = samples
    self.loops = loops
    self.placement = placement
    self.gain = gain
    self.audience = audience
  }
}
