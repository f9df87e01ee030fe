import Compositing
import Foundation
import Layouts
import PixelKernels
import RawMedia
import Synchronization
import Testing

enum Shipped {
  static func template(_ name: String) throws -> LayoutTemplate {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try LayoutTemplate(parsing: [UInt8](Data(contentsOf: root.appending(path: "Layouts/\(name).json"))), name: name)
  }
}

@Suite struct TextTests {
  private func compose(_ person: SceneParticipant, width: Int = 640, height: Int = 360, text: String? = nil) throws -> Picture {
    var compositor = Compositor(width: width, height: height)
    let text = text ?? "{variants: [{grid: {columns: 1, rows: 1}}]}"
    return compositor.compose(try CompositorTests.scene(text, ["a": person], width: width, height: height)).picture
  }

  /// Pixels of an area which are nearly white.
  private func whitePixels(_ picture: Picture, _ area: PixelArea) -> Int {
    (area.y..<area.y + area.height).reduce(0) { sum, y in
      sum + (area.x..<area.x + area.width).count { picture.luma[y * picture.lumaStride + $0] > 190 }
    }
  }

  @Test func somebodyWithoutAPictureIsShownByNameOnHisColour() throws {
    let ada = try compose(SceneParticipant(name: "Ada Lovelace"))
    #expect(whitePixels(ada, PixelArea(x: 240, y: 100, width: 160, height: 160)) > 200, "initials in the middle")
    #expect(whitePixels(ada, PixelArea(x: 0, y: 300, width: 320, height: 60)) > 50, "name at the lower left")
    let again = try compose(SceneParticipant(name: "Ada Lovelace"))
    #expect(CompositorTests.same(ada, again))
    let ben = try compose(SceneParticipant(name: "Ben"))
    #expect(CompositorTests.at(ada, 2, 2) != CompositorTests.at(ben, 2, 2))
  }

  @Test func aPlaceholderWithoutALabelStillShowsTheName() throws {
    let text = "{slotDefaults: {label: false}, variants: [{grid: {columns: 1, rows: 1}}]}"
    let picture = try compose(SceneParticipant(name: "Ada Lovelace"), text: text)
    #expect(whitePixels(picture, PixelArea(x: 100, y: 140, width: 440, height: 80)) > 200)
  }

  @Test func theLabelStandsWhereItsPositionSays() throws {
    let picture = CompositorTests.picture(.black)
    for (position, x, y) in [
      ("top-left", 0, 0), ("top", 213, 0), ("top-right", 426, 0), ("bottom-left", 0, 240), ("bottom", 213, 240),
      ("bottom-right", 426, 240),
    ] {
      let text = "{slotDefaults: {label: {position: '\(position)'}}, variants: [{grid: {columns: 1, rows: 1}}]}"
      let result = try compose(SceneParticipant(name: "Ada", picture: picture), text: text)
      let inside = whitePixels(result, PixelArea(x: x, y: y, width: 212, height: 120))
      #expect(inside > 20 && inside == whitePixels(result, PixelArea(x: 0, y: 0, width: 640, height: 360)), "\(position)")
    }
  }

  @Test(arguments: [
    "", " ", "\u{0}", "a\u{0}b\u{1B}[31m\n\r\t", "🙂👩‍👩‍👧‍👦🏳️‍🌈", "שלום עולם", "مرحبا بالعالم", "山田太郎", "\u{202E}evil\u{202C}",
    "<b>&amp;</b>",
    String(repeating: "W", count: 5000), String(repeating: "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}", count: 300),
    "\u{FFFD}\u{FEFF}\u{200B}", "{name}{role}", "Z" + String(repeating: "\u{0489}", count: 200),
  ])
  func anyNameIsFine(name: String) throws {
    for (width, height) in [(640, 360), (64, 36), (16, 16), (36, 640)] {
      for isMuted in [false, true] {
        for picture in [nil, CompositorTests.picture(.black, 64, 36)] {
          let result = try compose(
            SceneParticipant(name: name, picture: picture, isMuted: isMuted), width: width, height: height)
          #expect(result.width == width)
        }
      }
    }
  }

  @Test func aLongNameIsCutWithinItsTile() throws {
    let text = "{variants: [{slots: [{x: 0, y: 0, width: 180, height: 360}]}]}"
    let person = SceneParticipant(name: String(repeating: "Maximilian ", count: 30), picture: CompositorTests.picture(.black))
    let picture = try compose(person, text: text)
    #expect(whitePixels(picture, PixelArea(x: 0, y: 300, width: 320, height: 60)) > 100)
    #expect(whitePixels(picture, PixelArea(x: 320, y: 0, width: 320, height: 360)) == 0)
  }

  /// Rows of a picture with letters in them.
  private func lettered(_ picture: Picture) -> [Bool] {
    (0..<picture.height).map { whitePixels(picture, PixelArea(x: 0, y: $0, width: picture.width, height: 1)) > 0 }
  }

