import Compositing
import Conference
import Foundation
import Layouts
import RawMedia
import Synchronization
import TestSupport
import Testing
import Timing

/// Four places in a row, without borders and names.
private func row(_ more: String, slots: String = "") -> String {
  """
  { "name": "row", "background": { "color": "#000000" },
    "slotDefaults": { "border": false, "label": false, "placeholder": { "kind": "color", "color": "#404040" } }, \(more)
    "variants": [ { "slots": [ \(slots.isEmpty ? plainSlots : slots) ] } ] }
  """
}

private let plainSlots = (0..<4).map { #"{ "x": \#($0 * 90), "y": 0, "width": 90, "height": 360 }"# }.joined(separator: ",")

@Suite struct CanvasViewTests {
  private static let colors = [90, 110, 130, 150, 170, 200].map { YUVColor(y: UInt8($0), u: 128, v: 128) }

  private func people(_ count: Int, _ stage: Stage) throws -> [Stage.Person] {
    try (0..<count).map { try stage.join(Self.colors[$0]) }
  }

  /// Who is in each of the four places, from 0; `.` for nobody who is known.
  private func shown(_ stage: Stage, _ people: [Stage.Person], on canvas: Canvas? = nil) -> String {
    [0.125, 0.375, 0.625, 0.875].map { x in
      people.firstIndex { stage.shows($0, x, 0.5, on: canvas) }.map(String.init) ?? "."
    }.joined()
  }

  // MARK: Sharing

  @Test func severalCanvasesScaleAPictureOnceForEachSize() throws {
    func scaled(canvases: Int) throws -> Int {
      let stage = try Stage(layout: row(""))
      let others = (1..<canvases).map { stage.addCanvas("canvas\($0)") }
      for person in try people(4, stage) { person.color.y = 100 }
      stage.run(40)
      return ([stage.canvas] + others).reduce(0) { $0 + $1.scaledPixels }
    }
    let (one, three) = (try scaled(canvases: 1), try scaled(canvases: 3))
    #expect(one > 0 && three <= one + one / 10, "\(three) pixels for three, \(one) for one")
  }

  // MARK: Oneself

  @Test func whoHidesHimselfSeesTheOthersAndIsSeenByThem() throws {
    let stage = try Stage(layout: row(""))
    let mine = stage.addCanvas("main", viewer: .init(number: 2, selfView: .hidden))
    let all = try people(3, stage)
    stage.run(10)
    #expect(shown(stage, all) == "012.")
    #expect(shown(stage, all, on: mine) == "02..")
  }

  @Test func theLastPlaceIsOnesOwnWhereTheLayoutSaysSo() throws {
    let stage = try Stage(layout: row(#""self": "last","#))
    let mine = stage.addCanvas("main", viewer: .init(number: 1, selfView: .last))
    let all = try people(3, stage)
    stage.run(10)
    #expect(shown(stage, all) == "012." && shown(stage, all, on: mine) == "120.")
  }

  // MARK: More people than places

  @Test func thoseBeyondThePlacesAreShownInTurn() throws {
    let stage = try Stage(layout: row(#""overflow": "rotate", "rotateSeconds": 2,"#))
    let all = try people(6, stage)
    var seen: [String] = []
    for _ in 0..<30 {
      stage.run(10)
      let now = shown(stage, all)
      if seen.last != now { seen.append(now) }
    }
    // Fifteen seconds: seven or eight turns, in each of which nobody moves.
    #expect((7...9).contains(seen.count), "\(seen)")
    #expect(Set(seen.joined()).isSuperset(of: "012345"))
    for (before, after) in zip(seen, seen.dropFirst()) {
      for (place, person) in before.enumerated() where after.contains(person) {
        #expect(Array(after)[place] == person, "\(person) stays in his place from \(before) to \(after)")
      }
    }
  }

  @Test func whoComesWithinATurnMovesNobody() throws {
    let stage = try Stage(layout: row(#""overflow": "rotate", "rotateSeconds": 600,"#))
    var all = try people(4, stage)
    stage.run(10)
    all.append(try stage.join(Self.colors[4]))
    stage.run(20)
    #expect(shown(stage, all) == "0123")
  }

  @Test func thoseBeyondThePlacesAreCounted() throws {
    let stage = try Stage(layout: row(""))
    let all = try people(6, stage)
    stage.run(10)
    #expect(shown(stage, all) == "012." && all.map(\.media.slot) == [.index(0), .index(1), .index(2), nil, nil, nil])
    for hidden in all[3...] { #expect(hidden.media.video.decodedCount < 5) }
  }

  @Test func aHidingLayoutShowsTheFirstAndWhoSpeaks() throws {
    let stage = try Stage(layout: row(#""overflow": "hide","#))
    let all = try people(6, stage)
    stage.run(10)
    #expect(shown(stage, all) == "0123")
    stage.board.floor = 6
    stage.run(10)
    #expect(shown(stage, all) == "0125")
  }

  // MARK: Slots

  @Test func aSlotForTheFloorAloneStandsEmptyWhileNobodySpeaks() throws {
    let floorOnly = #"{ "x": 0, "y": 0, "width": 90, "height": 360, "source": "floor-only" }"#
    let stage = try Stage(
      layout: row(
        "", slots: ([floorOnly] + plainSlots.components(separatedBy: "},{").dropFirst().map(braced)).joined(separator: ",")))
    let all = try people(2, stage)
    stage.run(10)
    #expect(shown(stage, all) == ".01." && stage.luma(0.125, 0.5) < 30)
    stage.board.floor = 2
    stage.run(10)
    #expect(shown(stage, all) == "10..")
  }

  private func braced(_ slot: String) -> String { "{" + slot.trimmingCharacters(in: ["{", "}"]) + "}" }

  @Test func emptySlotsShowTheBackgroundOrTheirPlaceholder() throws {
    for (empty, luma) in [("background", 0...30), ("placeholder", 60...90)] {
      let stage = try Stage(layout: row("").replacing(#""border": false"#, with: #""border": false, "empty": "\#(empty)""#))
      _ = try people(1, stage)
      stage.run(10)
      #expect(luma.contains(stage.luma(0.875, 0.5)), "\(empty): \(stage.luma(0.875, 0.5))")
    }
  }

  @Test func anOutputHasALayoutOfItsOwnAndOneSaysWhoIsWhere() throws {
    let stage = try Stage(layout: row(""))
    let second = stage.addCanvas("second")
    let other = try template(
      """
      { "name": "single", "slotDefaults": { "border": false, "label": false }, "overflow": "hide",
        "variants": [ { "slots": [ { "id": "all", "x": 0, "y": 0, "width": 360, "height": 360, "source": "floor" } ] } ] }
      """)
    stage.board.change { $0.layoutsByOutput["second"] = other }
    let all = try people(2, stage)
    stage.board.floor = 2
    stage.run(10)
    #expect(shown(stage, all) == "01.." && shown(stage, all, on: second) == "1111")
    #expect(all.map(\.media.slot) == [.index(0), .index(1)])
    // The first ends, and the second says it from then on.
    stage.canvas.end(at: stage.now)
    #expect(all.map(\.media.slot) == [nil, nil])
    second.tellPlaces(true)
    stage.run(1)
    #expect(all.map(\.media.slot) == [nil, .id("all")])
  }

  // MARK: Freezing

  @Test func aPictureIsMarkedAfterOneSecondAndReplacedAfterFive() throws {
    let stage = try Stage(layout: row(""))
    let person = try stage.join(Self.colors[5])
    stage.run(20)
    person.isSending = false
    let last = person.lastSent
    let marked = try #require(stage.run(atMost: 200) { stage.luma(0.125, 0.5) < 150 })
    #expect(stage.luma(0.125, 0.5) > 90, "darker, and still to be seen")
    let replaced = try #require(stage.run(atMost: 200) { stage.luma(0.125, 0.5) < 90 })
    #expect((1000...1050).contains((marked - last).milliseconds), "marked after \((marked - last).milliseconds) ms")
    #expect((5000...5050).contains((replaced - last).milliseconds), "replaced after \((replaced - last).milliseconds) ms")
    person.isSending = true
    let start = stage.now
    let back = try #require(stage.run(atMost: 20) { stage.shows(person, 0.125, 0.5) })
    #expect((back - start).milliseconds <= 200)
  }

  @Test func whoFellSilentWhileHeWasHiddenIsNotShownAsIfHeWereThere() throws {
    let stage = try Stage(
      layout: row(#""overflow": "hide","#, slots: #"{"x": 0, "y": 0, "width": 360, "height": 360, "source": "floor"}"#))
    let all = try people(2, stage)
    stage.board.floor = 2
    stage.run(10)
    stage.board.floor = 1
    stage.run(20)
    all[1].isSending = false
    stage.run(200)
    stage.board.floor = 2
    stage.run(1)
    #expect(abs(stage.luma(0.5, 0.5) - 71) < 6, "his placeholder, not a picture of ten seconds ago: \(stage.luma(0.5, 0.5))")
  }

  @Test func aSnapshotWaitsForThoseWhoAreSendingAndForNobodyElse() throws {
    let stage = try Stage(layout: row(""))
    let all = try people(2, stage)
    all[1].isSending = false
    // Nobody watches: what comes is not decoded.
    for person in all { person.media.decideAttention(at: stage.now) }
    stage.rest(10)
    let snapshot = stage.addCanvas("main")
    #expect(!snapshot.isComplete(at: stage.now))
    stage.rest(2)
    #expect(snapshot.isComplete(at: stage.now))
    let picture = snapshot.drawOnce(at: stage.now)
    #expect(abs(Int(picture.luma[40]) - Int(all[0].color.y)) < 6)
    // A picture of before is none of now.
    snapshot.end(at: stage.now)
    stage.rest(4)
    #expect(!stage.addCanvas("main").isComplete(at: stage.now))
  }

  @Test func aScreenMayStandStill() throws {
    let stage = try Stage(layout: row(""))
    let screen = try stage.join(Self.colors[5])
    stage.board.change { $0.people[0].sharesScreen = true }
    stage.run(20)
    screen.isSending = false
    stage.run(160)
    #expect(stage.shows(screen, 0.125, 0.5), "eight seconds without a change are no fault of a screen")
  }

  @Test func aScreenIsShownWholeInASlotThatCutsFaces() throws {
    let slot = #"{ "x": 0, "y": 0, "width": 360, "height": 360, "fit": "cover" }"#
    let stage = try Stage(layout: row("", slots: slot))
    let person = try stage.join(Self.colors[5])
    stage.run(10)
    #expect(stage.shows(person, 0.05, 0.5) && stage.shows(person, 0.95, 0.5))
    stage.board.change { $0.people[0].sharesScreen = true }
    stage.run(10)
    #expect(stage.shows(person, 0.5, 0.05) && stage.shows(person, 0.5, 0.95))
    #expect(stage.luma(0.05, 0.5) < 30 && stage.luma(0.95, 0.5) < 30)
  }

  // MARK: Images

  @Test func whoHasNoPictureShowsHisAvatarAndOneThatIsMissingIsWarnedOf() throws {
    let folder = try TemporaryFolder()
    let grey = Picture(width: 64, height: 64)
    grey.fill(YUVColor(y: 200, u: 128, v: 128))
    try Data(PNGEncoder.encode(grey)).write(to: folder.url.appending(path: "ada.png"))
    let told = Told()
    let images = ImageLibrary(
      layouts: folder.url.path, avatars: folder.url.path, execution: .inPlace,
      warnings: CompositingWarnings { told.add($0.description) })
    let layout = row("").replacing(##""kind": "color", "color": "#404040""##, with: ##""kind": "avatar", "color": "#404040""##)
    let stage = try Stage(layout: layout, images: images)
    let all = try people(2, stage)
    for person in all { person.isSending = false }
    stage.board.change { scene in
      scene.people[0].avatar = .init(.avatars, "ada.png")
      scene.people[1].avatar = .init(.avatars, "bob.png")
    }
    stage.run(3)
    #expect(abs(stage.luma(0.125, 0.5) - 200) < 10)
    #expect(told.all == ["There is no image 'bob.png'."])
    // Put there while the room runs.
    try Data(PNGEncoder.encode(grey)).write(to: folder.url.appending(path: "bob.png"))
    images.refresh()
    stage.run(1)
    #expect(abs(stage.luma(0.375, 0.5) - 200) < 10)
    // Saved anew.
    grey.fill(YUVColor(y: 120, u: 128, v: 128))
    try Data(PNGEncoder.encode(grey)).write(to: folder.url.appending(path: "bob.png"))
    images.refresh()
    stage.run(1)
    #expect(abs(stage.luma(0.375, 0.5) - 120) < 10 && abs(stage.luma(0.125, 0.5) - 200) < 10)
  }

  private final class Told: Sendable {
    private let sentences = Mutex<[String]>([])
    func add(_ sentence: String) { sentences.withLock { $0.append(sentence) } }
    var all: [String] { sentences.withLock { $0 } }
  }
}

/// A folder for one test.
final class TemporaryFolder {
  let url = FileManager.default.temporaryDirectory.appending(path: "tutti-\(UUID().uuidString)")
  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }
}
