import Foundation
import ImageFiles
import Testing

@Suite struct FolderTests {
  private func withFolder(_ body: (URL, ImageFolder) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "tutti-images-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url.appending(path: "in"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    try body(url, ImageFolder(url.appending(path: "in").path))
  }

  @Test func filesBelowTheFolderAreRead() throws {
    try withFolder { url, folder in
      try FileManager.default.createDirectory(at: url.appending(path: "in/people"), withIntermediateDirectories: true)
      try Data([1, 2, 3]).write(to: url.appending(path: "in/people/ada.png"))
      let (bytes, stamp) = try folder.read("people/ada.png", bytesMax: 3)
      #expect(bytes == [1, 2, 3] && folder.stamp("people/ada.png") == stamp)
      try Data([1, 2, 3, 4]).write(to: url.appending(path: "in/people/ada.png"))
      #expect(folder.stamp("people/ada.png") != stamp)
      #expect { try folder.read("people/ada.png", bytesMax: 3) } throws: { ($0 as? ImageFileError)?.kind == .tooLarge }
    }
  }

  @Test func nothingOutsideIsOpened() throws {
    try withFolder { url, folder in
      try Data([1]).write(to: url.appending(path: "secret.png"))
      try FileManager.default.createSymbolicLink(
        at: url.appending(path: "in/link.png"), withDestinationURL: url.appending(path: "secret.png"))
      for name in [
        "../secret.png", "/etc/passwd", "", ".", "..", "a/../../secret.png", "./a", "a//b", "link.png", "a\0b", "a\nb", "in\\x",
        ".hidden", "missing.png", String(repeating: "x", count: 256),
      ] {
        #expect(throws: ImageFileError.self, "\(name)") { try folder.read(name, bytesMax: 100) }
        #expect(folder.stamp(name) == nil)
      }
      #expect(throws: ImageFileError.self) { try ImageFolder(url.path).read("in", bytesMax: 100) }
    }
  }
}
