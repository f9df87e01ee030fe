/// The sample format of everything between the decoders and the encoders.
///
/// 48 kHz, 16-bit signed, interleaved where stereo (left first). One tick is 20 ms: 960 samples a channel.
public enum AudioFormat {
  /// Samples per second and channel.
  public static let sampleRate = 48_000
  /// Samples per channel in one tick of the mixer.
  public static let samplesPerTick = 960
  /// Milliseconds per tick of the mixer.
  public static let millisecondsPerTick = 20
}
