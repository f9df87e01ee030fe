import JSON5
import LayoutImport
import Layouts
import TestSupport
import Testing

/// Reads a text as `tutti layouts import` does.
func imported(_ text: String) throws -> LayoutImport { try LayoutImport(reading: Array(text.utf8), name: "file") }

extension LayoutImport {
  func template(_ name: String) throws -> LayoutTemplate {
    let file = try #require(files.first { $0.name == name }, "there is no \(name) among \(files.map(\.name))")
    return try LayoutTemplate(parsing: Array(file.text.utf8), name: name)
  }
  func hasNote(_ part: String) -> Bool { notes.contains { $0.text.contains(part) } }
}

@Suite struct FreeSWITCHTests {
  private func one(_ images: String, attributes: String = "") throws -> LayoutImport {
    try imported("<layouts>\n<layout name=\"a\" \(attributes)>\n\(images)\n</layout>\n</layouts>")
  }

  @Test func everyStockLayoutAndGroupBecomesAFile() throws {
    let result = try imported(StockLayouts.text)
    #expect(result.files.count == 32 + 4)
    for file in result.files {
      let template = try LayoutTemplate(parsing: Array(file.text.utf8), name: "x")
      #expect(template.name == file.name && template.unitsWidth == 360 && template.overflow == .hide)
    }
    #expect(try result.template("grid").variants.map(\.slots.count) == [1, 2, 3, 4, 9, 16, 25, 36, 64])
    #expect(try result.template("grid-zoom").variants.map(\.slots.count) == [1, 2, 3, 4, 5, 6, 7, 8, 9])
    #expect(try result.template("1up_top_left_plus").variants.map(\.slots.count) == [6, 8, 10])
    #expect(result.hasNote("'1up_top_left+5' became '1up_top_left-5'"))
    #expect(result.hasNote("may differ by a pixel"))
  }

  @Test func numbersCarryOverAndTheHeightIsTheScaleUnlessSaid() throws {
    let slots = try one("<image x='1' y='2' scale='30'/><image x='40' y='50' scale='60' hscale='70' zoom='true'/>").template(
      "a"
    )
    .variants[0].slots
    #expect(slots.map(\.x) == [1, 40] && slots.map(\.y) == [2, 50])
    #expect(slots.map(\.width) == [30, 60] && slots.map(\.height) == [30, 70])
    #expect(slots.map(\.style.fit) == [.contain, .cover])
    #expect(slots.allSatisfy { $0.style.label == nil })
  }

