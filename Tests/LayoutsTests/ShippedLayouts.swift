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

  @Test func allPromisedOnesAreThere() {
    #expect(
      Set(ShippedLayouts.names).isSuperset(of: [
        "grid", "speaker", "presenter", "side-by-side", "picture-in-picture", "stage", "interview", "gallery-7x7", "single",
        "portrait", "audio-only",
      ]))
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
        var solver = LayoutSolver(template, width: width, height: height)
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

  /// As the compositor draws them: edges on the even pixel at or before them, which chroma needs.
  private func even(_ box: PixelRectangle) -> PixelRectangle {
    PixelRectangle(x: box.x & ~1, y: box.y & ~1, width: box.right & ~1 - box.x & ~1, height: box.bottom & ~1 - box.y & ~1)
  }

  @Test(arguments: ShippedLayouts.names)
  func neighboursShareEvenEdges(name: String) throws {
    let template = try ShippedLayouts.template(name)
    for (width, height) in Self.canvases {
      for count in 1...60 {
        var solver = LayoutSolver(template, width: width, height: height)
        solver.arrange(people(count))
        let slots = solver.places
        let tiles = solver.tiles(width: width, height: height).sorted { $0.slot < $1.slot }
        let seen = tiles.filter { !$0.style.isCircle }
        for (index, tile) in seen.enumerated() {
          let box = even(tile.rectangle)
          #expect(box.width >= 8 && box.height >= 8 && box.right <= width && box.bottom <= height)
          for other in seen[(index + 1)...] {
            let (a, b) = (slots[tile.slot], slots[other.slot])
            if abs(a.x + a.width - b.x) < 1e-6 { #expect(box.right == even(other.rectangle).x) }
            if abs(b.x + b.width - a.x) < 1e-6 { #expect(box.x == even(other.rectangle).right) }
            if abs(a.y + a.height - b.y) < 1e-6 { #expect(box.bottom == even(other.rectangle).y) }
          }
        }
      }
    }
  }

  @Test(arguments: ShippedLayouts.names)
  func aSharedScreenIsShownWhereThereIsAPlaceForOneAndNoPlaceStandsEmpty(name: String) throws {
    let template = try ShippedLayouts.template(name)
    for (width, height) in Self.canvases {
      for count in 1...60 {
        for isSharing in [false, true] {
          var solver = LayoutSolver(template, width: width, height: height)
          solver.arrange((0..<count).map { LayoutPerson(id: "p\($0)", hasFloor: $0 == 0, sharesScreen: isSharing && $0 == 0) })
          let tiles = solver.tiles(width: width, height: height)
          let index = try #require(solver.variantIndex)
          let screen = template.variants[index].slots.firstIndex { $0.source == .screen }
          let hasPlace = template.variants.contains { $0.slots.contains { $0.source == .screen } }
          #expect((screen != nil) == (hasPlace && isSharing), "\(name) \(count) \(width)x\(height)")
          if let screen { #expect(tiles.first { $0.slot == screen }?.content == .person("p0")) }
        }
      }
    }
  }

  @Test(arguments: ShippedLayouts.names)
  func circlesAreRound(name: String) throws {
    for (width, height) in Self.canvases {
      var solver = LayoutSolver(try ShippedLayouts.template(name), width: width, height: height)
      solver.arrange(people(5))
      for tile in solver.tiles(width: width, height: height) where tile.style.isCircle {
        #expect(tile.rectangle.width == tile.rectangle.height)
        #expect(abs(tile.style.radius * tile.pixelsPerUnit * 2 - Double(tile.rectangle.width)) < 1e-6)
      }
    }
  }

  @Test(arguments: [4, 9, 16, 25, 36, 49])
  func fullGridsLeaveNoPixelFree(count: Int) throws {
    for (width, height) in Self.canvases {
      var solver = LayoutSolver(try ShippedLayouts.template("grid"), aspect: .landscape)
      solver.arrange(people(count))
      let tiles = solver.tiles(width: width, height: height)
      #expect(tiles.count == count)
      #expect(tiles.map { $0.rectangle.width * $0.rectangle.height }.reduce(0, +) == width * height)
    }
  }

  @Test(arguments: [6, 8, 10])
  func theSpeakersLargerVariantsLeaveNoPixelFree(count: Int) throws {
    for (width, height) in Self.canvases {
      var solver = LayoutSolver(try ShippedLayouts.template("speaker"), aspect: .landscape)
      solver.arrange(people(count))
      let tiles = solver.tiles(width: width, height: height)
      #expect(tiles.map { $0.rectangle.width * $0.rectangle.height }.reduce(0, +) == width * height)
    }
  }
}
