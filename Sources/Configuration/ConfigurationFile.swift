import Conference
import Glibc
import JSON5

extension Configuration {
  private static let keys = [
    "http", "tls", "rtc", "announce", "layouts", "prompts", "avatars", "drainSeconds", "networkThreads", "log", "auth",
    "iceServers", "overload",
    "webhooks", "rooms",
  ]

  /// Reads a JSON5 file; every fault is told as `FILE:LINE:COLUMN: message`.
  package init(file path: String, bytes: [UInt8]) throws(ConfigurationError) {
    self.init()
    let decoder = JSONDecoder()
    do throws(JSONFault) {
      let value = try JSONValue(parsing: bytes)
      if let object = decoder.object(value, allowing: Self.keys) { read(object) }
    } catch { decoder.fault(at: error.position, error.message) }
    guard decoder.faults.isEmpty else { throw ConfigurationError(faults: decoder.faults.map { "\(path):\($0)" }) }
  }

  private mutating func read(_ object: JSONObject) {
    for setting in [Setting.http, .tls, .layouts, .prompts, .avatars] {
      guard let text = object.string(setting.rawValue), let value = object[setting.rawValue] else { continue }
      if let fault = set(setting, text) { object.decoder.fault(at: value.position, "'\(setting.rawValue)' \(fault)") }
    }
    if let addresses = list(object, "rtc", "ADDRESS:PORT or a list of them"), let value = object["rtc"],
      let fault = setMedia(addresses)
    {
      object.decoder.fault(at: value.position, "'rtc' \(fault)")
    }
    if let addresses = list(object, "announce", "an IP address or a list of them"), let value = object["announce"],
      let fault = setAnnounce(addresses)
    {
      object.decoder.fault(at: value.position, "'announce' \(fault)")
    }
    drainSeconds = object.integer("drainSeconds", in: 0...3600) ?? drainSeconds
    networkThreads = object.integer("networkThreads", in: Self.networkThreadsRange) ?? networkThreads
    if let log = object.object("log", allowing: ["level", "format"]) {
      logLevel = log.string("level", oneOf: LogLevel.allCases.map(\.rawValue)).flatMap(LogLevel.init) ?? logLevel
      logFormat = log.string("format", oneOf: LogFormat.allCases.map(\.rawValue)).flatMap(LogFormat.init) ?? logFormat
    }
    readAuthentication(object)
    iceServers = (object.array("iceServers", countMax: 16) ?? []).compactMap { ICEServer($0, object.decoder) }
    webhooks = (object.array("webhooks", countMax: 8) ?? []).compactMap { Webhook($0, object.decoder) }
    if let value = object["overload"], let text = value.string {
      if let fault = set(.overload, text) { object.decoder.fault(at: value.position, "'overload' \(fault)") }
    } else if let settings = object.object("overload", allowing: ["processorMax", "videoGivesWay"]) {
      overload.processorMax = settings.number("processorMax", in: 0.1...1) ?? overload.processorMax
      overload.videoGivesWay = settings.bool("videoGivesWay") ?? overload.videoGivesWay
    }
    if let settings = object.object("rooms", allowing: Rooms.keys) {
      rooms.read(settings)
    }
  }

  /// A string or a list of strings, at least one.
  private func list(_ object: JSONObject, _ key: String, _ wanted: String) -> [String]? {
    guard let value = object[key] else { return nil }
    let texts = value.string.map { [$0] } ?? value.array?.compactMap(\.string) ?? []
    guard !texts.isEmpty, texts.count == value.array?.count ?? 1 else { return object.mismatch(key, value, wanted) }
    return texts
  }

  private mutating func readAuthentication(_ object: JSONObject) {
    guard let value = object["auth"] else { return }
    if value.string == "none" {
      authentication = .none
      return
    }
    guard value.members != nil, let settings = object.object("auth", allowing: ["keys"]) else {
      object.decoder.fault(at: value.position, "'auth' must be \"none\" or an object with 'keys'")
      return
    }
    settings.require("keys")
    let list = settings.array("keys", countMax: 16) ?? []
    if let empty = settings["keys"], list.isEmpty, empty.array != nil {
      object.decoder.fault(at: empty.position, "'keys' must have at least one key")
    }
    authentication = .keys(list.compactMap { Key($0, object.decoder) })
  }
}

extension Configuration.Key {
  fileprivate init?(_ value: JSONValue, _ decoder: JSONDecoder) {
    guard let object = decoder.object(value, allowing: ["algorithm", "secret", "publicKeyFile", "id"]) else { return nil }
    object.require("algorithm")
    let id = object.string("id")
    switch object.string("algorithm", oneOf: ["HS256", "ES256"]) {
    case "HS256":
      object.require("secret")
      refuse(object, "publicKeyFile", for: "HS256")
      guard let secret = object.string("secret"), let place = object["secret"] else { return nil }
      // The message must not show the secret.
      guard secret.utf8.count >= 32 else {
        decoder.fault(at: place.position, "'secret' must have at least 32 bytes; 'openssl rand -base64 32' makes one")
        return nil
      }
      self.init(material: .hs256(secret: Array(secret.utf8)), id: id)
    case "ES256":
      object.require("publicKeyFile")
      refuse(object, "secret", for: "ES256")
      guard let path = object.string("publicKeyFile") else { return nil }
      self.init(material: .es256(publicKeyFile: path), id: id)
    default: return nil
    }
  }
}

private func refuse(_ object: JSONObject, _ key: String, for algorithm: String) {
  guard let value = object[key] else { return }
  object.decoder.fault(at: value.position, "'\(key)' does not go with \(algorithm)")
}

