import Compositing
import Layouts
import PixelKernels
import RawMedia
import TestSupport
import Testing

@Suite struct CompositorTests {
  static let red = YUVColor(red: 200, green: 30, blue: 30)
  static let green = YUVColor(red: 30, green: 180, blue: 40)
  static let blue = YUVColor(red: 20, green: 40, blue: 190)
  static let ground = LayoutColor(red: 0x10, green: 0x14, blue: 0x18)

  static func picture(_ color: YUVColor, _ width: Int = 640, _ height: Int = 360) -> Picture {
    let picture = Picture(width: width, height: height)
    picture.fill(color)
    return picture
  }

  /// The colour at a pixel.
  static func at(_ picture: Picture, _ x: Int, _ y: Int) -> YUVColor {
    let chroma = y / 2 * picture.chromaStride + x / 2
    return YUVColor(y: picture.luma[y * picture.lumaStride + x], u: picture.chromaBlue[chroma], v: picture.chromaRed[chroma])
  }

  static func near(_ a: YUVColor, _ b: YUVColor, by limit: Int = 2) -> Bool {
    abs(Int(a.y) - Int(b.y)) <= limit && abs(Int(a.u) - Int(b.u)) <= limit && abs(Int(a.v) - Int(b.v)) <= limit
  }

  static func solver(_ text: String) throws -> LayoutSolver {
    LayoutSolver(try LayoutTemplate(parsing: Array(text.utf8), name: "test"))
  }

  /// A scene of these people, everyone in the order of the dictionary's keys.
  static func scene(
    _ text: String, _ people: [String: SceneParticipant], width: Int, height: Int
  ) throws -> Scene {
    var solver = try solver(text)
    solver.arrange(people.keys.sorted().map { LayoutPerson(id: $0) })
    return Scene(tiles: solver.tiles(width: width, height: height), participants: people, background: ground)
  }

  private static func grid(_ columns: Int, _ rows: Int, fit: String = "cover") -> String {
    "{slotDefaults: {label: false, fit: '\(fit)'}, variants: [{grid: {columns: \(columns), rows: \(rows)}}]}"
  }

  /// Everything, pixel for pixel.
  static func same(_ a: Picture, _ b: Picture) -> Bool {
    guard a.width == b.width, a.height == b.height else { return false }
    return (0..<a.height).allSatisfy { y in (0..<a.width).allSatisfy { at(a, $0, y) == at(b, $0, y) } }
  }

  @Test func everyTileShowsItsPictureFromEdgeToEdge() throws {
    let people = [
      "a": SceneParticipant(name: "a", picture: Self.picture(Self.red)),
      "b": SceneParticipant(name: "b", picture: Self.picture(Self.green, 641, 359)),
      "c": SceneParticipant(name: "c", picture: Self.picture(Self.blue, 17, 31)),
      "d": SceneParticipant(name: "d", picture: Self.picture(Self.red, 1, 1)),
    ]
    var compositor = Compositor(width: 1280, height: 720)
    let result = compositor.compose(try Self.scene(Self.grid(2, 2), people, width: 1280, height: 720))
    #expect(result.changed && result.damage == [PixelRectangle(x: 0, y: 0, width: 1280, height: 720)])
    for (x, y, color) in [(0, 0, Self.red), (640, 0, Self.green), (0, 360, Self.blue), (640, 360, Self.red)] {
      for (dx, dy) in [(0, 0), (639, 0), (0, 359), (639, 359), (320, 180)] {
        #expect(Self.near(Self.at(result.picture, x + dx, y + dy), color), "\(x + dx), \(y + dy)")
      }
    }
  }

  @Test func containLeavesBarsOfBackgroundAndCoverAndStretchLeaveNone() throws {
    let people = ["a": SceneParticipant(name: "a", picture: Self.picture(Self.green, 480, 360))]
    for (fit, expected) in [("contain", YUVColor(Self.ground)), ("cover", Self.green), ("stretch", Self.green)] {
      var compositor = Compositor(width: 640, height: 360)
      let picture = compositor.compose(try Self.scene(Self.grid(1, 1, fit: fit), people, width: 640, height: 360)).picture
      #expect(Self.near(Self.at(picture, 320, 180), Self.green))
      #expect(Self.near(Self.at(picture, 81, 1), Self.green) && Self.near(Self.at(picture, 558, 358), Self.green))
      #expect(Self.near(Self.at(picture, 78, 180), expected) && Self.near(Self.at(picture, 561, 180), expected))
    }
  }

