import Conference
import LayoutWorkshop

/// What an address names.
enum Route: Sendable, Equatable {
  case page(PageFile)
  /// A room's own address, which people paste into browsers: leads to the page.
  case roomPage(String)
  case health, readiness, metrics
  /// Where offers are posted.
  case offer(JoinRequest.Kind, room: String)
  /// What the answer's Location names.
  case session(room: String, id: String)
  case rooms
  case room(String)
  case participants(room: String)
  case participant(room: String, id: String)
  case avatar(room: String, id: String)
  case prompts(room: String)
  case prompt(room: String, id: String)
  case layouts
  case layout(String)
  case layoutPreview(String, PreviewCanvas.Format)
  case layoutCheck(String)
  /// The text that a layout came with.
  case layoutShipped(String)
  case snapshot(room: String)
  case events(room: String)

  /// Nil where the address names nothing.
  ///
  /// - Throws: a refusal of a name that cannot be one.
  init?(_ segments: [String]) throws(Refusal) {
    switch segments.first {
    case "rooms": try self.init(media: Array(segments.dropFirst()))
    case "v1": try self.init(control: Array(segments.dropFirst()))
    default:
      switch segments {
      case ["healthz"]: self = .health
      case ["readyz"]: self = .readiness
      case ["metrics"]: self = .metrics
      default:
        guard segments.count == 1, let file = PageFile(path: segments[0]) else { return nil }
        self = .page(file)
      }
    }
  }

  private init?(media segments: [String]) throws(Refusal) {
    switch (segments.count, segments.count > 1 ? segments[1] : "") {
    case (1, _): self = .roomPage(try validName(segments[0]))
    case (2, "whip"): self = .offer(.publish, room: try validName(segments[0]))
    case (2, "whep"): self = .offer(.watch, room: try validName(segments[0]))
    case (2, "participants"): self = .offer(.takePart, room: try validName(segments[0]))
    case (3, "participants"): self = .session(room: try validName(segments[0]), id: try validName(segments[2], what: "Session"))
    default: return nil
    }
  }

  private init?(control segments: [String]) throws(Refusal) {
    switch (segments.first, segments.count, segments.count > 2 ? segments[2] : "") {
    case ("rooms", 1, _): self = .rooms
    case ("rooms", 2, _): self = .room(try validName(segments[1]))
    case ("rooms", 3, "participants"): self = .participants(room: try validName(segments[1]))
    case ("rooms", 4, "participants"):
      self = .participant(room: try validName(segments[1]), id: try validName(segments[3], what: "Participant"))
    case ("rooms", 5, "participants") where segments[4] == "avatar":
      self = .avatar(room: try validName(segments[1]), id: try validName(segments[3], what: "Participant"))
    case ("rooms", 3, "prompts"): self = .prompts(room: try validName(segments[1]))
    case ("rooms", 4, "prompts"):
      self = .prompt(room: try validName(segments[1]), id: try validName(segments[3], what: "Prompt"))
    case ("rooms", 3, "snapshot.png"): self = .snapshot(room: try validName(segments[1]))
    case ("rooms", 3, "events"): self = .events(room: try validName(segments[1]))
    case ("layouts", 1, _): self = .layouts
    case ("layouts", 2, _): self = .layout(try validName(segments[1], what: "Layout"))
    case ("layouts", 3, "preview.png"): self = .layoutPreview(try validName(segments[1], what: "Layout"), .png)
    case ("layouts", 3, "preview.svg"): self = .layoutPreview(try validName(segments[1], what: "Layout"), .svg)
    case ("layouts", 3, "check"): self = .layoutCheck(try validName(segments[1], what: "Layout"))
    case ("layouts", 3, "shipped"): self = .layoutShipped(try validName(segments[1], what: "Layout"))
    default: return nil
    }
  }

  /// Without OPTIONS, which every address takes, and HEAD, which goes with GET.
  var methods: [String] {
    switch self {
    case .offer: ["POST"]
    case .session: ["PATCH", "DELETE"]
    case .room: ["GET", "PUT", "PATCH", "DELETE"]
    case .participants: ["GET", "PATCH"]
    case .participant: ["GET", "PATCH", "DELETE"]
    case .avatar: ["GET", "PUT"]
    case .prompts: ["GET", "POST"]
    case .prompt: ["GET", "DELETE"]
    case .layout: ["GET", "PUT", "DELETE"]
    case .layoutPreview: ["GET", "POST"]
    case .layoutCheck: ["POST"]
    default: ["GET"]
    }
  }

