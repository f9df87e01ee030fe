import Conference
import JSON5
import LayoutWorkshop
import Layouts

/// Layouts: which there are, how they look, and their files for authors.
extension ControlApplication {
  func layouts(_ request: HTTPRequest, route: Route) async throws(Refusal) -> HTTPResponse {
    switch (route, request.head.method) {
    case (.layouts, _): return layoutList()
    case (.layout(let name), "PUT"): return try await save(name, request)
    case (.layout(let name), "DELETE"): return try await delete(name, request.head)
    case (.layout(let name), _): return try layout(name, request.head)
    case (.layoutShipped(let name), _):
      guard let text = ShippedLayouts.text(of: name) else {
        return problem(
          404, "No layout '\(name)' came with the server; these did: \(ShippedLayouts.names.joined(separator: ", ")).")
      }
      return try source(text, request.head)
    case (.layoutPreview(let name, let format), let method):
      var canvas = try canvas(request.head)
      canvas.format = format
      let wanted = canvas
      let bytes = try await working { () async throws(WorkshopRefusal) in
        method == "POST"
          ? try await workshop.preview(request.body, name: name, wanted) : try await workshop.preview(name, wanted)
      }
      return HTTPResponse(200, type: format.mediaType, body: bytes)
    case (.layoutCheck(let name), _):
      let canvas = try canvas(request.head)
      let check = try await working { () async throws(WorkshopRefusal) in
        try await workshop.check(request.body, name: name, canvas)
      }
      return json { $0.value(check) }
    default: return problem(404, "There is nothing at this address.")
    }
  }

  private func layoutList() -> HTTPResponse {
    json { writer in
      writer.beginObject()
      writer.key("layouts")
      writer.value(workshop.names)
      writer.key("faulty")
      writer.value(workshop.folder.faultyNames)
      writer.key("shipped")
      writer.value(ShippedLayouts.names)
      writer.member("writable", workshop.folder.isWritable)
      writer.endObject()
    }
  }

  private func layout(_ name: String, _ head: HTTPRequestHead) throws(Refusal) -> HTTPResponse {
    let text: [UInt8]
    do throws(WorkshopRefusal) { text = try workshop.source(name) } catch { throw Refusal(response: problem(error)) }
    return try source(text, head)
  }

  /// A layout's text as plain JSON, or as its author wrote it for those who accept JSON5.
  private func source(_ text: [UInt8], _ head: HTTPRequestHead) throws(Refusal) -> HTTPResponse {
    let tag = entityTag(of: text)
    if head.header("accept")?.lowercased().contains("application/json5") == true {
      return HTTPResponse(200, type: "application/json5", body: text).with("ETag", tag)
    }
    do throws(JSONFault) {
      let value = try JSONValue(parsing: text)
      return json { $0.value(value) }.with("ETag", tag)
    } catch {
      throw Refusal(response: problem(500, "The layout's file is not valid JSON5: line \(error.line), \(error.message)."))
    }
  }

  private func save(_ name: String, _ request: HTTPRequest) async throws(Refusal) -> HTTPResponse {
    let (match, noneMatch) = (request.head.header("if-match"), request.head.header("if-none-match"))
    let isNew = try await working { () async throws(WorkshopRefusal) in
      try await workshop.save(name, request.body) { old in
        let tag = old.map(entityTag(of:))
        if let match, !names(match, tag) { return false }
        if let noneMatch, names(noneMatch, tag) { return false }
        return true
      }
    }
    let response = HTTPResponse(isNew ? 201 : 204).with("ETag", entityTag(of: request.body))
    return isNew ? response.with("Location", "/v1/layouts/\(name)") : response
  }

  private func delete(_ name: String, _ head: HTTPRequestHead) async throws(Refusal) -> HTTPResponse {
    let match = head.header("if-match")
    // Of an unknown layout nothing is in use.
    if let use = await control.use(ofLayout: name) {
      throw Refusal(response: problem(409, "The layout '\(name)' is in use: \(use). Choose another there first."))
    }
    try await working { () async throws(WorkshopRefusal) in
      try await workshop.delete(name) { old in match.map { names($0, entityTag(of: old)) } ?? true }
    }
    return HTTPResponse(204)
  }

