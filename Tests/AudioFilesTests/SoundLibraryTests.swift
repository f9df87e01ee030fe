import AudioFiles
import CSndFile
import Foundation
import TestSupport
import Testing

/// A directory of sounds that goes with its owner.
private final class Directory {
  let path = FileManager.default.temporaryDirectory.appending(path: "tutti-sounds-\(UUID().uuidString)").path

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: "\(path)/\(name)")) }
  func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: "\(path)/\(name)"))) }

  /// Writes a tone with the same samples on every channel.
  func writeTone(
    _ name: String, _ format: Int32, hertz: Double, rate: Int, channels: Int = 1, seconds: Double = 1
  ) throws {
    var info = SF_INFO()
    (info.samplerate, info.channels, info.format) = (Int32(rate), Int32(channels), format)
    let file = try #require(sf_open("\(path)/\(name)", tutti_sf_write, &info))
    defer { sf_close(file) }
    let count = Int(Double(rate) * seconds)
    var samples: [Float] = []
    for index in 0..<count {
      let value = Float(0.25 * sin(2 * .pi * hertz * Double(index) / Double(rate)))
      samples += [Float](repeating: value, count: channels)
    }
    #expect(sf_writef_float(file, samples, sf_count_t(count)) == sf_count_t(count))
  }

  func fault(_ name: String) -> AudioFileError.Kind? {
    do throws(AudioFileError) {
      _ = try SoundLibrary(directory: path).load(name)
      return nil
    } catch { return error.kind }
  }
}

@Suite struct SoundLibraryTests {
  @Test(arguments: [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000])
  func aToneKeepsItsPitchAndLevelAtEveryRate(rate: Int) throws {
    let directory = try Directory()
    try directory.writeTone("tone.wav", tutti_sf_wav_pcm16, hertz: 1_000, rate: rate, channels: 2)
    let samples = try SoundLibrary(directory: directory.path).load("tone.wav")
    #expect(abs(samples.count - 48_000) <= 8)
    let middle = Array(samples[4_800..<43_200])
    let reference = Tones.level(of: 1_000, in: Tones.sine(1_000, amplitude: 8_192, count: 38_400))
    #expect(abs(Tones.level(of: 1_000, in: middle) - reference) < 0.1)
    // Images and aliases of the tone.
    for hertz in [Double(rate) - 1_000, Double(rate) + 1_000] where hertz < 23_900 && hertz != 1_000 {
      #expect(Tones.level(of: hertz, in: middle) < reference - 60)
    }
  }

  @Test func whatIsAboveTheNewBandIsGone() throws {
    let directory = try Directory()
    try directory.writeTone("high.wav", tutti_sf_wav_float, hertz: 30_000, rate: 96_000)
    let samples = try SoundLibrary(directory: directory.path).load("high.wav")
    #expect(samples[4_800..<43_200].allSatisfy { abs(Int($0)) < 30 })
  }

