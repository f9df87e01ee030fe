import Foundation
import Layouts
import Testing

/// The files in `Layouts/`, found from this file's own place.
enum ShippedLayouts {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Layouts")

  static let names: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return files.filter { $0.hasSuffix(".json") && $0 != "schema.json" }.map { String($0.dropLast(5)) }.sorted()
  }()

  static func template(_ name: String) throws -> LayoutTemplate {
    let bytes = try [UInt8](Data(contentsOf: folder.appending(path: "\(name).json")))
    return try LayoutTemplate(parsing: bytes, name: name)
  }
}

@Suite struct ShippedLayoutTests {
  static let canvases = [(1920, 1080), (1280, 720), (640, 360), (320, 180), (720, 1280), (500, 500)]

  private func people(_ count: Int) -> [LayoutPerson] {
    (0..<count).map { LayoutPerson(id: "p\($0)", hasFloor: $0 == 0, sharesScreen: $0 == 1) }
  }

  @Test func gridAndSpeakerAreAmongThem() {
    #expect(Set(ShippedLayouts.names).isSuperset(of: ["grid", "speaker", "single", "side-by-side", "picture-in-picture"]))
  }

  @Test(arguments: ShippedLayouts.names)
  func aFileIsNamedAsItSays(name: String) throws {
    #expect(try ShippedLayouts.template(name).name == name)
  }

  @Test(arguments: ShippedLayouts.names)
  func tilesLieOnTheCanvasAndOverlapOnlyWithAnotherZ(name: String) throws {
    let template = try ShippedLayouts.template(name)
    for (width, height) in Self.canvases {
      for count in 1...60 {
        var solver = LayoutSolver(template)
        solver.arrange(people(count))
        let tiles = solver.tiles(width: width, height: height)
        #expect(!tiles.isEmpty)
        for tile in tiles {
          let box = tile.rectangle
          #expect(box.x >= 0 && box.y >= 0 && box.right <= width && box.bottom <= height && box.width > 0 && box.height > 0)
          for other in tiles where other.slot > tile.slot && other.z == tile.z {
            let isApart =
              other.rectangle.x >= box.right || box.x >= other.rectangle.right || other.rectangle.y >= box.bottom
              || box.y >= other.rectangle.bottom
            #expect(isApart, "\(name) \(count) \(width)x\(height): slots \(tile.slot) and \(other.slot)")
          }
        }
        let shown = tiles.compactMap { if case .person(let id) = $0.content { id } else { nil } }
        #expect(Set(shown).count == shown.count, "nobody is shown twice")
        #expect(shown.contains("p0"), "who has the floor is always shown")
        if let more = tiles.compactMap({ if case .more(let count) = $0.content { count } else { nil } }).first {
          #expect(more + shown.count == count && more > 1)
        }
      }
    }
  }

  @Test(arguments: [4, 9, 16, 25, 36, 49])
  func fullGridsLeaveNoPixelFree(count: Int) throws {
    for (width, height) in Self.canvases {
      var solver = LayoutSolver(try ShippedLayouts.template("grid"))
      solver.arrange(people(count))
      let tiles = solver.tiles(width: width, height: height)
      #expect(tiles.count == count)
      #expect(tiles.map { $0.rectangle.width * $0.rectangle.height }.reduce(0, +) == width * height)
    }
  }

  @Test(arguments: [6, 8, 10])
  func theSpeakersLargerVariantsLeaveNoPixelFree(count: Int) throws {
    for (width, height) in Self.canvases {
      var solver = LayoutSolver(try ShippedLayouts.template("speaker"))
      solver.arrange(people(count))
      let tiles = solver.tiles(width: width, height: height)
      #expect(tiles.map { $0.rectangle.width * $0.rectangle.height }.reduce(0, +) == width * height)
    }
  }
}
