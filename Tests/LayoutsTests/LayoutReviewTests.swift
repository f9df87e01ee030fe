import Foundation
import Layouts
import TestSupport
import Testing

@Suite struct LayoutReviewTests {
  private func review(_ text: String, sizes: [(width: Int, height: Int)] = [], images: Set<String> = []) -> LayoutReview {
    LayoutReview(Array(text.utf8), name: "x", sizes: sizes) { images.contains($0) }
  }

  private func faults(_ text: String) -> [String] { review(text).faults.map(\.description) }

  @Test(arguments: ShippedLayouts.names)
  func shippedLayoutsHaveNoFaultAndNeedNoAdvice(name: String) throws {
    let bytes = try [UInt8](Data(contentsOf: ShippedLayouts.folder.appending(path: "\(name).json")))
    let review = LayoutReview(bytes, name: name) {
      FileManager.default.fileExists(atPath: ShippedLayouts.folder.path + "/" + $0)
    }
    #expect(review.faults.map(\.description) == [] && review.notes.map(\.description) == [])
  }

  @Test func overlapsWithoutZAreTold() {
    #expect(
      faults(
        "{variants: [{slots: [{x: 0, y: 0, width: 100, height: 100},\n{id: 'b', x: 99, y: 99, width: 9, height: 9},\n"
          + "{x: 50, y: 50, width: 9, height: 9, z: 1}, {x: 100, y: 0, width: 5, height: 9}]}]}")
        == ["2:1: slot 1 ('b') overlaps slot 0: give the nearer one a greater 'z'"])
    #expect(
      faults("{variants: [{slots: [{x: 0, y: 0, width: 100, height: 100}],\ngrid: {columns: 1, rows: 2}}]}")
        == ["2:7: slot 1 overlaps slot 0: give the nearer one a greater 'z'"])
  }

  @Test func variantsNeverUsedAreTold() {
    let big = "{grid: {columns: 3, rows: 3}}", small = "{grid: {columns: 2, rows: 2}}"
    #expect(faults("{variants: [\(small), \(big)]}").isEmpty)
    #expect(faults("{variants: [\(big), \(small)]}").isEmpty, "the last one is used where people are too many")
    let found = faults("{variants: [\(big),\n\(small), \(small)]}")
    #expect(found.count == 1 && found[0].hasPrefix("2:1: this variant is never used: variant 0 before it takes as many people"))
    #expect(faults("{variants: [\(big), {when: 'screen', grid: {columns: 1, rows: 1}}, \(big)]}").isEmpty)
    #expect(faults("{variants: [\(big), {aspect: 'portrait', grid: {columns: 1, rows: 1}}, \(big)]}").isEmpty)
    #expect(
      faults("{variants: [{when: ['screen',\n'no-screen'], grid: {columns: 1, rows: 1}}, \(big)]}")
        == ["2:1: this is the contrary of a condition before it, so the variant is never used"])
  }

  @Test func missingImagesAreTold() {
    let text =
      "{background: {image: 'a.png'},\nforeground: {image: 'b/c.png'},\nvariants: [{slots: [{x: 0, y: 0, width: 9, height: 9, "
      + "source: 'image:d.png',\nplaceholder: {image: 'e.jpg'}}]}]}"
    #expect(review(text, images: ["a.png", "b/c.png", "d.png", "e.jpg"]).faults.isEmpty)
    let found = review(text, images: ["a.png"]).faults.map(\.description)
    #expect(
      found == [
        "2:21: there is no image 'b/c.png' in the folder of the layout",
        "3:63: there is no image 'd.png' in the folder of the layout",
        "4:22: there is no image 'e.jpg' in the folder of the layout",
      ])
  }

  @Test func faultsOfEveryKindComeTogether() {
    let found = review(
      "{transitionMs: 9999,\nself: 'lost',\nbackground: {image: 'no.png', color: 'blue'},\nvariants: [{when: 'scren', slots: [\n"
        + "{x: 0, y: 0, width: 400, height: 9, radius: 'circel', label: {text: '{nmae}'}}]}]}"
    ).faults.map(\.description)
    #expect(found.count == 8)
    #expect(
      found.contains(
        "4:19: 'when' is one of screen, floor, video, role:NAME, reserved:KEY, or one of these after 'no-', not 'scren', did you mean 'screen'?"
      ))
    #expect(found.contains("5:45: 'radius' must be a number from 0 to 360 or \"circle\", not 'circel'"))
    #expect(found.contains("5:69: a label's 'text' knows {name} and {role}, not {nmae}, did you mean '{name}'?"))
  }

  @Test func notesAdviseAndAreNoFaults() {
    let odd = "{variants: [{slots: [{x: 1, y: 0, width: 100, height: 100}]}]}"
    #expect(review(odd).notes.isEmpty)
    let review = review(odd, sizes: [(360, 360), (720, 720)])
    #expect(review.faults.isEmpty && review.notes.count == 1)
    #expect(review.notes[0].description.hasPrefix("1:22: at 360x360 slot 0 begins or ends on an odd pixel"))
    let high = self.review("{variants: [{aspect: 'portrait', grid: {columns: 1, rows: 1}}]}")
    #expect(high.faults.isEmpty && high.notes[0].description.contains("no variant is meant for a landscape canvas;"))
    let shared = self.review("{variants: [{when: 'screen', grid: {columns: 1, rows: 1}}]}")
    #expect(shared.notes[0].description.contains("no variant is meant for a landscape canvas with no-screen;"))
    #expect(self.review("{name: 'y', variants: [{grid: {columns: 1, rows: 1}}]}").notes.count == 1)
  }

  @Test func noNoiseBreaksTheReview() {
    let text = Array(
      "{name:'x',variants:[{when:['no-screen'],grid:{columns:2,rows:2,x:9}},{aspect:'square',slots:[{x:0,y:0,width:16,height:9}]}]}"
        .utf8)
    for length in text.indices { #expect(!LayoutReview(Array(text[..<length]), name: "x").faults.isEmpty) }
    var random = SeededRandom(seed: 8)
    for _ in 0..<2000 {
      var noisy = text
      for _ in 0..<3 { noisy[.random(in: noisy.indices, using: &random)] = .random(in: 32...126, using: &random) }
      let review = LayoutReview(noisy, name: "x", sizes: [(320, 180)])
      if let template = try? LayoutTemplate(parsing: noisy, name: "x") {
        var solver = LayoutSolver(template, width: 320, height: 180)
        solver.arrange([LayoutPerson(id: "a")])
        #expect(solver.variantIndex != nil)
      } else {
        #expect(!review.faults.isEmpty)
      }
    }
  }
}