  @Test(arguments: [("a.wav", tutti_sf_wav_pcm16), ("a.flac", tutti_sf_flac_pcm16), ("a.ogg", tutti_sf_ogg_vorbis)])
  func theUsualFormatsAreRead(name: String, format: Int32) throws {
    let directory = try Directory()
    try directory.writeTone(name, format, hertz: 440, rate: 44_100)
    let samples = try SoundLibrary(directory: directory.path).load(name)
    #expect(
      Tones.level(of: 440, in: Array(samples[4_800..<43_200])) > Tones.level(of: 880, in: Array(samples[4_800..<43_200])) + 30)
  }

  @Test(arguments: [
    "", ".", "..", "../a.wav", "/etc/passwd", "a/b.wav", ".hidden.wav", "a\u{0}b.wav", "a\nb.wav", "no.wav", "tone:other",
    String(repeating: "a", count: 256),
  ])
  func onlyPlainNamesOfItsOwnFilesAreFound(name: String) throws {
    let directory = try Directory()
    try directory.writeTone(".hidden.wav", tutti_sf_wav_pcm16, hertz: 440, rate: 48_000)
    #expect(directory.fault(name) == .missing)
  }

  @Test func linksPipesAndDirectoriesAreNotFollowed() throws {
    let outside = try Directory()
    let directory = try Directory()
    try outside.writeTone("a.wav", tutti_sf_wav_pcm16, hertz: 440, rate: 48_000)
    #expect(symlink("\(outside.path)/a.wav", "\(directory.path)/link.wav") == 0)
    #expect(mkfifo("\(directory.path)/pipe.wav", 0o600) == 0)
    #expect(mkdir("\(directory.path)/folder.wav", 0o700) == 0)
    #expect(directory.fault("link.wav") == .missing)
    #expect(directory.fault("pipe.wav") == .unusable)
    #expect(directory.fault("folder.wav") == .unusable)
  }

  @Test func whatIsNoSoundIsRefused() throws {
    let directory = try Directory()
    try directory.write("empty.wav", [])
    try directory.write("text.wav", Array("this is no sound at all".utf8))
    try directory.writeTone("nothing.wav", tutti_sf_wav_pcm16, hertz: 440, rate: 48_000, seconds: 0)
    for name in ["empty.wav", "text.wav", "nothing.wav"] { #expect(directory.fault(name) == .unusable) }
  }

  @Test func elevenMinutesAreTooLong() throws {
    let directory = try Directory()
    try directory.writeTone("long.flac", tutti_sf_flac_pcm16, hertz: 440, rate: 8_000, seconds: 660)
    #expect(directory.fault("long.flac") == .unusable)
  }

  /// The library stands between these bytes and the server: whatever they are, it answers.
  @Test(arguments: [("a.wav", tutti_sf_wav_pcm16), ("a.flac", tutti_sf_flac_pcm16), ("a.ogg", tutti_sf_ogg_vorbis)])
  func damagedFilesAreReadOrRefused(name: String, format: Int32) throws {
    let directory = try Directory()
    try directory.writeTone(name, format, hertz: 440, rate: 16_000, seconds: 0.1)
    let whole = try directory.bytes(name)
    var random = SeededRandom(seed: 11)
    for length in [0, 1, 4, 11, 12, 20, 36, 43, 44, 45, whole.count / 2, whole.count - 1] where length <= whole.count {
      try directory.write("cut", Array(whole.prefix(length)))
      _ = directory.fault("cut")
    }
    for _ in 0..<200 {
      var bytes = whole
      for _ in 0..<4 { bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random) }
      try directory.write("damaged", bytes)
      _ = directory.fault("damaged")
    }
  }

  /// A number closed twice may be another thread's file or socket by the second time.
  @Test func aDamagedFileIsLeftToWhoOpenedIt() throws {
    let directory = try Directory()
    try directory.writeTone("a.flac", tutti_sf_flac_pcm16, hertz: 440, rate: 16_000, seconds: 0.1)
    let whole = try directory.bytes("a.flac")
    var (random, refused) = (SeededRandom(seed: 11), 0)
    for _ in 0..<200 {
      var bytes = whole
      for _ in 0..<4 { bytes[Int.random(in: 0..<64, using: &random)] = UInt8.random(in: 0...255, using: &random) }
      try directory.write("damaged", bytes)
      let descriptor = open("\(directory.path)/damaged", O_RDONLY | O_CLOEXEC)
      do throws(AudioFileError) {
        _ = try AudioFile(descriptor: descriptor, name: "damaged")
      } catch { refused += 1 }
      #expect(close(descriptor) == 0)
    }
    #expect(refused > 50)
  }

  @Test func aFileIsReadAgainWhenItChanged() throws {
    let directory = try Directory()
    let library = SoundLibrary(directory: directory.path)
    try directory.writeTone("a.wav", tutti_sf_wav_pcm16, hertz: 440, rate: 48_000, seconds: 0.5)
    #expect(try library.load("a.wav").count == 24_000)
    try directory.writeTone("a.wav", tutti_sf_wav_pcm16, hertz: 440, rate: 48_000, seconds: 0.25)
    #expect(try library.load("a.wav").count == 12_000)
    try FileManager.default.removeItem(atPath: "\(directory.path)/a.wav")
    #expect(throws: AudioFileError.self) { try library.load("a.wav") }
  }

  @Test func theChimesNeedNoFile() throws {
    let library = SoundLibrary(directory: "/nowhere")
    for name in ["tone:join", "tone:leave"] {
      let samples = try library.load(name)
      #expect(samples.count == 17_280)
      #expect(samples.first == 0 && abs(Int(samples.last ?? 1)) < 20)
      let peak = samples.map { abs(Int($0)) }.max() ?? 0
      #expect(peak > 1_000 && peak < 6_000)
    }
  }
}