  @Test func aLongTextInPlaceOfAPictureGoesOnInTheNextLine() throws {
    let text = "{slotDefaults: {label: false, placeholder: 'name'}, variants: [{grid: {columns: 1, rows: 1}}]}"
    func picture(_ name: String) throws -> (lines: Int, rows: Int, white: Int) {
      let picture = try compose(SceneParticipant(name: name), text: text)
      let rows = lettered(picture)
      let lines = zip([false] + rows, rows).count { !$0 && $1 }
      return (lines, rows.count { $0 }, whitePixels(picture, PixelArea(x: 0, y: 0, width: 640, height: 360)))
    }
    let short = try picture("MMMM")
    #expect(short.lines == 1)
    let two = try picture("MMMM MMMM MMMM MMMM")
    #expect(two.lines == 2 && two.white > short.white * 3, "nothing is left out")
    let long = String(repeating: "THE MEETING BEGINS ", count: 13)
    #expect(try picture(long).lines > 4)
    let endings = try ["HHHH", "IIII"].map { try compose(SceneParticipant(name: long + $0), text: text) }
    #expect(!CompositorTests.same(endings[0], endings[1]), "its last word is there as well")
    let oneWord = try picture(String(repeating: "M", count: 60))
    #expect(oneWord.lines > 1, "a word that is too long is broken")
  }

  @Test func aNameWithALabelBelowStaysOnOneLine() throws {
    let text = "{slotDefaults: {placeholder: 'name'}, variants: [{grid: {columns: 1, rows: 1}}]}"
    let picture = try compose(SceneParticipant(name: String(repeating: "MMMM ", count: 20)), text: text)
    let rows = lettered(picture)[..<280]
    #expect(zip([false] + rows, rows).count { !$0 && $1 } == 1)
  }

  @Test func namesLoseWhatCouldDisturbTheLine() {
    #expect(displayName("a\u{0}b\n\n c\u{202E}d\u{85}") == "a b c d")
    #expect(displayName("  Ada  Lovelace  ") == "Ada Lovelace")
    #expect(displayName(String(repeating: "x", count: 500)).count == 100)
    #expect(displayName("👩‍👩‍👧") == "👩‍👩‍👧")
  }

  @Test func theLabelsTemplateIsFilledOnce() throws {
    let text = "{slotDefaults: {label: {text: '{name} ({role})'}}, variants: [{grid: {columns: 1, rows: 1}}]}"
    let plain = "{slotDefaults: {label: {text: '{role} ({name})'}}, variants: [{grid: {columns: 1, rows: 1}}]}"
    let picture = CompositorTests.picture(.black)
    let filled = try compose(SceneParticipant(name: "{role}", role: "{name}", picture: picture), text: text)
    let same = try compose(SceneParticipant(name: "{name}", role: "{role}", picture: picture), text: plain)
    #expect(CompositorTests.same(filled, same), "no name brings in another word")
    let ada = try compose(SceneParticipant(name: "Ada", role: "host", picture: picture), text: text)
    #expect(!CompositorTests.same(ada, filled))
  }

  @Test func theLabelIsAsHighAsItsSizeSays() throws {
    func rows(_ size: Double) throws -> Int {
      let text = "{slotDefaults: {label: {size: \(size), background: '#00000000'}}, variants: [{grid: {columns: 1, rows: 1}}]}"
      let picture = try compose(SceneParticipant(name: "H", picture: CompositorTests.picture(.black)), text: text)
      return (0..<360).count { whitePixels(picture, PixelArea(x: 0, y: $0, width: 640, height: 1)) > 0 }
    }
    #expect(try (10...16).contains(rows(0.05)) && (22...30).contains(rows(0.1)))
  }

  @Test func whoIsMutedHasACrossedOutMicrophone() throws {
    let picture = CompositorTests.picture(.black)
    let muted = try compose(SceneParticipant(name: "Ada", picture: picture, isMuted: true))
    let red = (0..<640).reduce(0) { sum, x in
      sum + (300..<360).count { CompositorTests.at(muted, x, $0).v > 160 }
    }
    #expect(red > 40)
    let heard = try compose(SceneParticipant(name: "Ada", picture: picture))
    #expect((0..<640).allSatisfy { x in (300..<360).allSatisfy { CompositorTests.at(heard, x, $0).v < 140 } })
  }

  @Test(arguments: ["Ada", "שלום עולם", "مرحبا بالعالم", "山田太郎", "안녕하세요", "नमस्ते", "สวัสดี", "Ελλάδα", "Привет", "🙂"])
  func everyScriptHasAFont(name: String) throws {
    let told = Mutex<[CompositingWarning]>([])
    let warnings = CompositingWarnings { warning in told.withLock { $0.append(warning) } }
    var compositor = Compositor(width: 640, height: 360, resources: CanvasResources(warnings: warnings))
    let people = ["a": SceneParticipant(name: name, picture: CompositorTests.picture(.black))]
    let scene = try CompositorTests.scene("{variants: [{grid: {columns: 1, rows: 1}}]}", people, width: 640, height: 360)
    let picture = compositor.compose(scene).picture
    #expect(whitePixels(picture, PixelArea(x: 0, y: 300, width: 320, height: 60)) > 10)
    #expect(told.withLock { $0 }.isEmpty)
  }

