import Layouts
import TestSupport
import Testing

@Suite struct LayoutDecodingTests {
  private func faults(_ text: String) -> [String] {
    do throws(LayoutFaults) {
      _ = try LayoutTemplate(parsing: Array(text.utf8), name: "x")
      return []
    } catch {
      return error.faults.map(\.description)
    }
  }

  private func template(_ text: String) throws -> LayoutTemplate { try LayoutTemplate(parsing: Array(text.utf8), name: "x") }

  @Test func theContractsExampleIsRead() throws {
    let template = try template(
      """
      {
        "name": "speaker",
        "units": [360, 360],                    // coordinate space
        "background": { "color": "#101418", "image": "stage.png" },
        "foreground": { "image": "logo.png" },
        "slotDefaults": { "fit": "cover", "border": { "width": 2, "color": "#000000", "activeColor": "#37a2ff" }, "label": { "position": "bottom-left" } },
        "variants": [
          { "slots": [ { "x": 0, "y": 0, "width": 360, "height": 360 } ] },
          { "grid": { "columns": 2, "rows": 2, "gap": 4 } },
          { "slots": [ { "id": "main", "x": 0, "y": 0, "width": 360, "height": 270, "source": "floor" },
                       { "x": 0, "y": 270, "width": 90, "height": 90 } ] }
        ],
        "overflow": "count"
      }
      """)
    #expect(template.name == "speaker" && template.background.image == "stage.png" && template.foregroundImage == "logo.png")
    #expect(template.variants.map(\.slots.count) == [1, 4, 2])
    #expect(template.variants[1].slots[3].x == 182 && template.variants[1].slots[3].width == 178)
    let main = template.variants[2].slots[0]
    #expect(main.id == "main" && main.source == .floor && main.style.border.width == 2)
    #expect(main.style.border.color == LayoutColor(red: 0, green: 0, blue: 0))
  }

  @Test func everySlotFieldIsRead() throws {
    let slot = try template(
      """
      {variants: [{slots: [{id: 'a', x: 0.5, y: 1, width: 10.25, height: 20, z: -3, fit: 'contain', source: 'role:host', radius: 5,
        border: {width: 1, color: '#abc'}, label: {position: 'top', text: '{name}!', size: 0.1, color: '#11223344'},
        placeholder: {kind: 'name', color: '#ff0000'}, audioPan: -0.5}, {x: 20, y: 0, width: 1, height: 1, label: false,
        source: 'reserved:desk', placeholder: 'color'}, {x: 30, y: 0, width: 1, height: 1, source: 'image:slides/one.png'},
        {x: 40, y: 0, width: 1, height: 1, source: 'floor-only'}, {x: 50, y: 0, width: 1, height: 1, source: 'screen'}]}]}
      """
    ).variants[0].slots
    #expect(slot[0].x == 0.5 && slot[0].width == 10.25 && slot[0].z == -3 && slot[0].audioPan == -0.5)
    #expect(slot[0].source == .role("host") && slot[0].style.fit == .contain && slot[0].style.radius == 5)
    #expect(slot[0].style.border.color == LayoutColor(red: 0xAA, green: 0xBB, blue: 0xCC))
    #expect(slot[0].style.label?.position == .top && slot[0].style.label?.size == 0.1)
    #expect(slot[0].style.label?.color == LayoutColor(red: 0x11, green: 0x22, blue: 0x33, alpha: 0x44))
    #expect(slot[0].style.placeholder.kind == .name && slot[0].style.placeholder.color == LayoutColor("#ff0000"))
    #expect(slot[1].style.label == nil && slot[1].source == .reserved("desk") && slot[1].style.placeholder.kind == .color)
    #expect(slot[2].source == .image("slides/one.png") && slot[3].source == .floorOnly && slot[4].source == .screen)
  }

