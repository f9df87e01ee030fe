import Glibc
import Synchronization

/// The sounds of a directory, decoded once and kept while their files stay as they are; and the chimes, which need no file.
///
/// Names are those of files directly in the directory: nothing outside of it is ever opened.
package final class SoundLibrary: Sendable {
  /// Samples kept in all, oldest use first out: 134 MB.
  static let samplesMax = 64 << 20

  private struct Entry {
    var samples: [Int16]
    var stamp: Stamp
    var lastUse: UInt64
  }
  /// What changes when a file is written anew.
  private struct Stamp: Equatable {
    var bytes: Int64
    var seconds: Int
    var nanoseconds: Int
    var inode: UInt64
  }
  private struct State {
    var entries: [String: Entry] = [:]
    var uses: UInt64 = 0
  }
  private let directory: String
  private let state = Mutex(State())

  package init(directory: String) { self.directory = directory }

  /// A sound as 48 kHz, one channel. Blocks while it reads the file.
  ///
  /// - Parameter name: of a file of the directory, or of a chime.
  package func load(_ name: String) throws(AudioFileError) -> [Int16] {
    if let chime = Chime(rawValue: name) { return chime.samples }
    guard Self.isFileName(name) else {
      throw AudioFileError(
        .missing,
        "A sound is the plain name of a file such as 'welcome.wav', or one of \(Self.chimeNames); not \(quoted(name)).")
    }
    let (descriptor, stamp) = try open(name)
    defer { close(descriptor) }
    if let samples = kept(name, stamp) { return samples }
    let samples = try AudioFile(descriptor: descriptor, name: name).mono()
    keep(samples, name, stamp)
    return samples
  }

  /// One component of a path, shown: neither hidden nor empty, and not a way out.
  package static func isFileName(_ name: String) -> Bool {
    (1...255).contains(name.utf8.count) && !name.hasPrefix(".")
      && name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") }
  }

  private static let chimeNames = Chime.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")

  /// Opens a regular file; a link is not followed, since it may lead out of the directory, and a pipe is not waited for.
  private func open(_ name: String) throws(AudioFileError) -> (descriptor: Int32, stamp: Stamp) {
    let descriptor = Glibc.open("\(directory)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw AudioFileError(
        .missing,
        "There is no sound \(quoted(name)) in the directory of prompts: put a WAV, FLAC, Ogg or MP3 file there, or name one of "
          + "\(Self.chimeNames).")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw AudioFileError(.unusable, "\(quoted(name)) is no file.")
    }
    guard Int64(status.st_size) <= AudioFile.bytesMax else {
      close(descriptor)
      throw AudioFileError(.unusable, "\(quoted(name)) is larger than \(AudioFile.bytesMax >> 20) MB.")
    }
    let stamp = Stamp(
      bytes: Int64(status.st_size), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec,
      inode: UInt64(status.st_ino))
    return (descriptor, stamp)
  }

  private func kept(_ name: String, _ stamp: Stamp) -> [Int16]? {
    state.withLock { state in
      guard let entry = state.entries[name], entry.stamp == stamp else { return nil }
      state.uses &+= 1
      state.entries[name]?.lastUse = state.uses
      return entry.samples
    }
  }

  private func keep(_ samples: [Int16], _ name: String, _ stamp: Stamp) {
    state.withLock { state in
      state.uses &+= 1
      state.entries[name] = Entry(samples: samples, stamp: stamp, lastUse: state.uses)
      var total = state.entries.values.reduce(0) { $0 + $1.samples.count }
      while total > Self.samplesMax, state.entries.count > 1,
        let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
      {
        total -= oldest.value.samples.count
        state.entries[oldest.key] = nil
      }
    }
  }
}

/// Text of a stranger within a sentence: cut, and without what steers a terminal.
private func quoted(_ text: String) -> String {
  "'" + String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.properties.generalCategory != .control }.prefix(64)))
    + "'"
}
