import CSndFile
import Glibc
import RawMedia

/// A sound file being read: WAV, FLAC, Ogg (Vorbis, Opus), MP3, AIFF, by libsndfile.
///
/// Blocks while it reads; not for threads that keep deadlines.
package struct AudioFile: ~Copyable {
  /// Longer recordings are refused: ten minutes are 58 MB of samples.
  static let secondsMax = 600
  /// Larger files are refused before they are looked at.
  static let bytesMax: Int64 = 512 << 20

  private let handle: OpaquePointer
  private let name: String
  let sampleRate: Int
  let channelCount: Int

  /// - Parameters:
  ///   - descriptor: of a regular file, open for reading; stays open, and the caller's.
  ///   - name: for the sentences of refusals.
  package init(descriptor: Int32, name: String) throws(AudioFileError) {
    var (reading, info) = (Self.reading, SF_INFO())
    guard let handle = sf_open_virtual(&reading, tutti_sf_read, &info, Self.file(descriptor)) else {
      throw AudioFileError(.unusable, "'\(name)' is no sound that can be read: use WAV, FLAC, Ogg or MP3.")
    }
    guard (8_000...192_000).contains(info.samplerate), (1...8).contains(info.channels) else {
      sf_close(handle)
      throw AudioFileError(.unusable, "'\(name)' must have 8000 to 192000 samples a second and 1 to 8 channels.")
    }
    self.handle = handle
    self.name = name
    sampleRate = Int(info.samplerate)
    channelCount = Int(info.channels)
  }

  deinit { sf_close(handle) }

  /// How the library reads. It is never given the descriptor itself: refusing some damaged files it closes one it was told to leave open,
  /// and whoever closes it then closes what another thread has opened meanwhile under the same number.
  private static var reading: SF_VIRTUAL_IO {
    SF_VIRTUAL_IO(
      get_filelen: { file in
        var status = stat()
        return fstat(AudioFile.descriptor(file), &status) == 0 ? sf_count_t(status.st_size) : -1
      },
      seek: { offset, origin, file in sf_count_t(lseek(AudioFile.descriptor(file), off_t(offset), origin)) },
      read: { bytes, count, file in AudioFile.read(bytes, Int(count), AudioFile.descriptor(file)) },
      write: nil,
      tell: { file in sf_count_t(lseek(AudioFile.descriptor(file), 0, SEEK_CUR)) })
  }

  // The library hands on what it is given with each call, and never looks at it: the descriptor itself, counted from 1 as 0 is nil.
  private static func file(_ descriptor: Int32) -> UnsafeMutableRawPointer? { .init(bitPattern: Int(descriptor) &+ 1) }
  private static func descriptor(_ file: UnsafeMutableRawPointer?) -> Int32 {
    Int32(truncatingIfNeeded: Int(bitPattern: file) &- 1)
  }

  /// As much as there is, up to `count` bytes.
  private static func read(_ bytes: UnsafeMutableRawPointer?, _ count: Int, _ descriptor: Int32) -> sf_count_t {
    var filled = 0
    while let bytes, filled < count {
      let more = Glibc.read(descriptor, bytes + filled, count - filled)
      if more > 0 { filled += more } else if more == 0 || errno != EINTR { break }
    }
    return sf_count_t(filled)
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