  /// Lines a pixel wide, the finest a screen has: at its own size they are the same, at a fraction each sample is the mean of what it
  /// covers, so that nothing flickers or beats.
  @Test func aScreenIsDrawnSharp() throws {
    let screen = Self.picture(.black, 640, 360)
    for y in 0..<360 {
      for x in Swift.stride(from: 0, to: 640, by: 2) { screen.luma[y * screen.lumaStride + x] = 235 }
    }
    let people = ["a": SceneParticipant(name: "a", picture: screen, isScreen: true)]
    func drawn(_ width: Int, _ height: Int) throws -> Picture {
      var compositor = Compositor(width: width, height: height)
      return compositor.compose(try Self.scene(Self.grid(1, 1), people, width: width, height: height)).picture
    }
    let (same, half) = (try drawn(640, 360), try drawn(320, 180))
    var (differs, beats) = (0, 0)
    for y in 0..<360 {
      for x in 0..<640 where same.luma[y * same.lumaStride + x] != screen.luma[y * screen.lumaStride + x] { differs += 1 }
    }
    for y in 0..<180 {
      for x in 0..<320 where abs(Int(half.luma[y * half.lumaStride + x]) - (235 + 16) / 2) > 1 { beats += 1 }
    }
    #expect(differs == 0 && beats == 0)
  }

  @Test func coverCutsTheSidesInTheMiddle() throws {
    let wide = Self.picture(Self.red, 800, 200)
    wide.fill(PixelArea(x: 300, y: 0, width: 200, height: 200), with: Self.green)
    let people = ["a": SceneParticipant(name: "a", picture: wide)]
    var compositor = Compositor(width: 200, height: 200)
    let picture = compositor.compose(try Self.scene(Self.grid(1, 1), people, width: 200, height: 200)).picture
    #expect(Self.near(Self.at(picture, 0, 0), Self.green) && Self.near(Self.at(picture, 199, 199), Self.green))
  }

  @Test func aTurnedPictureStandsUpright() throws {
    // Upper left red, upper right green, lower left blue, lower right black.
    let source = Self.picture(.black, 320, 180)
    source.fill(PixelArea(x: 0, y: 0, width: 160, height: 90), with: Self.red)
    source.fill(PixelArea(x: 160, y: 0, width: 160, height: 90), with: Self.green)
    source.fill(PixelArea(x: 0, y: 90, width: 160, height: 90), with: Self.blue)
    let corners: [Rotation: [YUVColor]] = [
      .none: [Self.red, Self.green, Self.blue, .black], .quarter: [Self.blue, Self.red, .black, Self.green],
      .half: [.black, Self.blue, Self.green, Self.red], .threeQuarters: [Self.green, .black, Self.red, Self.blue],
    ]
    for (rotation, expected) in corners {
      let (width, height) = rotation.swapsSides ? (360, 640) : (640, 360)
      for fit in ["cover", "contain", "stretch"] {
        let people = ["a": SceneParticipant(name: "a", picture: source, rotationDegrees: rotation.rawValue)]
        var compositor = Compositor(width: width, height: height)
        let picture = compositor.compose(try Self.scene(Self.grid(1, 1, fit: fit), people, width: width, height: height))
          .picture
        let places = [(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)]
        for (place, color) in zip(places, expected) {
          #expect(Self.near(Self.at(picture, place.0, place.1), color), "\(rotation) \(fit) \(place)")
        }
      }
    }
  }

  @Test func aPortraitPictureIsShownWholeInAWideTile() throws {
    let people = ["a": SceneParticipant(name: "a", picture: Self.picture(Self.red, 640, 360), rotationDegrees: 90)]
    var compositor = Compositor(width: 640, height: 360)
    let picture = compositor.compose(
      try Self.scene(Self.grid(1, 1, fit: "contain"), people, width: 640, height: 360)
    ).picture
    #expect(Self.near(Self.at(picture, 320, 2), Self.red) && Self.near(Self.at(picture, 320, 357), Self.red))
    #expect(Self.near(Self.at(picture, 200, 180), YUVColor(Self.ground)))
  }