  /// For `Allow` and its CORS sibling.
  var allowedMethods: String {
    (methods.contains("GET") ? ["GET", "HEAD"] + methods.dropFirst() : methods).joined(separator: ", ") + ", OPTIONS"
  }

  /// Whether browsers of other sites may use it whoever they are: WHIP and WHEP clients live anywhere.
  var isMedia: Bool {
    switch self {
    case .offer, .session: true
    default: false
    }
  }

  /// The room that a token must be for.
  var room: String? {
    switch self {
    case .offer(_, let room), .session(let room, _), .room(let room), .participants(let room), .participant(let room, _),
      .avatar(let room, _),
      .prompts(let room), .prompt(let room, _), .snapshot(let room), .events(let room):
      room
    default: nil
    }
  }

  /// The query parameters that mean something; nil where anything may stand, as in links to the page.
  var parameters: [String]? {
    switch self {
    case .page, .health, .readiness, .metrics: nil
    case .offer: ["name", "role", "output", "audio", "self", "participant", "content", "avatar"]
    case .layoutPreview, .layoutCheck: PreviewCanvas.Word.allCases.map(\.rawValue)
    case .snapshot: ["output"]
    case .participants: ["role"]
    case .rooms: ["name", "audience"]
    case .room, .events: ["audience"]
    default: []
    }
  }

  /// What a token must allow; nil for what everybody may have.
  func permission(method: String) -> Permission? {
    switch self {
    case .page, .roomPage, .health, .readiness: nil
    case .metrics: .administer
    // Who takes part with a viewer's token is not seen or heard until a host gives him another role.
    case .offer(.watch, _), .offer(.takePart, _), .session: .watch
    case .offer(.publish, _): .takePart
    // Everybody may change some of himself; whose participant it is shows later.
    case .participant, .avatar: .watch
    case .room, .participants, .prompts, .prompt: method == "GET" || method == "HEAD" ? .watch : .control
    // A layout belongs to all rooms of the server.
    case .layout: method == "PUT" || method == "DELETE" ? .administer : .watch
    case .layoutPreview: method == "POST" ? .control : .watch
    case .layoutCheck: .control
    case .rooms, .layouts, .layoutShipped, .snapshot, .events: .watch
    }
  }

  /// The media types of a body; empty where none is taken.
  func bodyTypes(method: String) -> [String] {
    switch (self, method) {
    case (.offer, "POST"): ["application/sdp"]
    case (.session, "PATCH"): ["application/trickle-ice-sdpfrag"]
    case (.prompts, "POST"): ["application/json"]
    case (.layout, "PUT"), (.layoutPreview, "POST"), (.layoutCheck, "POST"): ["application/json5", "application/json"]
    case (.room, "PUT"), (.room, "PATCH"), (.participant, "PATCH"), (.participants, "PATCH"):
      ["application/json", "application/merge-patch+json"]
    case (.avatar, "PUT"): ["image/png", "image/jpeg"]
    default: []
    }
  }

  /// The longest body.
  func bodyBytesMax(method: String) -> Int {
    switch self {
    case .offer, .session: 64 * 1024
    case .avatar: method == "PUT" ? 1 << 20 : 1024
    default: bodyTypes(method: method).isEmpty ? 1024 : 256 * 1024
    }
  }

  /// The media type of a good answer; nil where it has no body.
  func answerType(method: String) -> String? {
    switch self {
    case .page(let file): file.mediaType
    case .offer: "application/sdp"
    case .session: method == "PATCH" ? "application/trickle-ice-sdpfrag" : nil
    case .health, .readiness, .metrics: "text/plain"
    case .layoutPreview(_, let format): format.mediaType
    case .snapshot: "image/png"
    case .room, .participant, .prompts, .prompt: method == "DELETE" ? nil : "application/json"
    case .layout: method == "PUT" || method == "DELETE" ? nil : "application/json5"
    case .layoutShipped: "application/json5"
    case .avatar: method == "PUT" ? "application/json" : nil
    case .rooms, .participants, .layouts, .layoutCheck: "application/json"
    case .events, .roomPage: nil
    }
  }
}

private func validName(_ text: String, what: String = "Room") throws(Refusal) -> String {
  guard isValidName(text) else {
    throw Refusal(response: problem(400, "\(what) names are 1 to 64 of A-Z a-z 0-9 . _ - and neither '.' nor '..'."))
  }
  return text
}
