import Foundation
import Layouts
import Testing

/// What the guide shows is what the server takes.
@Suite struct DocumentationTests {
  private static let guide = ShippedLayouts.folder.deletingLastPathComponent()
    .appending(path: "Sources/Layouts/Layouts.docc/LayoutFiles.md")

  /// The text between fences; a part of a file is made whole.
  private static func examples() throws -> [String] {
    let parts = try String(contentsOf: guide, encoding: .utf8).components(separatedBy: "```\n")
    return stride(from: 1, to: parts.count, by: 2).map { index in
      let text = parts[index].trimmingCharacters(in: .whitespacesAndNewlines)
      return text.hasPrefix("{") ? text : "{\(text)}"
    }
  }

  @Test func everyExampleIsALayoutWithoutAFault() throws {
    let examples = try Self.examples()
    #expect(examples.count >= 7)
    for example in examples {
      let review = LayoutReview(Array(example.utf8), name: "example")
      #expect(review.faults.isEmpty, "\(review.faults.map(\.description)) in \(example.prefix(200))")
    }
  }

  @Test func everyKeyOfTheLanguageIsExplained() throws {
    let text = try String(contentsOf: Self.guide, encoding: .utf8)
    for key in Set(layoutKeys.values.flatMap { $0 }).sorted() {
      #expect(
        text.contains("`\(key)") || text.contains("\(key)`") || text.contains("\"\(key)\"") || text.contains(" \(key) "),
        "\(key) is not explained")
    }
  }
}
