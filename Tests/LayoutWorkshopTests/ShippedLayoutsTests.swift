import Foundation
import LayoutWorkshop
import Layouts
import Testing

/// The program has every layout of `Layouts/`, as it stands there.
@Test func everyLayoutOfTheTreeComesWithTheServer() throws {
  let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Layouts")
  let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0 != "schema.json" }
  #expect(ShippedLayouts.names == files.compactMap(LayoutFileNames.layout).sorted())
  for file in files {
    let text = try Data(contentsOf: folder.appending(path: file))
    #expect(ShippedLayouts.text(of: LayoutFileNames.layout(of: file) ?? "").map { Data($0) } == text, "\(file)")
  }
  #expect(ShippedLayouts.text(of: "mine") == nil)
}

@Test func aLayoutThatWasChangedOrDeletedComesBackAndWhatWasChangedIsKept() throws {
  let directory = FileManager.default.temporaryDirectory.appending(path: "tutti-restore-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: directory) }
  let folder = LayoutFolder(directory: directory.path)
  let file = directory.appending(path: "grid.json")
  let shipped = try #require(ShippedLayouts.text(of: "grid"))
  #expect(try folder.restore("grid") == .written(file.path))
  #expect(try Array(Data(contentsOf: file)) == shipped)
  #expect(try folder.restore("grid") == .unchanged(file.path))
  // Not even JSON.
  try Data("mine {".utf8).write(to: file)
  #expect(try folder.restore("grid") == .replaced(file.path, kept: file.path + "~"))
  #expect(try Array(Data(contentsOf: file)) == shipped)
  #expect(try String(contentsOf: directory.appending(path: "grid.json~"), encoding: .utf8) == "mine {")
  #expect(try folder.filesByLayout() == ["grid": "grid.json"], "what is kept is no layout")
  // Where an author chose the other ending, that is the file.
  try FileManager.default.moveItem(at: file, to: directory.appending(path: "speaker.json5"))
  guard case .replaced(let path, _) = try folder.restore("speaker") else { return #expect(Bool(false), "it was not replaced") }
  #expect(path.hasSuffix("/speaker.json5"))
  let unknown = #expect(throws: LayoutFolderError.self) { try folder.restore("../grid") }
  #expect(unknown?.description.contains("these did: audio-only, gallery-7x7, grid") == true)
  let new = LayoutFolder(directory: directory.path + "/new")
  #expect(try new.restore("grid") == .written(new.directory + "/grid.json"), "who has the program alone has layouts")
  let tooDeep = LayoutFolder(directory: directory.path + "/none/deeper")
  #expect(throws: LayoutFolderError.self) { try tooDeep.restore("grid") }
}
