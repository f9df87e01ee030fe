/// A file of the web page, embedded in the program.
struct PageFile: Sendable, Equatable {
  let path: String
  let mediaType: String
  let bytes: [UInt8]
  /// A strong validator, quoted.
  let entityTag: String

  static let all: [PageFile] = [
    PageFile("", "text/html; charset=utf-8", PackageResources.index_html),
    PageFile("style.css", "text/css; charset=utf-8", PackageResources.style_css),
    PageFile("page.js", "text/javascript; charset=utf-8", PackageResources.page_js),
    PageFile("session.js", "text/javascript; charset=utf-8", PackageResources.session_js),
    PageFile("devices.js", "text/javascript; charset=utf-8", PackageResources.devices_js),
    PageFile("room.js", "text/javascript; charset=utf-8", PackageResources.room_js),
    PageFile("lead.js", "text/javascript; charset=utf-8", PackageResources.lead_js),
    PageFile("own-look.js", "text/javascript; charset=utf-8", PackageResources.own_look_js),
    PageFile("statistics.js", "text/javascript; charset=utf-8", PackageResources.statistics_js),
    PageFile("layout-choice.js", "text/javascript; charset=utf-8", PackageResources.layout_choice_js),
    PageFile("token.js", "text/javascript; charset=utf-8", PackageResources.token_js),
    PageFile("layouts", "text/html; charset=utf-8", PackageResources.layouts_html),
    PageFile("layouts.css", "text/css; charset=utf-8", PackageResources.layouts_css),
    PageFile("layouts.js", "text/javascript; charset=utf-8", PackageResources.layouts_js),
    PageFile("layout-editor.js", "text/javascript; charset=utf-8", PackageResources.layout_editor_js),
    PageFile("layout-preview.js", "text/javascript; charset=utf-8", PackageResources.layout_preview_js),
    PageFile("layout-text.js", "text/javascript; charset=utf-8", PackageResources.layout_text_js),
    PageFile("layout-completion.js", "text/javascript; charset=utf-8", PackageResources.layout_completion_js),
    PageFile("layout-dragging.js", "text/javascript; charset=utf-8", PackageResources.layout_dragging_js),
    PageFile("layout-schema.json", "application/schema+json", PackageResources.layout_schema_json),
    PageFile("icon.svg", "image/svg+xml", PackageResources.icon_svg),
    PageFile("openapi.json", "application/json", PackageResources.openapi_json),
  ]

  private init(_ path: String, _ mediaType: String, _ bytes: [UInt8]) {
    self.path = path
    self.mediaType = mediaType
    self.bytes = bytes
    entityTag = "\"\(Base64.encodeURLSafe(Array(Cryptography.sha256(bytes).prefix(12))))\""
  }

  init?(path: String) {
    guard let file = Self.all.first(where: { $0.path == path }) else { return nil }
    self = file
  }

  static func == (a: PageFile, b: PageFile) -> Bool { a.path == b.path }

  /// The file, or 304 where the client has it already. Checked each time, so that a new server shows its new page.
  func response(to head: HTTPRequestHead) -> HTTPResponse {
    let known = head.header("if-none-match").map { $0.split(separator: ",").map { String($0).trimmed() } } ?? []
    let isKnown = known.contains { $0 == entityTag || $0 == "W/" + entityTag || $0 == "*" }
    let response = isKnown ? HTTPResponse(304) : HTTPResponse(200, type: mediaType, body: bytes)
    return response.with("ETag", entityTag).with("Cache-Control", "no-cache")
  }
}
