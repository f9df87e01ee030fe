import Compositing
import Foundation
import Layouts
import PixelKernels
import RawMedia
import Testing

/// Every shipped layout with made-up pictures and no text, at all sizes: what comes out is the same on every machine and with every
/// set of kernels. `TUTTI_RECORD_DIGESTS=1 ./dev test --filter GoldenTests` writes the digests anew after a change that is meant.
@Suite struct GoldenTests {
  static let canvases = [(1920, 1080), (1280, 720), (640, 360), (320, 180), (720, 1280), (500, 500)]
  static let counts = [1, 2, 3, 4, 6, 9, 13, 26, 60]

  private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  private static let fixture = tests.appending(path: "Fixtures/digests.txt")

  private static func templates() throws -> [LayoutTemplate] {
    let folder = tests.appending(path: "../../Layouts").standardizedFileURL
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      .filter { $0.hasSuffix(".json") && $0 != "schema.json" }.map { try Shipped.template(String($0.dropLast(5))) }
  }

  /// A plain border around a slope of light, each of another colour, some turned: enough to see whether a pixel is out of place.
  private static let pictures: [Picture] = [(640, 360), (1280, 720), (360, 640), (641, 359), (160, 120), (17, 31)].enumerated()
    .map { index, size in
      let picture = Picture(width: size.0, height: size.1)
      picture.fill(YUVColor(y: 0, u: UInt8(70 + 20 * index), v: UInt8(190 - 20 * index)))
      for y in 0..<size.1 {
        for x in 0..<size.0 {
          picture.luma[y * picture.lumaStride + x] = UInt8(16 + (3 * x + 5 * y + x * y / 64) % 220)
        }
      }
      return picture
    }

  private static func scene(_ template: LayoutTemplate, _ count: Int, _ width: Int, _ height: Int) -> Scene {
    var solver = LayoutSolver(template, width: width, height: height)
    solver.arrange(
      (0..<count).map { LayoutPerson(id: "p\($0)", role: $0 == 0 ? "host" : nil, hasFloor: $0 == 1, sharesScreen: $0 == 2) })
    var people: [String: SceneParticipant] = [:]
    for index in 0..<count {
      people["p\(index)"] = SceneParticipant(
        name: "p\(index)", picture: index % 5 == 4 ? nil : pictures[index % pictures.count],
        rotationDegrees: index % 7 == 6 ? 90 : 0, isSpeaking: index == 1, isFrozen: index == 3)
    }
    let tiles = solver.tiles(width: width, height: height).map { tile in
      var tile = tile
      tile.style.label = nil
      tile.style.placeholder.kind = .color
      if case .more = tile.content { tile.content = .empty }
      return tile
    }
    return Scene(tiles: tiles, participants: people, background: template.background.color)
  }

