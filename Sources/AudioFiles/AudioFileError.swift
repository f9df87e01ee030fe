/// Why a sound cannot be played, in a sentence for whoever named it.
package struct AudioFileError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Kind: Sendable, Equatable {
    /// No such file, or a name that is none.
    case missing
    /// There is a file, and it cannot be used.
    case unusable
  }
  package let kind: Kind
  package let description: String

  init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
