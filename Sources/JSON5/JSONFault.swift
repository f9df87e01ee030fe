/// Where something stands in a text: both from 1, columns in Unicode scalars.
package struct SourcePosition: Hashable, Comparable, Sendable {
  package var line: Int
  package var column: Int

  package init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  package static func < (a: SourcePosition, b: SourcePosition) -> Bool { (a.line, a.column) < (b.line, b.column) }
}

/// What is wrong with a text, where, and what to do about it.
package struct JSONFault: Error, Hashable, Sendable, CustomStringConvertible {
  package var line: Int
  package var column: Int
  /// A sentence without a full stop, fit to stand behind `FILE:LINE:COLUMN: `.
  package var message: String

  package init(line: Int, column: Int, message: String) {
    self.line = line
    self.column = column
    self.message = message
  }

  package init(_ position: SourcePosition, _ message: String) {
    self.init(line: position.line, column: position.column, message: message)
  }

  package var position: SourcePosition { SourcePosition(line: line, column: column) }
  /// `LINE:COLUMN: message`
  package var description: String { "\(line):\(column): \(message)" }
}