  @Test func nothingChangedIsSaidAndIsTheSameObject() throws {
    let people = ["a": SceneParticipant(name: "Ada", picture: Self.picture(Self.red)), "b": SceneParticipant(name: "Ben")]
    let scene = try Self.scene("{variants: [{grid: {columns: 2, rows: 1}}]}", people, width: 640, height: 360)
    var compositor = Compositor(width: 640, height: 360)
    let first = compositor.compose(scene)
    let second = compositor.compose(scene)
    #expect(first.changed && !second.changed && second.damage.isEmpty && first.picture === second.picture)
  }

  @Test func damageNamesTheTilesThatChanged() throws {
    var people = ["a": SceneParticipant(name: "a", picture: Self.picture(Self.red)), "b": SceneParticipant(name: "b")]
    let text = "{slotDefaults: {border: {width: 4}}, variants: [{grid: {columns: 2, rows: 1}}]}"
    var compositor = Compositor(width: 640, height: 360)
    _ = compositor.compose(try Self.scene(text, people, width: 640, height: 360))
    let (left, right) = (
      PixelRectangle(x: 0, y: 0, width: 320, height: 360), PixelRectangle(x: 320, y: 0, width: 320, height: 360)
    )
    people["a"]?.picture = Self.picture(Self.green)
    #expect(compositor.compose(try Self.scene(text, people, width: 640, height: 360)).damage == [left])
    people["b"]?.isSpeaking = true
    let strips = compositor.compose(try Self.scene(text, people, width: 640, height: 360)).damage
    #expect(strips.allSatisfy { Self.contains(right, $0) && min($0.width, $0.height) == 4 })
    #expect(Self.pixelCount(strips) == 5376, "the border alone")
    people["a"]?.isMuted = true
    let label = compositor.compose(try Self.scene(text, people, width: 640, height: 360)).damage
    #expect(!label.isEmpty && label.allSatisfy { Self.contains(left, $0) && $0.y > 300 && $0.height < 40 }, "the label alone")
    people["b"]?.name = "Barbara"
    let named = compositor.compose(try Self.scene(text, people, width: 640, height: 360)).damage
    #expect(named == [right], "another colour; a border that stays is too little to be left out")
    people["a"]?.isFrozen = true
    #expect(compositor.compose(try Self.scene(text, people, width: 640, height: 360)).damage == [left])
  }

  static func pixelCount(_ areas: [PixelRectangle]) -> Int { areas.reduce(0) { $0 + $1.width * $1.height } }

  static func contains(_ outer: PixelRectangle, _ inner: PixelRectangle) -> Bool {
    inner.x >= outer.x && inner.y >= outer.y && inner.right <= outer.right && inner.bottom <= outer.bottom
  }

  @Test func aPictureInOthersHandsIsNotDrawnOn() throws {
    var people = ["a": SceneParticipant(name: "a", picture: Self.picture(Self.red))]
    var compositor = Compositor(width: 64, height: 64)
    let first = compositor.compose(try Self.scene(Self.grid(1, 1), people, width: 64, height: 64)).picture
    for color in [Self.green, Self.blue, Self.green, Self.blue] {
      people["a"]?.picture = Self.picture(color)
      _ = compositor.compose(try Self.scene(Self.grid(1, 1), people, width: 64, height: 64))
    }
    #expect(Self.near(Self.at(first, 30, 30), Self.red))
  }

  @Test func overlappingTilesFollowZ() throws {
    let text =
      "{slotDefaults: {label: false}, variants: [{slots: [{x: 90, y: 90, width: 180, height: 180, z: 1}, "
      + "{x: 0, y: 0, width: 360, height: 360}]}]}"
    var people = [
      "a": SceneParticipant(name: "a", picture: Self.picture(Self.red)),
      "b": SceneParticipant(name: "b", picture: Self.picture(Self.green)),
    ]
    var compositor = Compositor(width: 360, height: 360)
    for color in [Self.green, Self.blue] {
      people["b"]?.picture = Self.picture(color)
      let picture = compositor.compose(try Self.scene(text, people, width: 360, height: 360)).picture
      #expect(Self.near(Self.at(picture, 180, 180), Self.red) && Self.near(Self.at(picture, 40, 40), color))
    }
  }