  /// FNV-1a over the samples that are seen, eight at a time.
  private static func digest(_ picture: Picture) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ plane: UnsafeMutablePointer<UInt8>, _ stride: Int, _ width: Int, _ height: Int) {
      for y in 0..<height {
        let row = UnsafeRawPointer(plane + y * stride)
        for x in Swift.stride(from: 0, to: width & ~7, by: 8) {
          hash = (hash ^ UInt64(littleEndian: row.loadUnaligned(fromByteOffset: x, as: UInt64.self))) &* 0x100_0000_01B3
          hash ^= hash >> 29
        }
        for x in width & ~7..<width { hash = (hash ^ UInt64(plane[y * stride + x])) &* 0x100_0000_01B3 }
      }
    }
    add(picture.luma, picture.lumaStride, picture.width, picture.height)
    add(picture.chromaBlue, picture.chromaStride, picture.chromaWidth, picture.chromaHeight)
    add(picture.chromaRed, picture.chromaStride, picture.chromaWidth, picture.chromaHeight)
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func digests(_ kernels: KernelSet, counts: [Int] = counts) throws -> [String] {
    let resources = CanvasResources()
    return try canvases.flatMap { width, height in
      var compositor = Compositor(width: width, height: height, resources: resources, kernels: kernels)
      return try templates().flatMap { template in
        counts.map { count in
          let picture = compositor.compose(scene(template, count, width, height)).picture
          return "\(template.name) \(width)x\(height) \(count) \(digest(picture))"
        }
      }
    }.sorted()
  }

  @Test func shippedLayoutsLookAsTheyDid() throws {
    let found = try Self.digests(.best)
    if ProcessInfo.processInfo.environment["TUTTI_RECORD_DIGESTS"] != nil {
      try (["# layout canvas people digest"] + found + [""]).joined(separator: "\n").write(
        to: Self.fixture, atomically: true, encoding: .utf8)
      return
    }
    let expected = try String(contentsOf: Self.fixture, encoding: .utf8).split(separator: "\n").map(String.init)
      .filter { !$0.hasPrefix("#") }
    let changed = Set(found).subtracting(expected).sorted()
    let gone = Set(expected).subtracting(found).count
    #expect(changed.isEmpty && gone == 0, "\(changed.count) differ, of which the first are \(changed.prefix(20))")
  }

  @Test func everySetOfKernelsDrawsTheSame() throws {
    let counts = [1, 4, 13]
    let reference = try Self.digests(.scalar, counts: counts)
    for kernels in KernelSet.available where kernels.name != KernelSet.scalar.name {
      #expect(try Self.digests(kernels, counts: counts) == reference, "\(kernels.name)")
    }
  }

  /// Colours right in the middle and at the edges of each tile, background wherever there is none.
  @Test func nothingIsDrawnOutsideOfItsSlot() throws {
    for template in try Self.templates() {
      for (width, height) in Self.canvases where width < 1000 {
        for count in Self.counts {
          var solver = LayoutSolver(template, width: width, height: height)
          solver.arrange((0..<count).map { LayoutPerson(id: "p\($0)", hasFloor: $0 == 0, sharesScreen: $0 == 1) })
          let tiles = solver.tiles(width: width, height: height).map { tile in
            var tile = tile
            tile.style.label = nil
            tile.style.border.width = 0
            tile.style.radius = 0
            tile.style.fit = .stretch
            if case .person = tile.content {} else { tile.content = .empty }
            return tile
          }
          var people: [String: SceneParticipant] = [:]
          for index in 0..<count {
            let color = YUVColor(y: UInt8(40 + 3 * index), u: UInt8(50 + 3 * index), v: UInt8(230 - 3 * index))
            people["p\(index)"] = SceneParticipant(name: "p", picture: CompositorTests.picture(color, 40 + index, 30))
          }
          var compositor = Compositor(width: width, height: height)
          let ground = LayoutColor(red: 255, green: 255, blue: 255)
          let picture = compositor.compose(Scene(tiles: tiles, participants: people, background: ground)).picture
          let wrong = Self.wrongPixels(picture, tiles, people, YUVColor(ground))
          #expect(wrong == 0, "\(template.name) \(width)x\(height) \(count)")
        }
      }
    }
  }

  /// Every third pixel is held against the nearest tile that covers it; edges lie on even pixels.
  private static func wrongPixels(
    _ picture: Picture, _ tiles: [Tile], _ people: [String: SceneParticipant], _ ground: YUVColor
  ) -> Int {
    var wrong = 0
    for y in stride(from: 0, to: picture.height, by: 3) {
      for x in stride(from: 0, to: picture.width, by: 3) {
        let tile = tiles.last { tile in
          let box = tile.rectangle
          guard case .person = tile.content else { return false }
          return x >= box.x & ~1 && x < box.right & ~1 && y >= box.y & ~1 && y < box.bottom & ~1
        }
        var expected = ground
        if case .person(let id)? = tile?.content, let source = people[id]?.picture {
          expected = CompositorTests.at(source, 0, 0)
        }
        if !CompositorTests.near(CompositorTests.at(picture, x, y), expected, by: 1) { wrong += 1 }
      }
    }
    return wrong
  }
}