  @Test func aLetterThatNoFontHasIsToldOnce() throws {
    let told = Mutex<[CompositingWarning]>([])
    let warnings = CompositingWarnings { warning in told.withLock { $0.append(warning) } }
    let resources = CanvasResources(warnings: warnings)
    for width in [640, 320] {
      var compositor = Compositor(width: width, height: 180, resources: resources)
      let people = ["a": SceneParticipant(name: "a \u{10FFFD} b")]
      let text = "{variants: [{grid: {columns: 1, rows: 1}}]}"
      _ = compositor.compose(try CompositorTests.scene(text, people, width: width, height: 180))
    }
    #expect(told.withLock { $0 } == [.missingLetter("\u{10FFFD}")])
  }

  @Test func whatIsDrawnOfTextIsBounded() throws {
    let lettering = Lettering(bytesMax: 200_000)
    var compositor = Compositor(width: 640, height: 360, resources: CanvasResources(lettering: lettering))
    let text = "{variants: [{grid: {columns: 1, rows: 1}}]}"
    for index in 0..<100 {
      let people = ["a": SceneParticipant(name: "somebody of number \(index)")]
      _ = compositor.compose(try CompositorTests.scene(text, people, width: 640, height: 360))
      #expect(lettering.byteCount <= 200_000)
    }
    #expect(lettering.byteCount > 20_000)
  }

  @Test func aScreenIsShownWhole() throws {
    let wide = CompositorTests.picture(CompositorTests.red, 800, 200)
    let text = "{slotDefaults: {label: false}, variants: [{grid: {columns: 1, rows: 1}}]}"
    let screen = try compose(SceneParticipant(name: "a", picture: wide, isScreen: true), text: text)
    #expect(CompositorTests.at(screen, 320, 10) == YUVColor(CompositorTests.ground))
    let camera = try compose(SceneParticipant(name: "a", picture: wide), text: text)
    #expect(CompositorTests.near(CompositorTests.at(camera, 320, 10), CompositorTests.red))
  }

  @Test func thoseNotShownAreCounted() throws {
    var solver = LayoutSolver(try Shipped.template("grid"))
    solver.arrange((0..<60).map { LayoutPerson(id: "p\($0)") })
    let tiles = solver.tiles(width: 1280, height: 720)
    guard let last = tiles.last, case .more(12) = last.content else {
      Issue.record("the last tile counts the twelve who are missing")
      return
    }
    var compositor = Compositor(width: 1280, height: 720)
    let picture = compositor.compose(Scene(tiles: tiles, participants: [:], background: CompositorTests.ground)).picture
    let box = last.rectangle
    #expect(whitePixels(picture, PixelArea(x: box.x, y: box.y, width: box.width, height: box.height)) > 50)
  }

  @Test func aFrozenPictureIsDarkened() throws {
    let picture = CompositorTests.picture(YUVColor(y: 200, u: 128, v: 128))
    let result = try compose(SceneParticipant(name: "a", picture: picture, isFrozen: true))
    #expect((90...125).contains(CompositorTests.at(result, 320, 180).y))
  }
}

@Suite struct ImageTests {
  @Test func aPNGHasItsSignatureAndSize() {
    let bytes = PNGEncoder.encode(CompositorTests.picture(CompositorTests.red, 321, 181))
    #expect(Array(bytes.prefix(8)) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    #expect(Array(bytes[12..<16]) == Array("IHDR".utf8))
    #expect(Array(bytes[16..<24]) == [0, 0, 1, 65, 0, 0, 0, 181])
    #expect(Array(bytes.suffix(8).prefix(4)) == Array("IEND".utf8))
  }

  @Test func previewsAreDrawnForAnyNumberAndSize() throws {
    let template = try Shipped.template("speaker")
    for participants in [-1, 0, 1, 5, 40] {
      let people = PreviewPeople(participants)
      let picture = LayoutPreview(template, people, width: 641, height: 3).picture()
      #expect(picture.width == 640 && picture.height == 16)
      let svg = LayoutPreview(template, people, width: 640, height: 360).svg
      #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
      var solver = LayoutSolver(template, width: 640, height: 360)
      solver.arrange((0..<max(participants, 0)).map { LayoutPerson(id: "p\($0)", hasFloor: $0 == 0) })
      #expect(svg.components(separatedBy: "<rect").count == 2 + solver.tiles(width: 640, height: 360).count)
    }
  }

  @Test func namesInDrawingsAreEscaped() throws {
    let text = "{variants: [{slots: [{id: '<script>&', x: 0, y: 0, width: 9, height: 9}]}]}"
    let template = try LayoutTemplate(parsing: Array(text.utf8), name: "x")
    #expect(LayoutPreview(template, .init(1), width: 100, height: 100).svg.contains("&lt;script&gt;&amp;: Ada"))
  }
}
