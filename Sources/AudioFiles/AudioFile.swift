import CSndFile
import Glibc
import RawMedia

/// A sound file being read: WAV, FLAC, Ogg (Vorbis, Opus), MP3, AIFF, by libsndfile.
///
/// Blocks while it reads; not for threads that keep deadlines.
struct AudioFile: ~Copyable {
  /// Longer recordings are refused: ten minutes are 58 MB of samples.
  static let secondsMax = 600
  /// Larger files are refused before they are looked at.
  static let bytesMax: Int64 = 512 << 20

  private let handle: OpaquePointer
  private let descriptor: Int32
  private let name: String
  let sampleRate: Int
  let channelCount: Int

  /// - Parameters:
  ///   - descriptor: of a regular file, open for reading; closed with this value.
  ///   - name: for the sentences of refusals.
  init(descriptor: Int32, name: String) throws(AudioFileError) {
    var info = SF_INFO()
    guard let handle = sf_open_fd(descriptor, tutti_sf_read, &info, 0) else {
      close(descriptor)
      throw AudioFileError(.unusable, "'\(name)' is no sound that can be read: use WAV, FLAC, Ogg or MP3.")
    }
    guard (8_000...192_000).contains(info.samplerate), (1...8).contains(info.channels) else {
      sf_close(handle)
      close(descriptor)
      throw AudioFileError(.unusable, "'\(name)' must have 8000 to 192000 samples a second and 1 to 8 channels.")
    }
    self.handle = handle
    self.descriptor = descriptor
    self.name = name
    sampleRate = Int(info.samplerate)
    channelCount = Int(info.channels)
  }

  deinit {
    sf_close(handle)
    close(descriptor)
  }

  /// The whole recording at 48 kHz, the mean of its channels.
  func mono() throws(AudioFileError) -> [Int16] {
    var samples: [Float] = []
    let framesMax = sampleRate * Self.secondsMax
    var block = [Float](repeating: 0, count: 4096 * channelCount)
    while true {
      let count = Int(block.withUnsafeMutableBufferPointer { sf_readf_float(handle, $0.baseAddress, 4096) })
      guard count > 0 else { break }
      guard samples.count + count <= framesMax else {
        throw AudioFileError(.unusable, "'\(name)' is longer than \(Self.secondsMax / 60) minutes: cut it.")
      }
      for frame in 0..<min(count, 4096) { samples.append(mean(block, frame)) }
    }
    guard sf_error(handle) == 0 else { throw AudioFileError(.unusable, "'\(name)' is damaged: make it anew.") }
    guard !samples.isEmpty else { throw AudioFileError(.unusable, "'\(name)' holds no sound.") }
    return Resampler.resample(samples, from: sampleRate, to: AudioFormat.sampleRate).map { sample in
      Int16(max(-32_768, min(32_767, (sample * 32_768).rounded())))
    }
  }

  /// Files of floats may hold what is no number.
  private func mean(_ block: [Float], _ frame: Int) -> Float {
    var sum: Float = 0
    for channel in 0..<channelCount { sum += block[frame * channelCount + channel] }
    return sum.isFinite ? max(-4, min(4, sum / Float(channelCount))) : 0
  }
}
