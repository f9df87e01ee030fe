import Compositing
import Layouts

/// A canvas with made-up people on which a layout is looked at.
package struct PreviewCanvas: Hashable, Sendable {
  package enum Format: Sendable { case png, svg }
  package var people: PreviewPeople
  /// Pixels.
  package var width: Int
  package var height: Int
  package var format: Format

  package init(_ people: PreviewPeople, width: Int = 640, height: Int = 360, format: Format = .png) {
    (self.people, self.width, self.height, self.format) = (people, width, height, format)
  }

  package static let widths = 64...3840
  package static let heights = 64...2160

  /// - Parameter resources: text and images; images are waited for.
  package func draw(_ template: LayoutTemplate, _ resources: CanvasResources) -> [UInt8] {
    let preview = LayoutPreview(template, people, width: width, height: height)
    switch format {
    case .png: return PNGEncoder.encode(preview.picture(resources))
    case .svg: return Array(preview.svg.utf8)
    }
  }
}

extension PreviewCanvas {
  /// What may be said of a preview, in queries and in options: each name with how it is read. `nil` is a value that cannot be.
  package enum Word: String, CaseIterable, Sendable {
    case participants, size, floor, screen, cameras, roles, slots

    /// What a value is to be, for whoever wrote another.
    package var allowed: String {
      switch self {
      case .participants, .cameras: "a whole number from 0 to \(PreviewPeople.countMax)"
      case .size: "WIDTHxHEIGHT, 64x64 to 3840x2160"
      case .floor, .screen: "the number of somebody, from 1, or 0 for nobody"
      case .roles: "the roles of the first people, such as host,,guest: each of A-Z a-z 0-9 . _ -"
      case .slots: "the slots or keys that the first people were given, such as main,,interpreter"
      }
    }
  }

  /// - Returns: false where the value is none.
  package mutating func set(_ word: Word, _ value: String) -> Bool {
    switch word {
    case .participants:
      guard let count = Self.number(value) else { return false }
      people.count = count
    case .cameras:
      guard let count = Self.number(value) else { return false }
      people.cameras = count
    case .floor:
      guard let number = Self.number(value) else { return false }
      people.floor = number == 0 ? nil : number - 1
    case .screen:
      guard let number = Self.number(value) else { return false }
      people.screen = number == 0 ? nil : number - 1
    case .size:
      guard let size = Self.size(value) else { return false }
      (width, height) = size
    case .roles:
      guard let roles = Self.list(value) else { return false }
      people.roles = roles
    case .slots:
      guard let slots = Self.list(value) else { return false }
      people.slots = slots
    }
    return true
  }

  /// What in it contradicts itself, once all words are set: the word and a sentence; nil where nothing does.
  package var contradiction: (word: Word, sentence: String)? {
    func fault(_ word: Word, _ index: Int?) -> (word: Word, sentence: String)? {
      // The first has the floor where nothing is said, though nobody may be there.
      guard let index, index >= people.count, index > 0 || word == .screen else { return nil }
      return (word, "person \(index + 1) is not there, participants: \(people.count)")
    }
    return fault(.floor, people.floor) ?? fault(.screen, people.screen)
  }

  /// The sides of a canvas such as `1280x720`.
  package static func size(_ text: String) -> (width: Int, height: Int)? {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard sides.count == 2, widths.contains(sides[0]), heights.contains(sides[1]) else { return nil }
    return (sides[0], sides[1])
  }

  private static func number(_ text: String) -> Int? {
    Int(text).flatMap { (0...PreviewPeople.countMax).contains($0) ? $0 : nil }
  }

  /// Names between commas, some of them empty.
  private static func list(_ text: String) -> [String]? {
    let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    return names.count <= PreviewPeople.countMax && names.allSatisfy { $0.utf8.count <= 64 } ? names : nil
  }
}