  @Test func faultsStandWhereTheyAre() {
    #expect(
      faults(
        "{\n  \"variants\": [\n    { \"slots\": [ { \"x\": 0, \"y\": 0, \"widht\": 3, \"width\": 1, \"height\": 2 } ] }\n  ]\n}"
      )
        == ["3:36: unknown key 'widht', did you mean 'width'?"])
    #expect(
      faults("{ \"variants\": [ { \"slots\": [\n{ \"x\": 0, \"y\": 0, \"width\": \"3\", \"height\": 2 } ] } ] }")
        == ["2:28: 'width' must be a number, not '3'"])
    #expect(
      faults("{ \"variants\": [ { \"slots\": [\n{ \"x\": 300, \"y\": 0, \"width\": 61, \"height\": 2 } ] } ] }")
        == ["2:30: 'x' and 'width' reach off the canvas, which is 360 units here"])
    #expect(
      faults("{ \"variants\": [ { \"slots\": [\n{ \"x\": -1, \"y\": 0, \"width\": 61, \"height\": 2 } ] } ] }")
        == ["2:8: 'x' lies off the canvas, which begins at 0"])
    #expect(faults("{ \"variants\": [ { \"slots\": [] } ] }") == ["1:28: a variant has at least one slot"])
    #expect(faults("{ \"variants\": [] }") == ["1:15: a layout has at least one variant"])
    #expect(faults("{ }") == ["1:1: key 'variants' is missing"])
    #expect(faults("{ \"variants\": [\n  { } ] }") == ["2:3: a variant has 'slots' or a 'grid'"])
  }

  @Test func allFaultsComeAtOnceInTheOrderOfTheText() {
    let found = faults(
      """
      {
        "units": [0, 360],
        "background": { "color": "blue" },
        "variants": [ { "slots": [
          { "x": 0, "y": 0, "width": 1, "height": 1, "fit": "covr", "source": "flor" },
          { "x": 0, "y": 0, "width": 1 }
        ] }, { "grid": { "columns": 0, "rows": 2 } } ],
        "overflow": 7
      }
      """)
    #expect(found.map { $0.split(separator: ":").first.map(String.init) ?? "" } == ["2", "3", "5", "5", "6", "7", "8"])
    #expect(found[2].contains("did you mean 'cover'?") && found[3].contains("did you mean 'floor'?"))
  }

  @Test func pathsStayBelowTheLayoutsFolder() {
    for path in ["../secret.png", "/etc/passwd", "a/../b", "a//b", "", ".", "a\\\\b", "a\\u0000b"] {
      #expect(
        faults(
          "{ \"background\": { \"image\": \"\(path)\" }, \"variants\": [ { \"grid\": { \"columns\": 1, \"rows\": 1 } } ] }"
        ).count == 1)
    }
  }

  @Test func twoSlotsOfOneNameAreAFault() {
    let found = faults(
      "{variants: [{slots: [{id: 'a', x: 0, y: 0, width: 1, height: 1}, {id: 'a', x: 1, y: 0, width: 1, height: 1}]}]}")
    #expect(found == ["1:71: two slots of this variant have the id 'a'"])
  }

  @Test func noTruncationAndNoNoiseBreaksTheDecoder() throws {
    let text = Array(
      "{name:'a',units:[16,9],variants:[{grid:{columns:2,rows:2,gap:0.5}},{slots:[{x:0,y:0,width:16,height:9}]}]}".utf8)
    _ = try LayoutTemplate(parsing: text, name: "x")
    for length in text.indices {
      #expect(throws: LayoutFaults.self) { try LayoutTemplate(parsing: Array(text[..<length]), name: "x") }
    }
    var random = SeededRandom(seed: 3)
    for _ in 0..<2000 {
      var noisy = text
      for _ in 0..<3 { noisy[.random(in: noisy.indices, using: &random)] = .random(in: 32...126, using: &random) }
      if let template = try? LayoutTemplate(parsing: noisy, name: "x") { #expect(!template.variants.isEmpty) }
    }
  }
}