  /// The canvas that the query describes.
  private func canvas(_ head: HTTPRequestHead) throws(Refusal) -> PreviewCanvas {
    var canvas = PreviewCanvas(.init(4))
    for field in head.query {
      guard let word = PreviewCanvas.Word(rawValue: field.name) else { continue }
      guard canvas.set(word, field.value) else {
        throw Refusal(response: problem(422, "The parameter '\(field.name)' is \(word.allowed)."))
      }
    }
    if let contradiction = canvas.contradiction {
      throw Refusal(
        response: problem(422, "The parameter '\(contradiction.word.rawValue)': \(contradiction.sentence)."))
    }
    return canvas
  }

  private func working<T: Sendable>(_ body: () async throws(WorkshopRefusal) -> T) async throws(Refusal) -> T {
    do throws(WorkshopRefusal) { return try await body() } catch { throw Refusal(response: problem(error)) }
  }
}

/// A strong validator of a layout's text, quoted.
private func entityTag(of text: [UInt8]) -> String {
  "\"\(Base64.encodeURLSafe(Array(Cryptography.sha256(text).prefix(12))))\""
}

/// Whether the value of an If-Match or If-None-Match names what is there; nil where there is nothing.
private func names(_ field: String, _ tag: String?) -> Bool {
  guard let tag else { return false }
  return field.split(separator: ",").map { String($0).trimmed() }.contains { $0 == "*" || $0 == tag }
}

private func problem(_ refusal: WorkshopRefusal) -> HTTPResponse {
  switch refusal {
  case .noLayout(let name): problem(404, "There is no layout '\(name)'; GET /v1/layouts lists those there are.")
  case .faulty(let faults): problem(422, faults: faults)
  case .busy:
    problem(503, "Too many pictures of layouts are being drawn; ask again in a second.").with("Retry-After", "1")
  case .folder(let error):
    switch error.kind {
    case .missing: problem(404, error.description)
    case .stale: problem(412, error.description)
    case .unusable: problem(422, error.description)
    case .unwritable: problem(500, error.description)
    }
  }
}

extension PreviewCanvas.Format {
  var mediaType: String {
    switch self {
    case .png: "image/png"
    case .svg: "image/svg+xml"
    }
  }
}

extension JSONWriter {
  mutating func value(_ check: LayoutCheck) {
    beginObject()
    for (name, faults) in [("faults", check.faults), ("notes", check.notes)] {
      key(name)
      beginArray()
      for fault in faults {
        beginObject()
        place(fault.position)
        member("detail", fault.message)
        endObject()
      }
      endArray()
    }
    key("arrangement")
    if let arrangement = check.arrangement { value(arrangement) } else { null() }
    endObject()
  }

  private mutating func value(_ arrangement: LayoutCheck.Arrangement) {
    beginObject()
    member("variant", arrangement.variant)
    member("variants", arrangement.variantCount)
    place(arrangement.position)
    key("slots")
    beginArray()
    for (tile, position) in arrangement.tiles {
      beginObject()
      member("slot", tile.slot)
      member("id", tile.slotID)
      member("shows", tile.content.text)
      member("x", tile.rectangle.x)
      member("y", tile.rectangle.y)
      member("width", tile.rectangle.width)
      member("height", tile.rectangle.height)
      member("z", tile.z)
      place(position)
      endObject()
    }
    endArray()
    key("roles")
    value(arrangement.roles)
    key("keys")
    value(arrangement.keys)
    endObject()
  }

  private mutating func place(_ position: SourcePosition) {
    member("line", position.line)
    member("column", position.column)
  }
}

extension Tile.Content {
  /// Whom or what a slot shows; nil for nobody.
  fileprivate var text: String? {
    switch self {
    case .person(let name): name
    case .more(let count): "+\(count)"
    case .image(let file): file
    case .empty: nil
    }
  }
}
