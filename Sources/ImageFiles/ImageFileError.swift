/// Why an image cannot be used, in a sentence for whoever named it.
package struct ImageFileError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Kind: Sendable, Equatable {
    /// No such file, or a name that is none.
    case missing
    /// More bytes or pixels than allowed.
    case tooLarge
    /// There is a file, and it is no image that can be read.
    case unusable
  }
  package let kind: Kind
  package let description: String

  package init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
