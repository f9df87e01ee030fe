import Compositing
import Foundation
import LayoutWorkshop
import Layouts
import Synchronization
import Testing

@Suite struct LayoutWorkshopTests {
  private func canvas(_ count: Int, _ change: (inout PreviewCanvas) -> Void = { _ in }) -> PreviewCanvas {
    var canvas = PreviewCanvas(.init(count))
    change(&canvas)
    return canvas
  }

  private static let stage = """
    {
      variants: [
        { when: "screen",
          slots: [ { id: "screen", x: 0, y: 0, width: 360, height: 270, source: "screen" },
                   { x: 0, y: 270, width: 90, height: 90, source: "role:host" },
                   { x: 90, y: 270, width: 90, height: 90, source: "reserved:interpreter" } ] },
        { grid: { columns: 2, rows: 1 } }
      ]
    }
    """

  @Test func aCheckTellsWhereEverybodyIsAndWhereItStands() async throws {
    let folder = try Folder()
    let workshop = LayoutWorkshop(folder.layouts) { _, _ in }
    var check = try await workshop.check(Array(Self.stage.utf8), name: "stage", canvas(2))
    #expect(check.faults.isEmpty)
    var arrangement = try #require(check.arrangement)
    #expect(arrangement.variant == 1 && arrangement.variantCount == 2 && arrangement.position.line == 7)
    #expect(arrangement.tiles.map(\.tile.content) == [.person("Ada"), .person("Ben")])
    #expect(arrangement.roles == ["host"] && arrangement.keys == ["interpreter"])
    check = try await workshop.check(
      Array(Self.stage.utf8), name: "stage",
      canvas(3) {
        $0.people.screen = 2
        $0.people.roles = ["", "host"]
        $0.people.slots = ["interpreter"]
      })
    arrangement = try #require(check.arrangement)
    #expect(arrangement.variant == 0 && arrangement.tiles.map(\.position.line) == [4, 5, 6])
    #expect(arrangement.tiles.map(\.tile.content) == [.person("Chiara"), .person("Ben"), .person("Ada")])
    #expect(arrangement.tiles[0].tile.rectangle == PixelRectangle(x: 0, y: 0, width: 640, height: 270))
  }

  @Test func aFaultyTextHasFaultsAndNoArrangement() async throws {
    let folder = try Folder()
    let workshop = LayoutWorkshop(folder.layouts) { _, _ in }
    let check = try await workshop.check(Array("{ variant: [] }".utf8), name: "x", canvas(2))
    #expect(check.arrangement == nil)
    #expect(check.faults.map(\.message).contains("unknown key 'variant', did you mean 'variants'?"))
  }

  @Test func aMissingImageIsAFaultOfTheCheckAlone() async throws {
    let folder = try Folder()
    let workshop = LayoutWorkshop(folder.layouts) { _, _ in }
    let text = Array("{ background: { image: 'wall.png' }, variants: [{ grid: { columns: 1, rows: 1 } }] }".utf8)
    let check = try await workshop.check(text, name: "x", canvas(1))
    #expect(check.faults.map(\.message) == ["there is no image 'wall.png' in the folder of the layout"])
    #expect(check.arrangement != nil)
    #expect(try await workshop.save("x", text) { _ in true })
  }

  @Test func aPreviewIsThePictureOfTheLiveCanvas() async throws {
    let folder = try Folder()
    let workshop = LayoutWorkshop(folder.layouts) { _, _ in }
    let wanted = canvas(3) { $0.people.screen = 1 }
    let template = try LayoutTemplate(parsing: Array(Self.stage.utf8), name: "stage")
    let drawn = PNGEncoder.encode(LayoutPreview(template, wanted.people, width: 640, height: 360).picture())
    #expect(try await workshop.preview(Array(Self.stage.utf8), name: "stage", wanted) == drawn)
    let svg = try await workshop.preview(Array(Self.stage.utf8), name: "stage", canvas(3) { $0.format = .svg })
    #expect(String(decoding: svg, as: UTF8.self).hasPrefix("<svg "))
  }

