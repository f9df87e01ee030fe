import Glibc
import RealTime
import JSON5
import Synchronization

package enum LogLevel: String, Sendable, CaseIterable, Comparable {
  case debug, info, warning, error

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  package static func < (a: LogLevel, b: LogLevel) -> Bool { a.rank < b.rank }
}

package enum LogFormat: String, Sendable, CaseIterable {
  /// `TIME level message key=value`
  case text
  /// One object a line.
  case json
}

/// Lines on standard error, one each whatever they contain: line ends and control characters of strangers are escaped.
package final class Log: Sendable {
  private let level: LogLevel
  private let format: LogFormat
  private let write: @Sendable ([UInt8]) -> Void
  private let now: @Sendable () -> Int64
  /// Held while a line is written, so that lines of several threads do not mix.
  private let turn = Mutex(())

  /// - Parameters:
  ///   - write: takes whole lines.
  ///   - now: nanoseconds since 1970.
  package init(
    level: LogLevel = .info, format: LogFormat = .text, write: @escaping @Sendable ([UInt8]) -> Void = writeToStandardError,
    now: @escaping @Sendable () -> Int64 = { WallClock.unixNanoseconds() }
  ) {
    self.level = level
    self.format = format
    self.write = write
    self.now = now
  }

  package func debug(_ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, String> = [:]) {
    log(.debug, message, fields)
  }
  package func info(_ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, String> = [:]) {
    log(.info, message, fields)
  }
  package func warning(_ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, String> = [:]) {
    log(.warning, message, fields)
  }
  package func error(_ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, String> = [:]) {
    log(.error, message, fields)
  }

  private func log(_ level: LogLevel, _ message: () -> String, _ fields: KeyValuePairs<String, String>) {
    guard level >= self.level else { return }
    let line =
      switch format {
      case .text: textLine(level, message(), fields)
      case .json: jsonLine(level, message(), fields)
      }
    turn.withLock { _ in write(line) }
  }

  private func textLine(_ level: LogLevel, _ message: String, _ fields: KeyValuePairs<String, String>) -> [UInt8] {
    var line = "\(rfc3339(unixNanoseconds: now())) \(level.rawValue) \(onOneLine(message))"
    for (key, value) in fields {
      let isPlain =
        !value.isEmpty
        && value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
      line += isPlain ? " \(key)=\(value)" : " \(key)=\"\(onOneLine(value).replacingQuotes())\""
    }
    return Array((line + "\n").utf8)
  }

  private func jsonLine(_ level: LogLevel, _ message: String, _ fields: KeyValuePairs<String, String>) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("time", rfc3339(unixNanoseconds: now()))
    writer.member("level", level.rawValue)
    writer.member("message", message)
    for (key, value) in fields { writer.member(key, value) }
    writer.endObject()
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}

/// The text with everything escaped that could end a line or steer a terminal.
package func onOneLine(_ text: String) -> String {
  var line = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator:
      line.append(contentsOf: "\\u{\(String(scalar.value, radix: 16, uppercase: true))}".unicodeScalars)
    default: line.append(scalar)
    }
  }
  return String(line)
}

extension String {
  fileprivate func replacingQuotes() -> String { map { $0 == "\"" ? "\\\"" : String($0) }.joined() }
}

@Sendable package func writeToStandardError(_ line: [UInt8]) {
  var rest = line[...]
  while !rest.isEmpty {
    let written = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    // A full or closed standard error must not stop the server.
    guard written > 0 else { return }
    rest = rest.dropFirst(written)
  }
}
