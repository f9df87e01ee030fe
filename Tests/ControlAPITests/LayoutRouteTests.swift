import Foundation
import JSON5
import Testing

/// Layouts over HTTP: their list, their texts, what authors check, look at and save.
@Suite struct LayoutRouteTests {
  private func json(_ response: RawClient.Response?) throws -> JSONValue {
    let response = try #require(response)
    #expect(response["content-type"]?.contains("json") == true)
    return try JSONValue(parsing: response.body, strict: true)
  }

  private func send(
    _ fixture: Fixture, _ method: String, _ target: String, _ body: String, _ headers: [String] = []
  ) async -> RawClient.Response? {
    await fixture.ask(method, target, ["Content-Type: application/json5"] + headers, body: body)
  }

  private static let single = "{ variants: [{ slots: [{ x: 0, y: 0, width: 360, height: 360 }] }] }\n"

  @Test func layoutsAreListedReadAndDrawn() async throws {
    let fixture = try Fixture()
    let list = try json(await fixture.ask("GET", "/v1/layouts"))
    #expect(list["layouts"]?.array?.map(\.string) == ["grid", "speaker", "stage"])
    #expect(list["faulty"]?.array?.isEmpty == true && list["writable"]?.bool == true)
    #expect(try json(await fixture.ask("GET", "/v1/layouts/grid"))["name"]?.string == "grid")
    let source = await fixture.ask("GET", "/v1/layouts/grid", ["Accept: application/json5"])
    #expect(source?.body == Fixture.gridText)
    #expect(await fixture.ask("GET", "/v1/layouts/none")?.status == 404)
    let preview = await fixture.ask("GET", "/v1/layouts/grid/preview.png?participants=9&size=320x180")
    #expect(preview?.status == 200 && preview?["content-type"] == "image/png")
    let drawing = await fixture.ask("GET", "/v1/layouts/grid/preview.svg?participants=9&size=320x180&screen=2&cameras=1")
    #expect(drawing?["content-type"] == "image/svg+xml" && drawing?.body.contains("width=\"320\" height=\"180\"") == true)
    #expect(await fixture.ask("GET", "/v1/layouts/none/preview.png")?.status == 404)
    for query in [
      "participants=-1", "participants=x", "participants=101", "size=0x0", "size=640", "size=1x2x3", "size=9999x9999",
      "floor=-1", "screen=x", "cameras=101",
    ] {
      #expect(await fixture.ask("GET", "/v1/layouts/grid/preview.png?\(query)")?.status == 422)
    }
  }

  /// What came with the server can be had back, changed or deleted.
  @Test func aLayoutThatCameWithTheServerIsRestored() async throws {
    let fixture = try Fixture()
    let shipped = try #require(try json(await fixture.ask("GET", "/v1/layouts"))["shipped"]?.array?.compactMap(\.string))
    #expect(shipped.contains("speaker") && shipped.contains("gallery-7x7") && shipped == shipped.sorted())
    let source = try #require(await fixture.ask("GET", "/v1/layouts/stage/shipped", ["Accept: application/json5"]))
    #expect(source.status == 200 && source["content-type"] == "application/json5" && source["etag"] != nil)
    #expect(try json(await fixture.ask("GET", "/v1/layouts/stage/shipped"))["variants"]?.array?.isEmpty == false)
    #expect(await fixture.ask("DELETE", "/v1/layouts/stage")?.status == 204)
    #expect(await fixture.ask("DELETE", "/v1/layouts/stage")?.status == 404)
    #expect(await fixture.ask("GET", "/v1/layouts/stage/shipped", ["Accept: application/json5"])?.body == source.body)
    #expect(await send(fixture, "PUT", "/v1/layouts/stage", source.body)?.status == 201)
    #expect(await fixture.ask("GET", "/v1/layouts/stage", ["Accept: application/json5"])?.body == source.body)
    let unknown = await fixture.ask("GET", "/v1/layouts/mine/shipped")
    #expect(unknown?.status == 404 && unknown?.body.contains("speaker") == true)
    #expect(await fixture.ask("DELETE", "/v1/layouts/stage/shipped")?.status == 405)
  }

