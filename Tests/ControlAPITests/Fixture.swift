import Conference
import ControlAPI
import Foundation
import LayoutWorkshop
import Synchronization

/// A server on a free port of loopback in front of scripted rooms; ends with its owner.
final class Fixture: Sendable {
  let control = ScriptedConferences()
  let server: ControlServer
  /// A directory of its own with the layouts `grid`, `speaker` and `stage`.
  let layouts: LayoutFolder
  let changes: Changes

  static let gridText = "// rows\n{ name: 'grid', variants: [{ grid: { columns: 2, rows: 2 } }], }\n"

  init(_ change: (inout ControlServer.Settings) -> Void = { _ in }) throws {
    var settings = ControlServer.Settings()
    settings.port = 0
    settings.iceServers = [
      ICEServer(url: "stun:stun.example.net"), ICEServer(url: "turn:t:3478", username: "u\"x", credential: "c"),
    ]
    // A machine busy with other tests may leave either side waiting for many seconds: only what a test is about may end by time.
    settings.limits.headTime = .seconds(300)
    settings.limits.bodyTime = .seconds(300)
    settings.limits.answerTime = .seconds(300)
    settings.limits.idleTime = .seconds(300)
    settings.limits.pingTime = .seconds(300)
    settings.limits.silenceTime = .seconds(300)
    change(&settings)
    let directory = FileManager.default.temporaryDirectory.appending(path: "tutti-layouts-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    for name in ["grid", "speaker", "stage"] {
      try Fixture.gridText.replacing("grid'", with: "\(name)'")
        .write(to: directory.appending(path: "\(name).json"), atomically: false, encoding: .utf8)
    }
    layouts = LayoutFolder(directory: directory.path)
    try layouts.loadAll { _ in }
    let changes = Changes()
    self.changes = changes
    let workshop = LayoutWorkshop(layouts) { name, change in changes.add(name, change) }
    server = try ControlServer(settings, control: control, workshop: workshop)
  }

  deinit {
    server.stop()
    try? FileManager.default.removeItem(atPath: layouts.directory)
  }

  func client() -> RawClient { RawClient(port: server.port) }

  /// One request on a connection of its own.
  func ask(_ method: String, _ target: String, _ headers: [String] = [], body: String? = nil) async -> RawClient.Response? {
    let client = client()
    await client.send(request(method, target, headers, body: body))
    return await client.response(toHead: method == "HEAD")
  }

  func postOffer(_ target: String, _ headers: [String] = []) async -> RawClient.Response? {
    await ask("POST", target, ["Content-Type: application/sdp"] + headers, body: "v=0\r\n")
  }

  func patch(_ target: String, json: String) async -> RawClient.Response? {
    await ask("PATCH", target, ["Content-Type: application/json"], body: json)
  }
}

func request(_ method: String, _ target: String, _ headers: [String] = [], body: String? = nil) -> String {
  var text = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
  for header in headers { text += header + "\r\n" }
  if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
  return text + "\r\n" + (body ?? "")
}

let upgradeHeaders = [
  "Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
]

/// What the rooms were told of layouts.
final class Changes: Sendable {
  private let list = Mutex<[String]>([])
  var names: [String] { list.withLock { $0 } }

  func add(_ name: String, _ change: LayoutFolder.Change) {
    list.withLock { list in
      switch change {
      case .read: list.append(name)
      case .faulty: list.append("\(name): faulty")
      case .deleted: list.append("\(name): deleted")
      }
    }
  }
}
