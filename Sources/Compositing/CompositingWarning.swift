import Synchronization

/// Something that is shown otherwise than a layout asks for, since the machine lacks what it takes.
package enum CompositingWarning: Hashable, Sendable, CustomStringConvertible {
  case noFont
  /// No font has this character.
  case missingLetter(Unicode.Scalar)
  /// An image cannot be used; the sentence says which and why.
  case image(String)

  package var description: String {
    switch self {
    case .noFont: "No font is installed, so no names are shown: install the Debian package fonts-noto-core."
    case .missingLetter(let scalar):
      "No font has the character U+\(String(scalar.value, radix: 16, uppercase: true)): install fonts of its script."
    case .image(let sentence): sentence
    }
  }
}

/// Passes each warning on once.
package final class CompositingWarnings: Sendable {
  private let told = Mutex<Set<CompositingWarning>>([])
  private let report: @Sendable (CompositingWarning) -> Void
  /// More are not passed on: whoever read so many knows.
  private static let countMax = 1000

  /// - Parameter report: called from threads that draw and load, seldom.
  package init(_ report: @escaping @Sendable (CompositingWarning) -> Void = { _ in }) { self.report = report }

  func tell(_ warning: CompositingWarning) {
    let isNew = told.withLock { told in told.count < Self.countMax && told.insert(warning).inserted }
    if isNew { report(warning) }
  }

  /// Lets warnings about images be told again, once their files were looked at again.
  func forgetImages() {
    told.withLock { told in told = told.filter { if case .image = $0 { false } else { true } } }
  }
}
