/// How high a signal reaches between its samples, after ITU-R BS.1770-5 annex 2.
///
/// Interpolates fourfold with the recommendation's filter of 48 taps, 12 for each of four phases. The result at sample `n` is the
/// greatest magnitude a converter will make of the signal between samples `n - 6` and `n - 5`: the four phases lie 1/8, 3/8, 5/8 and
/// 7/8 of the way from one to the other.
package enum TruePeak {
  /// Samples before the first that the filter needs.
  package static let history = 11
  /// Samples the result lags behind its input.
  package static let lag = 6
  /// How far interpolation can at most exceed the samples: the greatest sum of one phase's magnitudes, 2.0228, and a little.
  package static let overshootMax: Float = 2.025

  /// Phases 0 and 1, the newest sample's factor first; 3 and 2 are the same backwards.
  private static let phases: InlineArray<2, InlineArray<12, Float>> = [
    [
      0.001_708_984_375, 0.010_986_328_125, -0.019_653_320_312_5, 0.033_203_125, -0.059_448_242_187_5, 0.137_329_101_562_5,
      0.972_167_968_75, -0.102_294_921_875, 0.047_607_421_875, -0.026_611_328_125, 0.014_892_578_125, -0.008_300_781_25,
    ],
    [
      -0.029_174_804_687_5, 0.029_296_875, -0.051_757_812_5, 0.089_111_328_125, -0.166_503_906_25, 0.465_087_890_625,
      0.779_785_156_25, -0.200_317_382_812_5, 0.101_562_5, -0.058_227_539_062_5, 0.033_081_054_687_5, -0.018_920_898_437_5,
    ],
  ]

  /// The magnitude between samples for each sample, or the one found already where that is greater.
  ///
  /// - Parameters:
  ///   - samples: `history` samples, then as many as `peaks` holds.
  ///   - peaks: a multiple of 8.
  package static func raise(_ peaks: inout MutableSpan<Float>, by samples: Span<Float>) {
    precondition(samples.count >= peaks.count + history && peaks.count % 8 == 0, "a sample needs the eleven before it")
    let phases = Self.phases
    samples.withUnsafeBytes { input in
      peaks.withUnsafeMutableBytes { output in
        for start in stride(from: 0, to: output.count, by: 32) {
          let found = output.load(fromByteOffset: start, as: SIMD8<Float>.self)
          output.storeBytes(of: greater(found, eight(input, at: start, phases)), toByteOffset: start, as: SIMD8<Float>.self)
        }
      }
    }
  }

  /// The greatest of the four phases for eight samples.
  @inline(__always)
  private static func eight(
    _ input: UnsafeRawBufferPointer, at start: Int, _ phases: InlineArray<2, InlineArray<12, Float>>
  ) -> SIMD8<Float> {
    var (a, b, c, d) = (SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero)
    for tap in 0..<12 {
      let sample = input.loadUnaligned(fromByteOffset: start + 4 * (history - tap), as: SIMD8<Float>.self)
      a += sample * phases[0][tap]
      b += sample * phases[1][tap]
      c += sample * phases[1][11 - tap]
      d += sample * phases[0][11 - tap]
    }
    return greater(greater(magnitude(a), magnitude(b)), greater(magnitude(c), magnitude(d)))
  }
}

/// The greater of each pair; unlike `pointwiseMax`, which minds what is not a number, side by side.
@inline(__always)
func greater(_ a: SIMD8<Float>, _ b: SIMD8<Float>) -> SIMD8<Float> { a.replacing(with: b, where: b .> a) }

@inline(__always)
func magnitude(_ x: SIMD8<Float>) -> SIMD8<Float> {
  unsafeBitCast(unsafeBitCast(x, to: SIMD8<UInt32>.self) & 0x7FFF_FFFF, to: SIMD8<Float>.self)
}