extension Configuration.Webhook {
  fileprivate init?(_ value: JSONValue, _ decoder: JSONDecoder) {
    guard let object = decoder.object(value, allowing: ["url", "secret", "events"]) else { return nil }
    object.require("url")
    let url = object.string("url") ?? ""
    let isAddress =
      (url.hasPrefix("https://") || url.hasPrefix("http://")) && url.utf8.count <= 2048
      && url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    if !isAddress, let place = object["url"], place.string != nil {
      decoder.fault(at: place.position, "'url' must be an address that begins with https:// or http://")
    }
    self.init(url: url, secret: object.string("secret"))
    if let secret, secret.utf8.count < 16, let place = object["secret"] {
      decoder.fault(at: place.position, "'secret' must have at least 16 bytes; 'openssl rand -base64 32' makes one")
    }
    guard let list = object.array("events", countMax: ConferenceEvent.Kind.allCases.count) else { return }
    events = list.compactMap { value in
      if let name = value.string, ConferenceEvent.Kind(rawValue: name) != nil { return name }
      decoder.fault(
        at: value.position, "'events' are of \(ConferenceEvent.Kind.allCases.map(\.rawValue).joined(separator: ", "))")
      return nil
    }
  }
}

extension Configuration.ICEServer {
  fileprivate init?(_ value: JSONValue, _ decoder: JSONDecoder) {
    guard let object = decoder.object(value, allowing: ["urls", "username", "credential", "secret", "ttlSeconds"]) else {
      return nil
    }
    object.require("urls")
    guard let place = object["urls"] else { return nil }
    let urls = place.string.map { [$0] } ?? place.array?.compactMap(\.string) ?? []
    let schemes = ["stun:", "stuns:", "turn:", "turns:"]
    guard !urls.isEmpty, urls.count == place.array?.count ?? 1,
      urls.allSatisfy({ url in schemes.contains { url.hasPrefix($0) } })
    else {
      decoder.fault(at: place.position, "'urls' must be one or more of stun:HOST, turn:HOST:PORT, turns:HOST")
      return nil
    }
    self.init(urls: urls, username: object.string("username"), credential: object.string("credential"))
    secret = object.string("secret")
    ttlSeconds = object.integer("ttlSeconds", in: 60...604_800) ?? ttlSeconds
    if secret != nil, username != nil || credential != nil {
      decoder.fault(at: object.position, "'secret' makes user names and credentials: leave 'username' and 'credential' away")
    }
    if let empty = object["secret"], secret?.isEmpty == true {
      decoder.fault(at: empty.position, "'secret' must be what the TURN server has as static-auth-secret")
    }
  }
}

extension Configuration.Rooms {
  fileprivate static let keys = ["autoCreate", "emptySeconds", "layout", "outputs", "audio", "admission", "stage"]

  fileprivate mutating func read(_ object: JSONObject) {
    autoCreate = object.bool("autoCreate") ?? autoCreate
    emptySeconds = object.integer("emptySeconds", in: 0...86_400) ?? emptySeconds
    layout = name(object, "layout") ?? layout
    if let list = object.array("outputs", countMax: 16), let place = object["outputs"] {
      if list.isEmpty { object.decoder.fault(at: place.position, "'outputs' must have at least one output") }
      outputs = list.compactMap { output($0, object.decoder) }
      var names: Set<String> = []
      for (output, value) in zip(outputs, list) where !names.insert(output.name).inserted {
        object.decoder.fault(at: value.position, "output '\(output.name)' is there twice")
      }
    }
    audio = audio.applying(AudioChange(of: object))
    admission = admission.applying(AdmissionChange(of: object))
    stage = stage.applying(StageChange(of: object, mayName: false))
  }

  private func output(_ value: JSONValue, _ decoder: JSONDecoder) -> OutputSettings? {
    let keys = ["name", "width", "height", "fps", "bitrate", "layout"]
    guard let object = decoder.object(value, allowing: keys) else { return nil }
    object.require("name")
    return OutputSettings(
      name: name(object, "name") ?? "", width: even(object, "width", in: 64...3840) ?? 1280,
      height: even(object, "height", in: 64...2160) ?? 720, fps: object.integer("fps", in: 1...60) ?? 30,
      bitrate: object.integer("bitrate", in: 30_000...20_000_000) ?? 1_500_000, layout: name(object, "layout"))
  }

  private func name(_ object: JSONObject, _ key: String) -> String? {
    guard let text = object.string(key), let value = object[key] else { return nil }
    return isValidName(text) ? text : object.mismatch(key, value, "1 to 64 of A-Z a-z 0-9 . _ -")
  }

  private func even(_ object: JSONObject, _ key: String, in range: ClosedRange<Int>) -> Int? {
    guard let number = object.integer(key, in: range), let value = object[key] else { return nil }
    return number % 2 == 0 ? number : object.mismatch(key, value, "even")
  }
}

/// The bytes of a file of at most a megabyte.
package func readWholeFile(_ path: String) throws(ConfigurationError) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw ConfigurationError(faults: ["\(path): \(String(cString: strerror(errno)))"]) }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var part = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = read(descriptor, &part, part.count)
    guard count >= 0 else { throw ConfigurationError(faults: ["\(path): \(String(cString: strerror(errno)))"]) }
    if count == 0 { return bytes }
    bytes += part.prefix(count)
    guard bytes.count <= 1 << 20 else { throw ConfigurationError(faults: ["\(path): larger than a megabyte"]) }
  }
}
