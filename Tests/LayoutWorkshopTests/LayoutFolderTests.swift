import Foundation
import LayoutWorkshop
import Layouts
import Testing

/// A directory of layouts of a test's own; gone with its owner.
final class Folder: Sendable {
  let layouts: LayoutFolder

  init(_ texts: [String: String] = ["grid.json": Folder.grid]) throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "tutti-folder-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    layouts = LayoutFolder(directory: directory.path)
    for (file, text) in texts { try write(text, file) }
    try? layouts.loadAll { _ in }
  }

  deinit { try? FileManager.default.removeItem(atPath: layouts.directory) }

  static let grid = "{ variants: [{ grid: { columns: 2, rows: 2 } }] }\n"
  static let speaker = "{ variants: [{ slots: [{ x: 0, y: 0, width: 360, height: 360, source: 'floor' }] }] }\n"

  func write(_ text: String, _ file: String) throws {
    try Data(text.utf8).write(to: URL(filePath: "\(layouts.directory)/\(file)"))
  }
  func read(_ file: String) -> String? {
    (try? Data(contentsOf: URL(filePath: "\(layouts.directory)/\(file)"))).map { String(decoding: $0, as: UTF8.self) }
  }
  var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: layouts.directory)) ?? []).sorted() }
}

@Suite struct LayoutFolderTests {
  private func save(_ folder: Folder, _ name: String, _ text: String, _ mayReplace: ([UInt8]?) -> Bool = { _ in true }) throws
    -> Bool
  {
    try folder.layouts.save(name, Array(text.utf8), mayReplace: mayReplace).isNew
  }

  @Test func ofADirectoryItsLayoutsAreMeant() throws {
    let folder = try Folder(["wide.json5": Folder.grid, "grid.json": Folder.grid, "schema.json": "{}", "logo.png": ""])
    let directory = folder.layouts.directory
    #expect(try LayoutFolder.files(at: directory) == ["\(directory)/grid.json", "\(directory)/wide.json5"])
    #expect(try LayoutFolder.files(at: directory + "/") == ["\(directory)/grid.json", "\(directory)/wide.json5"])
    #expect(try LayoutFolder.files(at: "\(directory)/logo.png") == ["\(directory)/logo.png"])
    #expect(try LayoutFolder.files(at: "/nowhere/grid.json") == ["/nowhere/grid.json"])
    let empty = try Folder(["logo.png": ""])
    #expect(throws: LayoutFolderError.self) { try LayoutFolder.files(at: empty.layouts.directory) }
  }

  @Test func aNewLayoutIsAFileAndInTheLibraryAtOnce() throws {
    let folder = try Folder()
    #expect(try save(folder, "speaker", Folder.speaker))
    #expect(folder.files == ["grid.json", "speaker.json"])
    #expect(folder.read("speaker.json") == Folder.speaker)
    #expect(folder.layouts.library.names == ["grid", "speaker"])
    #expect(folder.layouts.text(of: "speaker") == Array(Folder.speaker.utf8))
  }