  @Test func aTextIsCheckedWithoutBeingSaved() async throws {
    let fixture = try Fixture()
    let good = try json(await send(fixture, "POST", "/v1/layouts/new/check?participants=3", Self.single))
    #expect(good["faults"]?.array?.isEmpty == true)
    let slots = try #require(good["arrangement"]?["slots"]?.array)
    #expect(slots[0].members?.map(\.key) == ["slot", "id", "shows", "x", "y", "width", "height", "z", "line", "column"])
    #expect(slots[0]["shows"]?.string == "Ada" && slots[0]["width"]?.integer == 640 && slots[0]["column"]?.integer == 24)
    let bad = try json(await send(fixture, "POST", "/v1/layouts/new/check", "{\n  variant: []\n}"))
    let fault = try #require(bad["faults"]?.array?.last)
    #expect(fault["line"]?.integer == 2 && fault["column"]?.integer == 3)
    #expect(fault["detail"]?.string == "unknown key 'variant', did you mean 'variants'?")
    #expect(bad["arrangement"]?.isNull == true)
    let broken = try json(await send(fixture, "POST", "/v1/layouts/new/check", "{\n  variants: [\n"))
    #expect(broken["faults"]?.array?.count == 1)
    #expect(try json(await fixture.ask("GET", "/v1/layouts"))["layouts"]?.array?.count == 3)
  }

  @Test func aTextIsDrawnWithoutBeingSaved() async throws {
    let fixture = try Fixture()
    let drawing = await send(fixture, "POST", "/v1/layouts/new/preview.svg?participants=1", Self.single)
    #expect(drawing?.status == 200 && drawing?.body.contains("Ada") == true)
    let picture = await send(fixture, "POST", "/v1/layouts/new/preview.png?participants=1&size=64x64", Self.single)
    #expect(picture?["content-type"] == "image/png")
    let refused = await send(fixture, "POST", "/v1/layouts/new/preview.png", "{ variants: [] }")
    #expect(refused?.status == 422)
    #expect(try json(refused)["errors"]?.array?[0]["column"]?.integer == 13)
    #expect(await fixture.ask("GET", "/v1/layouts/new")?.status == 404)
  }

  @Test func aSavedLayoutIsThereAtOnce() async throws {
    let fixture = try Fixture()
    let made = await send(fixture, "PUT", "/v1/layouts/new", Self.single)
    #expect(made?.status == 201 && made?["location"] == "/v1/layouts/new")
    #expect(fixture.changes.names == ["new"])
    #expect(try json(await fixture.ask("GET", "/v1/layouts"))["layouts"]?.array?.map(\.string).contains("new") == true)
    let source = await fixture.ask("GET", "/v1/layouts/new", ["Accept: application/json5"])
    #expect(source?.body == Self.single && source?["etag"] == made?["etag"])
    #expect(await send(fixture, "PUT", "/v1/layouts/grid", Self.single)?.status == 204)
    #expect(fixture.changes.names == ["new", "grid"])
  }

