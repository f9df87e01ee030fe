/// Why a text is not a session description: which line, and what its writer should change.
public struct SDPError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What sort of fault it is.
  public enum Code: Hashable, Sendable {
    /// The text, a line or a count is beyond ``SDPLimits``.
    case tooLarge
    /// The bytes are not UTF-8, or hold NUL or a carriage return inside a line.
    case notText
    /// A line is not `type=value`, or has a type RFC 8866 does not know.
    case malformedLine
    /// A line or attribute we know holds a value we cannot read.
    case malformedValue
    /// A line that must be there is not.
    case missingLine
  }

  /// What sort of fault it is.
  public var code: Code
  /// The line the fault is in, from 1; 0 when the text as a whole is at fault.
  public var line: Int
  /// What is wrong and what to do, as one sentence without the line number. Holds visible ASCII only of the peer's text.
  public var sentence: String

  public init(_ code: Code, line: Int, _ sentence: String) {
    self.code = code
    self.line = line
    self.sentence = sentence
  }

  public var description: String { line > 0 ? "line \(line): \(sentence)" : sentence }
}

/// How much of a description is read before it is refused.
public struct SDPLimits: Hashable, Sendable {
  /// Size of the whole text in bytes.
  public var byteCount: Int
  /// Size of one line in bytes, without its end.
  public var lineByteCount: Int
  /// Number of `m=` lines.
  public var mediaCount: Int
  /// Number of `a=` lines of the session part, and of each media part.
  public var attributeCountPerSection: Int

  public init(
    byteCount: Int = 65_536, lineByteCount: Int = 8_192, mediaCount: Int = 64, attributeCountPerSection: Int = 1_024
  ) {
    self.byteCount = byteCount
    self.lineByteCount = lineByteCount
    self.mediaCount = mediaCount
    self.attributeCountPerSection = attributeCountPerSection
  }
}