  @Test func aKeptPreviewIsOfTheLayoutAsItIsNow() async throws {
    let folder = try Folder()
    let workshop = LayoutWorkshop(folder.layouts) { _, _ in }
    let first = try await workshop.preview("grid", canvas(2))
    #expect(try await workshop.preview("grid", canvas(2)) == first)
    #expect(try await workshop.preview("grid", canvas(3)) != first)
    _ = try await workshop.save("grid", Array(Folder.speaker.utf8)) { _ in true }
    #expect(try await workshop.preview("grid", canvas(2)) != first)
    await #expect(throws: WorkshopRefusal.self) { try await workshop.preview("none", canvas(2)) }
  }

  @Test func aSavedLayoutIsToldToTheRoomsAndAFaultyOneChangesNothing() async throws {
    let folder = try Folder()
    let changes = Told()
    let workshop = LayoutWorkshop(folder.layouts) { name, _ in changes.add(name) }
    #expect(try await !workshop.save("grid", Array(Folder.speaker.utf8)) { _ in true })
    #expect(try await workshop.save("new", Array(Folder.speaker.utf8)) { _ in true })
    #expect(changes.names == ["grid", "new"])
    await #expect(throws: WorkshopRefusal.self) { try await workshop.save("grid", Array("{".utf8)) { _ in true } }
    #expect(changes.names == ["grid", "new"] && folder.read("grid.json") == Folder.speaker)
  }

  @Test func onlySoMuchWaitsAndTheRestIsRefusedAtOnce() async throws {
    let folder = try Folder()
    let workshop = LayoutWorkshop(folder.layouts) { _, _ in }
    let text = Array(Folder.grid.utf8)
    let wanted = canvas(4)
    // The thread is held by a save that waits for this test; what then waits is bounded.
    let gate = DispatchSemaphore(value: 0)
    let holding = DispatchSemaphore(value: 0)
    let held = Task {
      try await workshop.save("held", text) { _ in
        holding.signal()
        gate.wait()
        return true
      }
    }
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        holding.wait()
        continuation.resume()
      }
    }
    var refused = 0
    var taken: [Task<[UInt8], any Error>] = []
    let results = AsyncStream<Bool>.makeStream()
    for _ in 0..<100 {
      taken.append(
        Task {
          do { return try await workshop.preview(text, name: "x", wanted) } catch {
            results.continuation.yield(true)
            throw error
          }
        })
    }
    // Of a hundred, all that find no room are refused while nothing is drawn.
    for await isRefused in results.stream {
      refused += isRefused ? 1 : 0
      if refused == 100 - 24 { break }
    }
    gate.signal()
    #expect(try await held.value)
    var drawn = 0
    for task in taken where (try? await task.value) != nil { drawn += 1 }
    #expect(drawn == 24)
  }

  @Test func whatMayBeSaidOfACanvasHasLimits() {
    var canvas = PreviewCanvas(.init(4))
    for (word, value) in [
      (PreviewCanvas.Word.participants, "-1"), (.participants, "101"), (.participants, "x"), (.size, "640"), (.size, "1x2x3"),
      (.size, "3842x720"), (.floor, "-1"), (.screen, "x"), (.cameras, "1000"),
      (.roles, String(repeating: ",", count: 100)), (.slots, String(repeating: "x", count: 65)),
    ] {
      let isTaken = canvas.set(word, value)
      #expect(!isTaken, "\(word) \(value)")
    }
    #expect(canvas == PreviewCanvas(.init(4)))
    let areTaken = [canvas.set(.floor, "0"), canvas.set(.roles, "host,,guest")]
    #expect(areTaken == [true, true] && canvas.people.floor == nil && canvas.people.roles == ["host", "", "guest"])
  }
}

private final class Told: Sendable {
  private let list = Mutex<[String]>([])
  var names: [String] { list.withLock { $0 } }
  func add(_ name: String) { list.withLock { $0.append(name) } }
}