  @Test func roundCornersShowWhatLiesBeneath() throws {
    let text =
      "{slotDefaults: {label: false}, variants: [{slots: [{x: 90, y: 90, width: 180, height: 180, z: 1, radius: 90}, "
      + "{x: 0, y: 0, width: 360, height: 360}]}]}"
    var people = ["a": SceneParticipant(name: "a"), "b": SceneParticipant(name: "b", picture: Self.picture(Self.blue))]
    var compositor = Compositor(width: 360, height: 360)
    for (above, beneath) in [(Self.red, Self.blue), (Self.green, Self.blue), (Self.green, Self.red)] {
      people["a"]?.picture = Self.picture(above)
      if !Self.near(beneath, Self.blue) { people["b"]?.picture = Self.picture(beneath) }
      let picture = compositor.compose(try Self.scene(text, people, width: 360, height: 360)).picture
      for (x, y) in [(91, 91), (268, 91), (91, 268), (268, 268)] { #expect(Self.near(Self.at(picture, x, y), beneath)) }
      for (x, y) in [(180, 92), (92, 180), (268, 180), (180, 180)] { #expect(Self.near(Self.at(picture, x, y), above)) }
    }
  }

  @Test func theBorderIsInsideTheTileAndInTheSpeakersColour() throws {
    let text =
      "{slotDefaults: {label: false, border: {width: 4, color: '#ff0000', activeColor: '#00ff00'}}, "
      + "variants: [{grid: {columns: 1, rows: 1}}]}"
    for isSpeaking in [false, true] {
      let people = ["a": SceneParticipant(name: "a", picture: Self.picture(Self.blue), isSpeaking: isSpeaking)]
      var compositor = Compositor(width: 720, height: 360)
      let picture = compositor.compose(try Self.scene(text, people, width: 720, height: 360)).picture
      let expected = isSpeaking ? YUVColor(red: 0, green: 255, blue: 0) : YUVColor(red: 255, green: 0, blue: 0)
      for (x, y) in [(0, 0), (3, 180), (716, 180), (360, 3), (360, 356)] { #expect(Self.at(picture, x, y) == expected) }
      #expect(Self.near(Self.at(picture, 4, 180), Self.blue) && Self.near(Self.at(picture, 360, 355), Self.blue))
    }
  }

  @Test(arguments: ["grid", "speaker", "single", "side-by-side", "picture-in-picture", "presenter"])
  func shippedLayoutsShowEachPersonsColourInTheMiddleOfHisTile(name: String) throws {
    let template = try Shipped.template(name)
    for (width, height) in [(1280, 720), (320, 180), (720, 1280), (500, 500)] {
      for count in [1, 2, 3, 5, 7, 12, 60] {
        var solver = LayoutSolver(template)
        solver.arrange((0..<count).map { LayoutPerson(id: "p\($0)", hasFloor: $0 == 0, sharesScreen: $0 == 1) })
        let colors = (0..<count).map { index -> YUVColor in
          let step = UInt8(index * 2)
          return YUVColor(y: 60 + step, u: 60 + step, v: 200 - step)
        }
        var people: [String: SceneParticipant] = [:]
        for index in 0..<count {
          people["p\(index)"] = SceneParticipant(name: "p\(index)", picture: Self.picture(colors[index], 64, 36))
        }
        let tiles = solver.tiles(width: width, height: height)
        var compositor = Compositor(width: width, height: height)
        let picture = compositor.compose(
          Scene(tiles: tiles, participants: people, background: Self.ground)
        ).picture
        for tile in tiles {
          guard case .person(let id) = tile.content, let index = Int(id.dropFirst()) else { continue }
          let box = tile.rectangle
          let (x, y) = (box.x + box.width / 2, box.y + box.height / 2)
          let isCovered = tiles.contains { other in
            let cover = other.rectangle
            return other.z > tile.z && (cover.x..<cover.right).contains(x) && (cover.y..<cover.bottom).contains(y)
          }
          if isCovered { continue }
          #expect(Self.near(Self.at(picture, x, y), colors[index]), "\(name) \(count) of \(width)x\(height) slot \(tile.slot)")
        }
      }
    }
  }
}

extension YUVColor {
  init(_ color: LayoutColor) { self.init(red: color.red, green: color.green, blue: color.blue) }
}
