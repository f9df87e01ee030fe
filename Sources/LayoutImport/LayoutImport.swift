import JSON5
import Layouts

/// What came of another server's layout file.
package struct LayoutImport: Sendable {
  /// A layout in our format.
  package struct File: Equatable, Sendable {
    /// Of 1 to 64 characters fit for a file; `NAME.json` is meant to hold `text`.
    package var name: String
    package var text: String
  }

  /// What is not, or not quite, as it was there.
  package struct Note: Hashable, Sendable, CustomStringConvertible {
    /// Line of the file read, from 1.
    package var line: Int
    package var text: String
    package var description: String { "\(line): \(text)" }
  }

  /// Each is a valid layout file. Names differ.
  package private(set) var files: [File] = []
  /// In the order of the file's lines.
  package private(set) var notes: [Note] = []
  private var shared: [(line: Int, text: String, layouts: [String])] = []

  /// Reads `conference_layouts` of FreeSWITCH (XML) or a room, view or layout of Open WebRTC Toolkit (JSON); the first character
  /// tells which.
  ///
  /// - Parameter name: for a layout that brings no name of its own.
  /// - Throws: why nothing of the file can be used, with line and column.
  package init(reading bytes: [UInt8], name: String) throws(JSONFault) {
    let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }
    if first == UInt8(ascii: "<") {
      try FreeSWITCHLayouts.read(XMLTree.parse(bytes), into: &self)
    } else {
      try OWTLayouts.read(JSONValue(parsing: bytes), name: name, into: &self)
    }
    tellShared()
    guard !files.isEmpty else { throw JSONFault(line: 1, column: 1, message: "no layout was found in this file") }
    notes.sort { $0.line < $1.line }
  }

  /// Of more, nobody would read the rest.
  package static let notesMax = 500

  mutating func note(_ line: Int, _ text: String) {
    let note = Note(line: line, text: text)
    if notes.count < Self.notesMax, !notes.contains(note) { notes.append(note) }
  }

  /// Says once of several layouts what holds for each of them: in the line of the first, with how many there are.
  mutating func note(_ line: Int, of layout: String, _ text: String) {
    if let index = shared.firstIndex(where: { $0.text == text }) {
      if !shared[index].layouts.contains(layout) { shared[index].layouts.append(layout) }
    } else if shared.count < Self.notesMax {
      shared.append((line, text, [layout]))
    }
  }

  private mutating func tellShared() {
    for note in shared {
      let others =
        note.layouts.count == 1 ? "" : note.layouts.count == 2 ? " and 1 other" : " and \(note.layouts.count - 1) others"
      self.note(note.line, "\(quoted(note.layouts[0]))\(others): \(note.text)")
    }
    shared = []
  }

  /// Takes a layout in under a name that is fit for a file and not taken yet.
  ///
  /// - Parameter suffix: what tells it from another of its name.
  mutating func add(_ draft: DraftLayout, line: Int, suffix: String) {
    var draft = draft
    let plain = Self.fileName(draft.name)
    var name = plain
    var count = 2
    while files.contains(where: { $0.name == name }) {
      name = count == 2 ? String(plain.prefix(56)) + suffix : String(plain.prefix(50)) + "\(suffix)-\(count)"
      count += 1
    }
    if name != draft.name { note(line, "\(quoted(draft.name)) became '\(name)', which is free and fit for a file") }
    draft.name = name
    let text = draft.text
    do {
      _ = try LayoutTemplate(parsing: Array(text.utf8), name: name)
      files.append(File(name: name, text: text))
    } catch {
      note(line, "'\(name)' was left out: \(error.faults.first?.message ?? "it has faults")")
    }
  }

  /// `text` with a dash for every character that names of layouts have not.
  static func fileName(_ text: String) -> String {
    let allowed = text.unicodeScalars.map { scalar -> Character in
      switch scalar {
      case "A"..."Z", "a"..."z", "0"..."9", ".", "_", "-": Character(scalar)
      default: "-"
      }
    }
    let name = String(allowed.drop { $0 == "." }.prefix(64))
    return name.isEmpty || name == "schema" ? "layout" : name
  }
}
