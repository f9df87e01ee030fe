import LayoutWorkshop
import TestSupport
import Testing

@Suite struct DirectoryChangesTests {
  /// One `inotify_event`, its name filled up to a multiple of 16.
  private func event(_ mask: UInt32, _ name: String = "") -> [UInt8] {
    let length = name.isEmpty ? 0 : (name.utf8.count / 16 + 1) * 16
    let padding = [UInt8](repeating: 0, count: length - name.utf8.count)
    return [1, 0, 0, 0] + bytes(mask) + [0, 0, 0, 0] + bytes(UInt32(length)) + Array(name.utf8) + padding
  }
  private func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }

  private func changes(_ events: [UInt8]...) -> DirectoryChanges {
    var changes = DirectoryChanges()
    changes.take(inotifyEvents: events.flatMap { $0 }[...])
    return changes
  }

  @Test func writingAndMovingInAreTheSame() {
    #expect(changes(event(0x8, "a.json"), event(0x80, "b.json5")).written == ["a.json", "b.json5"])
  }

  @Test func deletingAndMovingAwayAreTheSame() {
    let both = changes(event(0x40, "a.json"), event(0x200, "a-name-longer-than-sixteen.json"), event(0x8, "a.json"))
    #expect(both.removed == ["a.json", "a-name-longer-than-sixteen.json"] && both.written == ["a.json"])
  }

  @Test func lostEventsAndTheDirectorysOwnEndAreSeen() {
    #expect(changes(event(0x4000)).isUnclear)
    for mask: UInt32 in [0x400, 0x800, 0x2000, 0x8000] { #expect(changes(event(mask)).isGone) }
    #expect(changes(event(0x80, "..data")).isUnclear && changes(event(0x80, "..data")).written.isEmpty)
    #expect(changes(event(0x20, "a.json")).isEmpty && changes().isEmpty)
  }

  @Test func everyTruncationIsTakenAsFarAsItGoes() {
    let events = event(0x8, "a.json") + event(0x8, "b.json")
    for length in 0...events.count {
      let written = changes(Array(events[..<length])).written
      #expect(written == (length < 32 ? [] : length < 64 ? ["a.json"] : ["a.json", "b.json"]))
    }
    var random = SeededRandom(seed: 3)
    for _ in 0..<500 {
      _ = changes((0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
    }
  }

  @Test func jsonCountsMoreThanJSON5() {
    #expect(LayoutFileNames.filesByLayout(["a.json5", "a.json"]) == ["a": "a.json"])
    #expect(LayoutFileNames.filesByLayout(["a.json", "a.json5"]) == ["a": "a.json"])
    #expect(LayoutFileNames.filesByLayout(["a.json5", "b.json"]) == ["a": "a.json5", "b": "b.json"])
    #expect(LayoutFileNames.filesByLayout(["schema.json", ".json", "a b.json", "logo.png", "a.json~", "4913"]) == [:])
  }
}
