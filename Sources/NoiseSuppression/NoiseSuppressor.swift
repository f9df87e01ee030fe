import CSpeexDSP
import RawMedia

/// Lowers steady noise in one voice: fans, hiss, hum, a car.
///
/// The preprocessor of libspeexdsp (BSD licence): spectral weighting by an estimate of the noise in each band. Mono, 48 kHz, ticks of
/// 20 ms; what comes out lags by `delaySamples`. The estimate settles within some two seconds. Whoever wants none makes none: a voice
/// without a suppressor has neither its delay nor its cost. Not to be used by two threads at once; allocates nothing after `init`.
package final class NoiseSuppressor: @unchecked Sendable {
  // Unchecked because of the C handle, which may move between threads but not be shared by them.

  /// Samples by which the output lags the input: 10 ms, the library's overlap.
  package static let delaySamples = 480
  private let handle: OpaquePointer

  /// - Parameter decibels: by how much noise is lowered at most, held to 0 ... 45. Beyond 20 the rest of it begins to sound like water.
  /// - Returns: nil where the library has no memory.
  package init?(decibels: Int = 15) {
    guard
      let handle = speex_preprocess_state_init(Int32(Self.delaySamples), Int32(AudioFormat.sampleRate))
    else { return nil }
    self.handle = handle
    _ = tutti_speex_set_denoise(handle, 1)
    _ = tutti_speex_set_noise_suppress(handle, -Int32(min(max(decibels, 0), 45)))
  }

  deinit { speex_preprocess_state_destroy(handle) }

  /// Suppresses the noise of a tick in place.
  ///
  /// - Parameter samples: 960, mono.
  package func process(_ samples: inout MutableSpan<Int16>) {
    precondition(samples.count == AudioFormat.samplesPerTick, "a mono tick has 960 samples")
    samples.withUnsafeMutableBufferPointer { samples in
      guard let start = samples.baseAddress else { return }
      // Two halves, which lag by half of what a whole tick would.
      _ = speex_preprocess_run(handle, start)
      _ = speex_preprocess_run(handle, start + Self.delaySamples)
    }
  }
}
