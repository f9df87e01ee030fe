import Foundation
import Testing

/// What is promised in the documents and what the sources have, name by name.
@Suite struct DocumentationTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL

  private func files(_ ending: String) throws -> [String] {
    let sources = Self.root.appending(path: "Sources")
    let paths = try FileManager.default.subpathsOfDirectory(atPath: sources.path).filter { $0.hasSuffix(ending) }
    return try paths.map { try String(contentsOf: sources.appending(path: $0), encoding: .utf8) }
  }

  private func names(_ pattern: Regex<(Substring, Substring)>, in texts: [String]) -> Set<String> {
    Set(texts.flatMap { $0.matches(of: pattern).map { String($0.1) } })
  }

  @Test func everyMetricIsDocumentedAndExists() throws {
    let made = names(#/"(tutti_[a-z_]+)"/#, in: try files(".swift"))
    let described = names(#/`(tutti_[a-z_]+)`/#, in: try files(".md"))
    #expect(made.count > 30 && made == described, "\(made.symmetricDifference(described).sorted())")
  }

  @Test func everyStatisticOfAParticipantIsDescribedAndExists() throws {
    let room = try String(contentsOf: Self.root.appending(path: "Sources/Conference/Room.swift"), encoding: .utf8)
    let made = names(#/\("([a-zA-Z]+)", /#, in: [room])
    let document = try Data(contentsOf: Self.root.appending(path: "Sources/ControlAPI/Page/openapi.json"))
    let path = ["components", "schemas", "Participant", "properties", "stats", "properties"]
    let stats = path.reduce(try JSONSerialization.jsonObject(with: document) as Any?) { ($0 as? [String: Any])?[$1] }
    let described = Set(try #require(stats as? [String: Any]).keys)
    #expect(made.count > 30 && made == described, "\(made.symmetricDifference(described).sorted())")
  }
}
