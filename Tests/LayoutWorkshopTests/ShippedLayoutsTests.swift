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
