import Glibc

/// Speech to be sent and what became of it, in a temporary directory, judged by a program in Python (`Tests/Clients/speech_scores.py`).
///
/// Recordings are raw: 48 kHz, 16 bits in the machine's order, one channel.
final class SpeechJudge {
  private let directory: String
  private static let python = ".build/clients/python/bin/python"
  private static let program = "Tests/Clients/speech_scores.py"

  init() throws {
    guard access(Self.python, X_OK) == 0 else {
      throw BenchmarkError("the Python environment is missing: run Tests/Clients/environment, or this by ./dev bench speech")
    }
    var template = Array("/tmp/tutti-speech-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw BenchmarkError("cannot make a directory in /tmp") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    guard let entries = opendir(directory) else { return }
    while let entry = readdir(entries) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      unlink("\(directory)/\(name)")
    }
    closedir(entries)
    rmdir(directory)
  }

  /// Read speech, as it was recorded.
  func reading() throws -> [Int16] {
    try run("prepare")
    let bytes = try read("reading.raw")
    return (0..<bytes.count / 2).map { Int16(truncatingIfNeeded: Int(bytes[2 * $0]) | Int(bytes[2 * $0 + 1]) << 8) }
  }

  /// Keeps what was heard of the reading to be judged under a name of letters, digits and `-`.
  func submit(_ samples: [Int16], as name: String) throws {
    guard let file = fopen("\(directory)/\(name).heard", "wb") else { throw BenchmarkError("cannot write to \(directory)") }
    defer { fclose(file) }
    guard fwrite(samples, 2, samples.count, file) == samples.count else { throw BenchmarkError("cannot write to \(directory)") }
  }

  /// PESQ-WB (ITU-T P.862.2) of everything submitted against the reading, by name: 1 is bad, 4.64 the same.
  func scores() throws -> [String: Double] {
    try run("judge")
    let text = String(decoding: try read("scores.txt"), as: UTF8.self)
    var scores: [String: Double] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      if fields.count == 2 { scores[String(fields[0])] = Double(fields[1]) }
    }
    return scores
  }

  private func run(_ command: String) throws {
    let arguments = [Self.python, Self.program, command, directory]
    var pointers = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var identifier = pid_t()
    guard posix_spawn(&identifier, Self.python, nil, nil, &pointers, environ) == 0 else {
      throw BenchmarkError("cannot start \(Self.python)")
    }
    var status: Int32 = 0
    while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
    guard status == 0 else { throw BenchmarkError("\(Self.program) \(command) failed") }
  }

  private func read(_ name: String) throws -> [UInt8] {
    guard let file = fopen("\(directory)/\(name)", "rb") else { throw BenchmarkError("\(Self.program) left no \(name)") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&block, 1, block.count, file)
      guard count > 0 else { return bytes }
      bytes += block[..<count]
    }
  }
}
