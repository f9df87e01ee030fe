import LayoutImport
import Layouts
import Testing

@Suite struct OWTTests {
  private func counts(_ base: String, _ inputsMax: Int) throws -> [Int] {
    try imported("{\"video\": {\"maxInput\": \(inputsMax), \"layout\": {\"templates\": {\"base\": \"\(base)\"}}}}").template(
      "file"
    )
    .variants.map(\.slots.count)
  }

  @Test func fluidHasSquaresUpToTheInputs() throws {
    #expect(try counts("fluid", 16) == [1, 4, 9, 16])
    #expect(try counts("fluid", 17) == [1, 4, 9, 16, 25])
    #expect(try counts("fluid", 1) == [1])
    #expect(try counts("round", 2) == [1, 4])
  }

  @Test func lectureHasTheSizesOfItsFormulas() throws {
    #expect(try counts("lecture", 6) == [1, 6])
    #expect(try counts("lecture", 7) == [1, 6, 8])
    #expect(try counts("lecture", 14) == [1, 6, 8, 10, 12, 14])
    #expect(try counts("lecture", 15) == [1, 6, 8, 10, 12, 14, 17])
    #expect(try counts("lecture", 25) == [1, 6, 8, 10, 12, 14, 17, 21, 25])
  }

  @Test func lectureTilesTheCanvas() throws {
    let template = try imported("{\"maxInput\": 25, \"templates\": {\"base\": \"lecture\"}}").template("file")
    let whole = Double(template.unitsWidth * template.unitsHeight)
    for variant in template.variants {
      #expect(variant.slots.reduce(0) { $0 + $1.width * $1.height } == whole)
      #expect(variant.slots.allSatisfy { $0.z == 0 })
      #expect(variant.slots[0].source == .floor)
    }
    let six = template.variants[1].slots
    let third = Double(template.unitsWidth) / 3
    #expect(six.map { ($0.x / third).rounded() } == [0, 2, 2, 2, 1, 0])
    #expect(six.map { ($0.y / third).rounded() } == [0, 0, 1, 2, 2, 2])
  }

  @Test func aCustomTemplateReplacesTheOneOfItsSize() throws {
    let result = try imported(
      """
      {"views": [{"label": "common", "video": {"maxInput": 9, "bgColor": {"r": 255, "g": 0, "b": 300}, "keepActiveInputPrimary": false,
        "layout": {"fitPolicy": "crop", "templates": {"base": "fluid", "custom": [
          {"region": [{"id": "1", "shape": "rectangle", "area": {"left": "0/1", "top": "0", "width": "1/1", "height": "1"}}]},
          {"region": [
            {"id": "1", "shape": "circle", "area": {"left": "0/1", "top": "0/1", "width": "2/3", "height": "5/7"}},
            {"id": "2", "area": {"left": "2/3", "top": "1/7", "width": "1/3", "height": 0.333}}]}]}}}},
        {"label": "other", "video": {"layout": {"templates": {"base": "void", "custom": []}}}},
        {"video": {"layout": {"templates": {"base": "fluid"}}}}]}
      """)
    #expect(result.files.map(\.name) == ["common", "file-3"])
    let template = try result.template("common")
    #expect(template.variants.map(\.slots.count) == [1, 2, 4, 9])
    #expect(template.unitsWidth == 6 && template.unitsHeight == 42)
    let slots = template.variants[1].slots
    #expect(slots[0].width == 4 && slots[0].height == 30 && slots[1].x == 4 && slots[1].y == 6 && slots[1].height == 14)
    #expect(slots[0].source == .any && slots[0].style.fit == .cover)
    #expect(template.background.color == LayoutColor("#ff00ff") && template.overflow == .hide)
    #expect(result.hasNote("circle") && result.hasNote("'other' has no usable template"))
  }

  @Test func aBareListOfTemplatesIsALayout() throws {
    let result = try imported("[{\"region\": [{\"left\": 0, \"top\": 0, \"relativesize\": 0.667}, {\"left\": 2}]}]")
    let slot = try #require(try result.template("file").variants.first?.slots.first)
    #expect(abs(slot.width / Double(try result.template("file").unitsWidth) - 2.0 / 3) < 1e-9)
    #expect(result.hasNote("is skipped"))
  }

  @Test func laterRegionsLieOverEarlierOnesAndAreCutAtTheCanvas() throws {
    let result = try imported(
      "[{\"region\": [{\"left\": 0, \"top\": 0, \"relativesize\": 1}, {\"left\": \"1/2\", \"top\": 0, \"relativesize\": \"3/4\"}]}]"
    )
    let slots = try result.template("file").variants[0].slots
    #expect(slots.map(\.z) == [0, 1] && slots[1].x + slots[1].width == 4 && result.hasNote("is cut"))
  }

  @Test func fractionsWithoutASmallCommonDenominatorBecomeDecimals() throws {
    let result = try imported(
      "[{\"region\": [{\"left\": \"1/99991\", \"top\": 0, \"relativesize\": \"1/99989\"}, {\"left\": \"1/3\", \"top\": 0, \"relativesize\": \"1/3\"}]}]"
    )
    #expect(try result.template("file").unitsWidth == 10_000)
    #expect(result.hasNote("no small common denominator"))
  }

  @Test func aRoomOfOlderVersionsIsReadAsItMeansIt() throws {
    let text = """
      {"name": "MyRoom", "enableMixing": 1, "mediaMixing": {"video": {"avCoordinated": 0, "maxInput": -1, "bkColor": "white",
        "crop": 1, "layout": {"base": "fluid", "custom": []}}, "audio": null}}   // as its guide has it, comments and all
      """
    let template = try imported(text).template("file")
    #expect(template.variants.map(\.slots.count) == [1, 4, 9, 16])
    #expect(template.variants.allSatisfy { $0.slots[0].source == .any && $0.slots[0].style.fit == .cover })
    #expect(template.background.color == LayoutColor("#ffffff"))
    let moving = try imported(text.replacing("Coordinated\": 0", with: "Coordinated\": 1")).template("file")
    #expect(moving.variants[1].slots.map(\.source) == [.floor, .any, .any, .any])
  }

  /// The guide's own numbers: 0.333 and 0.667 are thirds, so that nothing is left between.
  @Test func roundedDecimalsAreTheFractionsTheyStandFor() throws {
    let area = { (left: String, top: String, side: String) in
      "{\"shape\": \"rectangle\", \"area\": {\"left\": \(left), \"top\": \(top), \"width\": \(side), \"height\": \(side)}}"
    }
    let regions = [
      area("0", "0", "0.667"), area("0.667", "0", "0.333"), area("0.667", "0.333", "0.333"), area("0.667", "0.667", "0.333"),
      area("0.333", "0.667", "0.333"), area("0", "0.667", "0.333"),
    ]
    let template = try imported("[{\"region\": [\(regions.joined(separator: ","))]}]").template("file")
    #expect(template.unitsWidth == 3 && template.unitsHeight == 3)
    let slots = template.variants[0].slots
    #expect(slots.reduce(0) { $0 + $1.width * $1.height } == 9 && slots.allSatisfy { $0.z == 0 })
  }
}