  @Test func sourcesAreThoseOfTheFlags() throws {
    let result = try one(
      """
      <image x='0' y='0' scale='10' floor='true'/><image x='20' y='0' scale='10' floor-only='true'/>
      <image x='40' y='0' scale='10' reservation_id='desk'/><image x='60' y='0' scale='10' reservation-id='chair'/>
      <image x='80' y='0' scale='10' role-id='host'/><image x='100' y='0' scale='10' floor='true' file-only='true'/>
      <image x='120' y='0' scale='10' floor='true' floor-only='false'/><image x='140' y='0' scale='10' floor='true' reservation-id='k'/>
      """)
    #expect(
      try result.template("a").variants[0].slots.map(\.source) == [
        .floor, .floorOnly, .reserved("desk"), .reserved("chair"), .role("host"), .reserved("file"), .any, .reserved("k"),
      ])
    #expect(
      result.hasNote("file-only takes the floor") && result.hasNote("moderators may take") && result.hasNote("in this order"))
  }

  @Test func aBorderSticksToLaterImages() throws {
    let result = try one(
      "<image x='0' y='0' scale='90'/>\n<image x='90' y='0' scale='90' border='8'/>\n<image x='180' y='0' scale='90'/>\n<image x='270' y='0' scale='90' border='0'/>"
    )
    #expect(try result.template("a").variants[0].slots.map(\.style.border.width) == [0, 4, 4, 0])
    #expect(result.notes.contains { $0.line == 5 && $0.text.contains("sticks") })
    #expect(!result.notes.contains { $0.line == 6 && $0.text.contains("sticks") })
    #expect(result.hasNote("video-border-size"))
    let all = try one("<image x='0' y='0' scale='90'/><image x='90' y='0' scale='90'/>", attributes: "border='99'")
    #expect(try all.template("a").variants[0].slots.map(\.style.border.width) == [25, 25])
    #expect(!all.hasNote("sticks"))
  }

  @Test func anImageWithoutAllNumbersIsSkipped() throws {
    let result = try one("<image x='0' y='0'/>\n<image x='1' scale='90'/>\n<image x='0' y='0' scale='90' hscale='-1'/>")
    #expect(try result.template("a").variants[0].slots.map(\.height) == [90])
    #expect(result.notes.filter { $0.text.contains("is skipped") }.map(\.line) == [3, 4])
  }

  @Test func numbersAreReadAsCReadsThem() throws {
    let result = try one("<image x=' 12px' y='+3' scale='90.7'/><image x='wide' y='100' scale='9'/>")
    let slots = try result.template("a").variants[0].slots
    #expect(slots.map(\.x) == [12, 0] && slots.map(\.y) == [3, 100] && slots[0].width == 90)
    #expect(result.hasNote("of which FreeSWITCH reads 12"))
  }

  @Test func whatReachesOffTheCanvasIsCut() throws {
    let result = try one("<image x='300' y='0' scale='90'/>\n<image x='400' y='0' scale='90'/>\n<image x='9' y='9' scale='0'/>")
    let slots = try result.template("a").variants[0].slots
    #expect(slots.map(\.width) == [60] && slots[0].height == 90)
    #expect(result.hasNote("it is cut") && result.notes.filter { $0.text.contains("without area") }.map(\.line) == [4, 5])
  }

  @Test func moreImagesThanThereIsRoomForAreLeftOut() throws {
    let result = try one(String(repeating: "<image x='0' y='0' scale='9'/>", count: 66))
    #expect(try result.template("a").variants[0].slots.count == 64)
    #expect(result.hasNote("overruns"))
  }

  @Test func overlappingImagesLieOnTop() throws {
    let slots = try one(
      "<image x='0' y='0' scale='60' overlap='true'/><image x='0' y='0' scale='360'/><image x='20' y='20' scale='60' overlap='true'/>"
    ).template("a").variants[0].slots
    #expect(slots.map(\.z) == [1, 0, 2])
  }

  @Test func automaticPositionsAreHardLeftMiddleOrGradedRight() throws {
    let images = "<image x='0' y='0' scale='120'/><image x='120' y='0' scale='120'/><image x='240' y='0' scale='120'/>"
    let automatic = try one(images, attributes: "auto-3d-position='true'")
    let pans = try automatic.template("a").variants[0].slots.compactMap(\.audioPan)
    #expect(pans.count == 3 && pans[0] == -1 && pans[1] == 0 && abs(pans[2] - 2.0 / 3) < 1e-9)
    #expect(automatic.hasNote("divide integers"))
    #expect(try one(images).template("a").variants[0].slots.map(\.audioPan) == [0, 0, 0])
    let own = try one(
      "<image x='0' y='0' scale='9' audio-position='0.5:0:1'/><image x='9' y='0' scale='9' audio-position='x'/>")
    #expect(try own.template("a").variants[0].slots.map(\.audioPan) == [0.5, 0])
  }

  @Test func whatHoldsForManyLayoutsIsSaidOnce() throws {
    let result = try imported(StockLayouts.text)
    let said = result.notes.filter { $0.text.contains("divide integers") || $0.text.contains("moderators may take") }
    #expect(said.map(\.text).count == 2)
    #expect(result.hasNote("'1x2' and 23 others: automatic audio positions") || result.hasNote("and 24 others: automatic"))
    #expect(result.hasNote("others: moderators may take reserved images"))
  }

  @Test func groupsSkipUnknownMembersAndSayWhatIsNeverChosen() throws {
    let result = try imported(
      """
      <layout-settings><layouts>
      <layout name="two"><image x='0' y='0' scale='9'/><image x='9' y='0' scale='9'/></layout>
      <layout name="one"><image x='0' y='0' scale='9'/></layout>
      <layout name="one"><image x='5' y='0' scale='9'/></layout>
      <layout><image x='5' y='0' scale='9'/></layout>
      <layout name="none" transition-in="a.mp4"/>
      </layouts><groups>
      <group name="one"><layout>two</layout><layout>three</layout>
      <layout> one
      </layout></group>
      <group name="empty"><layout>three</layout></group>
      </groups></layout-settings>
      """)
    #expect(result.files.map(\.name) == ["two", "one", "one-group"])
    #expect(try result.template("one").variants[0].slots[0].x == 5)
    #expect(try result.template("one-group").variants.map(\.slots.count) == [2, 1])
    for part in [
      "there is no layout 'three'", "never chosen", "replaces the one of line 3", "without a name", "transition-in",
      "space around",
      "'one' became 'one-group'", "group 'empty' has no usable layout",
    ] { #expect(result.hasNote(part), "\(part)") }
    #expect(result.notes.map(\.line) == result.notes.map(\.line).sorted())
  }

  @Test func picturesAreLookedForBesideTheLayout() throws {
    let result = try one("<image x='0' y='0' scale='9'/>", attributes: "bgimg='/usr/share/b.png' fgimg='..'")
    let template = try result.template("a")
    #expect(template.background.image == "b.png" && template.foregroundImage == nil)
    #expect(result.hasNote("copy '/usr/share/b.png'") && result.hasNote("names no file"))
  }

  @Test func aNameCannotLeaveItsPlaceInTheFile() throws {
    let result = try imported(
      "<layouts><layout name='../&quot;&#10;}&#x2028;'><image x='0' y='0' scale='9'/></layout></layouts>")
    #expect(result.files.map(\.name) == ["-----"])
    #expect(try LayoutTemplate(parsing: Array(result.files[0].text.utf8), name: "x").variants.count == 1)
  }
}
