import Glibc

/// How loud noise is and how its spectrum is shaped: the payload of RFC 3389.
package struct ComfortNoiseDescription: Sendable {
  /// In -dBov, 0 to 127; 127 is silence.
  package let level: UInt8
  /// Reflection coefficients of the all-pole model, as many as `order`, each within ±0.99.
  package let reflections: InlineArray<12, Float>
  /// How many of them there are, 0 (white) to `orderMax`.
  package let order: Int

  /// Coefficients beyond these are left out, as RFC 3389 section 3 allows.
  package static let orderMax = 12
  /// Beyond this a resonance would ring for longer than any pause.
  private static let magnitudeMax: Float = 0.99

  /// White noise.
  package init(level: UInt8) { self.init(level: level, reflections: .init(repeating: 0), order: 0) }

  /// - Parameter reflections: the first of them negative where the spectrum falls; held to ±0.99.
  package init(level: UInt8, reflections: InlineArray<12, Float>, order: Int) {
    self.level = min(level, 127)
    self.order = min(max(order, 0), Self.orderMax)
    var held = InlineArray<12, Float>(repeating: 0)
    for index in 0..<self.order {
      let value = reflections[index]
      held[index] = value.isNaN ? 0 : min(max(value, -Self.magnitudeMax), Self.magnitudeMax)
    }
    self.reflections = held
  }

  /// The noise of a room: a spectrum that falls by 12 dB from low to high, which is less of a hiss than white noise.
  package static func room(level: UInt8) -> ComfortNoiseDescription {
    var reflections = InlineArray<12, Float>(repeating: 0)
    reflections[0] = -0.6
    return ComfortNoiseDescription(level: level, reflections: reflections, order: 1)
  }

  /// The factor that makes noise of this level of an excitation of variance one: the model's own gain is taken out.
  var excitation: Float {
    guard level < 127 else { return 0 }
    var gain: Float = 1
    for index in 0..<order { gain *= 1 - reflections[index] * reflections[index] }
    return 32_768 * pow(10, Float(level) / -20) * gain.squareRoot()
  }
}

// MARK: RFC 3389 section 3

extension ComfortNoiseDescription {
  /// Reads a payload; nil where it is empty. The model's coefficients beyond `orderMax` are not used.
  package init?(payload: Span<UInt8>) {
    guard !payload.isEmpty else { return nil }
    let order = min(payload.count - 1, Self.orderMax)
    var reflections = InlineArray<12, Float>(repeating: 0)
    for index in 0..<order { reflections[index] = Float(Int(payload[index + 1]) - 127) * Self.quantizerStep }
    // The highest bit of the level is unused.
    self.init(level: payload[0] & 0x7F, reflections: reflections, order: order)
  }

  /// Appends the payload, `1 + order` bytes.
  package func write(into payload: inout [UInt8]) {
    payload.append(level)
    for index in 0..<order {
      payload.append(UInt8(min(max((reflections[index] / Self.quantizerStep).rounded() + 127, 0), 254)))
    }
  }

  /// Between two of the 255 values of a coefficient.
  private static let quantizerStep: Float = 258 / 32_768
}