  @Test func aFaultyLayoutIsRefusedWithEveryFaultAndChangesNothing() async throws {
    let fixture = try Fixture()
    let text = "{\n  untis: [16, 9],\n  variants: [{ slots: [{ x: 300, y: 0, width: 90, height: 90 }] }]\n}\n"
    let problem = try json(await send(fixture, "PUT", "/v1/layouts/grid", text))
    #expect(problem["status"]?.integer == 422)
    #expect(
      problem["detail"]?.string == "Line 2, column 3: unknown key 'untis', did you mean 'units'? 1 more under 'errors'.")
    #expect(problem["errors"]?.array?.map { $0["line"]?.integer } == [2, 3])
    #expect(await fixture.ask("GET", "/v1/layouts/grid", ["Accept: application/json5"])?.body == Fixture.gridText)
    #expect(fixture.changes.names.isEmpty)
    #expect(await send(fixture, "PUT", "/v1/layouts/grid", "")?.status == 422)
  }

  @Test(arguments: ["..%2fgrid", "%2e%2e", ".hidden", "a%00b", "a%2fb", "schema"])
  func aNameIsNeverAPath(name: String) async throws {
    let fixture = try Fixture()
    let status = await send(fixture, "PUT", "/v1/layouts/\(name)", Self.single)?.status ?? 0
    #expect([400, 404, 422].contains(status), "\(name): \(status)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.layouts.directory).count == 3)
  }

  @Test func twoAuthorsDoNotOverwriteOneAnother() async throws {
    let fixture = try Fixture()
    let tag = try #require(await fixture.ask("GET", "/v1/layouts/grid", ["Accept: application/json5"])?["etag"])
    #expect(await send(fixture, "PUT", "/v1/layouts/grid", Self.single, ["If-Match: \(tag)"])?.status == 204)
    #expect(await send(fixture, "PUT", "/v1/layouts/grid", Fixture.gridText, ["If-Match: \(tag)"])?.status == 412)
    #expect(await send(fixture, "PUT", "/v1/layouts/grid", Fixture.gridText, ["If-None-Match: *"])?.status == 412)
    #expect(await send(fixture, "PUT", "/v1/layouts/new", Fixture.gridText, ["If-None-Match: *"])?.status == 201)
    #expect(await send(fixture, "PUT", "/v1/layouts/none", Fixture.gridText, ["If-Match: *"])?.status == 412)
  }

  @Test func aFaultyFileCanBeReadAndMended() async throws {
    let fixture = try Fixture()
    let text = "{ variants: [], }"
    try Data(text.utf8).write(to: URL(filePath: fixture.layouts.directory + "/grid.json"))
    #expect(fixture.layouts.lookAtAll().count == 1)
    #expect(try json(await fixture.ask("GET", "/v1/layouts"))["faulty"]?.array?.map(\.string) == ["grid"])
    #expect(await fixture.ask("GET", "/v1/layouts/grid", ["Accept: application/json5"])?.body == text)
    #expect(await fixture.ask("GET", "/v1/layouts/grid/preview.png")?.status == 200)
    #expect(await send(fixture, "PUT", "/v1/layouts/grid", Self.single)?.status == 204)
    #expect(try json(await fixture.ask("GET", "/v1/layouts"))["faulty"]?.array?.isEmpty == true)
  }

  @Test func whatIsNoLayoutIsNotRead() async throws {
    let fixture = try Fixture()
    #expect(await fixture.ask("PUT", "/v1/layouts/new", ["Content-Type: text/plain"], body: "x")?.status == 415)
    let large = await fixture.ask("PUT", "/v1/layouts/new", ["Content-Type: application/json5", "Content-Length: 300000"])
    #expect(large?.status == 413)
    #expect(await fixture.ask("PATCH", "/v1/layouts/grid")?["allow"] == "GET, HEAD, PUT, DELETE, OPTIONS")
    #expect(await fixture.ask("GET", "/v1/layouts/grid/check")?.status == 405)
  }

  @Test func aLayoutThatNobodyUsesCanBeDeleted() async throws {
    let fixture = try Fixture()
    let tag = try #require(await fixture.ask("GET", "/v1/layouts/grid", ["Accept: application/json5"])?["etag"])
    #expect(await fixture.ask("DELETE", "/v1/layouts/grid", ["If-Match: \"another\""])?.status == 412)
    #expect(await fixture.ask("DELETE", "/v1/layouts/grid", ["If-Match: \(tag)"])?.status == 204)
    #expect(await fixture.ask("DELETE", "/v1/layouts/grid")?.status == 404)
    #expect(fixture.changes.names == ["grid: deleted"])
    #expect(try !FileManager.default.contentsOfDirectory(atPath: fixture.layouts.directory).contains("grid.json"))
    let used = try #require(await fixture.ask("DELETE", "/v1/layouts/speaker"))
    #expect(used.status == 409)
    let words = try json(used)["detail"]?.string
    #expect(words == "The layout 'speaker' is in use: the room 'lobby' has it. Choose another there first.")
    #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.layouts.directory).contains("speaker.json"))
  }

  @Test func thePageIsGivenTheSchemaThatEditorsUse() async throws {
    let fixture = try Fixture()
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Layouts/schema.json")
    #expect(
      await fixture.ask("GET", "/layout-schema.json")?.body == String(decoding: try Data(contentsOf: file), as: UTF8.self))
  }

  @Test func aDirectoryThatCannotBeWrittenIsSaid() async throws {
    let fixture = try Fixture()
    try FileManager.default.removeItem(atPath: fixture.layouts.directory)
    let response = await send(fixture, "PUT", "/v1/layouts/new", Self.single)
    #expect(response?.status == 404 && response?.body.contains("there is no directory of layouts") == true)
    #expect(try json(await fixture.ask("GET", "/v1/layouts"))["writable"]?.bool == false)
  }
}