  @Test func aSavedLayoutKeepsItsFileItsEndingAndItsRights() throws {
    let folder = try Folder(["wide.json5": Folder.grid])
    let path = "\(folder.layouts.directory)/wide.json5"
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
    #expect(try !save(folder, "wide", Folder.speaker))
    #expect(folder.files == ["wide.json5"])
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o640)
  }

  @Test func aDeletedLayoutIsGoneOnceAndToldOnce() throws {
    let folder = try Folder(["grid.json": Folder.grid, "speaker.json": Folder.speaker])
    #expect(throws: LayoutFolderError.self) { try folder.layouts.delete("grid") { _ in false } }
    #expect(folder.files == ["grid.json", "speaker.json"])
    let change = try folder.layouts.delete("grid") { $0 == Array(Folder.grid.utf8) }
    guard case .deleted? = change else { Issue.record("\(String(describing: change))"); return }
    #expect(folder.files == ["speaker.json"] && folder.layouts.lookAtAll().isEmpty)
    for name in ["grid", "schema", "../speaker", ""] {
      #expect(throws: LayoutFolderError.self, "\(name)") { try folder.layouts.delete(name) { _ in true } }
    }
  }

  @Test func whoeverReadTheOldFileStillHasItWhole() throws {
    let folder = try Folder()
    let old = try FileHandle(forReadingFrom: URL(filePath: "\(folder.layouts.directory)/grid.json"))
    _ = try save(folder, "grid", Folder.speaker)
    #expect(try old.readToEnd() == Data(Folder.grid.utf8))
  }

  @Test func whatAKilledServerLeftIsInNobodysWay() throws {
    let folder = try Folder()
    try folder.write("half", ".grid.json.tmp")
    #expect(folder.layouts.lookAtAll().isEmpty)
    _ = try save(folder, "grid", Folder.speaker)
    #expect(folder.files == ["grid.json"])
  }

  @Test(arguments: ["..", ".", ".hidden", "schema", "a/b", "../grid", "a\0b", "", "a b", String(repeating: "x", count: 65)])
  func aNameThatIsAPathOrNoLayoutIsRefused(name: String) throws {
    let folder = try Folder()
    #expect(throws: LayoutFolderError.self) { try save(folder, name, Folder.speaker) }
    #expect(folder.files == ["grid.json"])
  }

  @Test func aChangeOfSomebodyElseIsNotOverwritten() throws {
    let folder = try Folder()
    try folder.write(Folder.speaker, "grid.json")
    do {
      _ = try save(folder, "grid", Folder.grid) { $0 == Array(Folder.grid.utf8) }
      Issue.record("it was overwritten")
    } catch let error as LayoutFolderError { #expect(error.kind == .stale) }
    #expect(folder.read("grid.json") == Folder.speaker)
    #expect(throws: LayoutFolderError.self) { try save(folder, "new", Folder.grid) { $0 != nil } }
  }

  @Test func aDirectoryThatIsGoneIsSaidAndKeepsWhatWasRead() throws {
    let folder = try Folder()
    try FileManager.default.removeItem(atPath: folder.layouts.directory)
    #expect(throws: LayoutFolderError.self) { try save(folder, "grid", Folder.speaker) }
    #expect(!folder.layouts.isWritable && folder.layouts.library.names == ["grid"])
  }

  @Test func whoLooksSecondFindsNothingNew() throws {
    let folder = try Folder()
    guard case .read = try folder.layouts.save("grid", Array(Folder.speaker.utf8), mayReplace: { _ in true }).change else {
      Issue.record("the change was not seen")
      return
    }
    #expect(folder.layouts.look(at: ["grid"]).isEmpty)
    #expect(folder.layouts.lookAtAll().isEmpty)
  }

  @Test func aFaultyFileIsToldOnceAndChangesNothing() throws {
    let folder = try Folder()
    try folder.write("{ variants: [] }", "grid.json")
    let changes = folder.layouts.lookAtAll()
    guard case .faulty(let faults) = changes.first?.change else {
      Issue.record("no fault was seen")
      return
    }
    #expect(faults == ["\(folder.layouts.directory)/grid.json:1:13: a layout has at least one variant"])
    #expect(folder.layouts.lookAtAll().isEmpty)
    #expect(folder.layouts.faultyNames == ["grid"])
    #expect(folder.layouts.library.template("grid")?.variants[0].slots.count == 4)
    try folder.write(Folder.speaker, "grid.json")
    #expect(folder.layouts.lookAtAll().count == 1 && folder.layouts.faultyNames.isEmpty)
  }

  @Test func aFileThatIsGoneIsToldOnce() throws {
    let folder = try Folder()
    try FileManager.default.removeItem(atPath: "\(folder.layouts.directory)/grid.json")
    guard case .deleted = folder.layouts.lookAtAll().first?.change else {
      Issue.record("it was not missed")
      return
    }
    #expect(folder.layouts.lookAtAll().isEmpty)
  }

  @Test func onlySoManyLayoutsAreMade() throws {
    let files = Dictionary(uniqueKeysWithValues: (0..<LayoutFolder.layoutsMax).map { ("l\($0).json", Folder.grid) })
    let folder = try Folder(files)
    #expect(throws: LayoutFolderError.self) { try save(folder, "one-more", Folder.grid) }
    #expect(try !save(folder, "l7", Folder.speaker))
  }
}
