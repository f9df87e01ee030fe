import Conference
import JSON5

/// Bodies of PUT and PATCH. Every fault is recorded in the decoder with its place.
extension RoomSettings {
  /// The body of a request about a room.
  init(_ value: JSONValue, _ decoder: JSONDecoder) {
    self.init()
    guard let object = decoder.object(value, allowing: ["layout", "outputs", "audio", "admission", "stage"]) else { return }
    layout = object.name("layout")
    outputs = object.array("outputs", countMax: 16).map { $0.compactMap { OutputSettings($0, decoder) } }
    if outputs?.isEmpty == true, let list = object["outputs"], list.array?.isEmpty == true {
      decoder.fault(at: list.position, "'outputs' must have at least one output")
    }
    var names: Set<String> = []
    for (output, value) in zip(outputs ?? [], object["outputs"]?.array ?? []) where !names.insert(output.name).inserted {
      decoder.fault(at: value["name"]?.position ?? value.position, "output '\(output.name)' is there twice")
    }
    audio = AudioChange(of: object)
    admission = AdmissionChange(of: object)
    guard var stage = StageChange(of: object, mayName: true) else { return }
    stage.waitingText = stage.waitingText.map { $0.map { displayName($0, charactersMax: 256) } }
    self.stage = stage
  }
}

extension OutputSettings {
  private static let keys = ["name", "width", "height", "fps", "bitrate", "layout"]

  init?(_ value: JSONValue, _ decoder: JSONDecoder) {
    guard let object = decoder.object(value, allowing: Self.keys) else { return nil }
    object.require("name")
    let name = object.name("name") ?? ""
    let width = object.even("width", in: 64...3840) ?? 1280
    let height = object.even("height", in: 64...2160) ?? 720
    let fps = object.integer("fps", in: 1...60) ?? 30
    let bitrate = object.integer("bitrate", in: 30_000...20_000_000) ?? 1_500_000
    self.init(name: name, width: width, height: height, fps: fps, bitrate: bitrate, layout: object.name("layout"))
  }
}

extension ParticipantPatch {
  private static let keys = [
    "name", "audioMuted", "videoMuted", "deaf", "gain", "slot", "role", "output", "audioOutput", "group", "whisperTo",
    "mutedFor", "sideRoom", "content", "avatar", "self", "handRaised", "hidden", "admitted",
  ]
  /// What may be changed of many at once.
  private static let keysOfMany = ["audioMuted", "videoMuted", "deaf", "handRaised"]
  /// More people than a server takes cannot be named.
  private static let idsMax = 2000

  init(_ value: JSONValue, _ decoder: JSONDecoder) { self.init(value, decoder, keys: Self.keys) }

  /// The body of a request about many.
  init(ofMany value: JSONValue, _ decoder: JSONDecoder) { self.init(value, decoder, keys: Self.keysOfMany) }

  private init(_ value: JSONValue, _ decoder: JSONDecoder, keys: [String]) {
    self.init()
    guard let object = decoder.object(value, allowing: keys) else { return }
    handRaised = object.bool("handRaised")
    hidden = object.bool("hidden")
    admitted = object.bool("admitted")
    name = object.string("name").map { displayName($0) }
    audioMuted = object.bool("audioMuted")
    videoMuted = object.bool("videoMuted")
    deaf = object.bool("deaf")
    gain = object.number("gain", in: 0...4)
    role = object.name("role")
    output = object.name("output")
    audioOutput = object.name("audioOutput")
    content = object.string("content", oneOf: PictureContent.allCases.map(\.rawValue)).flatMap(PictureContent.init)
    selfView = object.optional("self") { object.bool("self") }
    avatar = object.optional("avatar") { object.string("avatar") }
    group = object.optional("group") { object.name("group") }
    sideRoom = object.optional("sideRoom") { object.name("sideRoom") }
    whisperTo = object.optional("whisperTo") { object.names("whisperTo", countMax: Self.idsMax) }
    mutedFor = object.optional("mutedFor") { object.names("mutedFor", countMax: Self.idsMax) }.map { $0 ?? [] }
    guard let slot = object["slot"] else { return }
    if slot.isNull {
      self.slot = .some(nil)
    } else if let id = slot.string, isValidName(id) {
      self.slot = .id(id)
    } else if let index = slot.integer, (0...1023).contains(index) {
      self.slot = .index(index)
    } else {
      decoder.fault(at: slot.position, "'slot' must be a slot's id, its index from 0, or null")
    }
  }
}

extension PromptRequest {
  private static let keys = ["file", "participant", "loop", "placement", "gain"]

  init(_ value: JSONValue, _ decoder: JSONDecoder) {
    self.init(file: "")
    guard let object = decoder.object(value, allowing: Self.keys) else { return }
    object.require("file")
    file = object.string("file") ?? ""
    participant = object["participant"]?.isNull == true ? nil : object.name("participant")
    loops = object.bool("loop") ?? false
    let choices = Prompt.Placement.allCases.map(\.rawValue)
    placement = object.string("placement", oneOf: choices).flatMap(Prompt.Placement.init) ?? .under
    gain = object.number("gain", in: 0...4) ?? 1
  }
}

extension JSONObject {
  /// A room, output, layout or role name.
  func name(_ key: String) -> String? {
    guard let text = string(key), let value = self[key] else { return nil }
    return isValidName(text) ? text : mismatch(key, value, "1 to 64 of A-Z a-z 0-9 . _ -")
  }

  /// A list of ids or names.
  func names(_ key: String, countMax: Int) -> [String]? {
    guard let list = array(key, countMax: countMax) else { return nil }
    var names: [String] = []
    for value in list {
      guard let name = value.string, isValidName(name) else { return mismatch(key, value, "a list of ids") }
      names.append(name)
    }
    return names
  }

  /// A value that null takes away: nil where the key is not there or `read` finds a fault.
  func optional<T>(_ key: String, _ read: () -> T?) -> T?? {
    guard let value = self[key] else { return nil }
    if value.isNull { return .some(nil) }
    return read().map { .some($0) } ?? nil
  }

  func even(_ key: String, in range: ClosedRange<Int>) -> Int? {
    guard let number = integer(key, in: range), let value = self[key] else { return nil }
    return number % 2 == 0 ? number : mismatch(key, value, "even")
  }
}

/// A name to be shown: without control and direction characters, at most 64 characters of at most 256 bytes.
func displayName(_ text: String, charactersMax: Int = 64) -> String {
  var kept = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: continue
    // Joiners are part of scripts and emoji; other format characters can reorder their surroundings.
    case .format where scalar != "\u{200D}" && scalar != "\u{200C}": continue
    default: kept.append(scalar)
    }
  }
  var name = ""
  for character in String(kept).trimmed().prefix(charactersMax) {
    if name.utf8.count + character.utf8.count > 256 { break }
    name.append(character)
  }
  return name
}
