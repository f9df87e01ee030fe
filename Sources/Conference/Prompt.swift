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

  package var id: ID
  /// 48 kHz, one channel.
  package var samples: [Int16]
  /// Begins anew at its end, until it is stopped.
  package var loops: Bool
  package var placement: Placement
  /// Linear.
  package var gain: Float
  /// The one participant who hears it; nil for everybody.
  package var audience: UInt32?

  package init(
    id: ID, samples: [Int16], loops: Bool = false, placement: Placement = .under, gain: Float = 1, audience: UInt32? = nil
  ) {
    self.id = id
    self.samples = samples
    self.loops = loops
    self.placement = placement
    self.gain = gain
    self.audience = audience
  }
}
