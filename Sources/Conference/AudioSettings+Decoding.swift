import JSON5

/// One reading of `audio` for the configuration's file and for requests; every fault is recorded with its place.
extension AudioChange {
  private static let keys = [
    "bitrate", "maxSpeakers", "stereo", "mode", "noiseSuppression", "pan", "outputs", "joinTone", "leaveTone", "waiting",
  ]

  /// Reads the member `audio` of an object; nil where there is none.
  package init?(of object: JSONObject) {
    guard let audio = object.object("audio", allowing: Self.keys) else { return nil }
    bitrate = audio.integer("bitrate", in: 6_000...256_000)
    maxSpeakers = audio.integer("maxSpeakers", in: 1...15)
    stereo = audio.bool("stereo")
    mode = audio.string("mode", oneOf: AudioSettings.Mode.allCases.map(\.rawValue)).flatMap(AudioSettings.Mode.init)
    noiseSuppression = audio.bool("noiseSuppression")
    pan = audio.bool("pan")
    outputs = AudioOutputSettings.list(of: audio)
    joinTone = Self.sound("joinTone", audio)
    leaveTone = Self.sound("leaveTone", audio)
    waiting = Self.sound("waiting", audio)
  }

  /// A sound's name, or null for none; whether there is such a sound shows when it is read.
  private static func sound(_ key: String, _ audio: JSONObject) -> String?? {
    guard let value = audio[key] else { return nil }
    if value.isNull { return .some(nil) }
    guard let name = value.string, !name.isEmpty else {
      audio.mismatch(key, value, "the name of a sound or null") as Void?
      return nil
    }
    return name
  }
}

extension AudioOutputSettings {
  fileprivate static func list(of audio: JSONObject) -> [AudioOutputSettings]? {
    guard let list = audio.array("outputs", countMax: countMax) else { return nil }
    var names: Set<String> = [AudioSettings.mainOutput]
    var outputs: [AudioOutputSettings] = []
    for value in list {
      guard let output = AudioOutputSettings(value, audio.decoder) else { continue }
      if !names.insert(output.name).inserted {
        let message =
          output.name == AudioSettings.mainOutput
          ? "audio output 'main' is there already: its bitrate is that of 'audio'"
          : "audio output '\(output.name)' is there twice"
        audio.decoder.fault(at: value["name"]?.position ?? value.position, message)
      }
      outputs.append(output)
    }
    return outputs
  }

  private init?(_ value: JSONValue, _ decoder: JSONDecoder) {
    guard let object = decoder.object(value, allowing: ["name", "bitrate", "ptime", "fec"]) else { return nil }
    object.require("name", "bitrate")
    self.init(
      name: Self.name(object) ?? "", bitrate: object.integer("bitrate", in: 6_000...256_000) ?? 6_000,
      ptime: Self.ptime(object) ?? 20, fec: object.bool("fec") ?? true)
  }

  private static func name(_ object: JSONObject) -> String? {
    guard let text = object.string("name"), let value = object["name"] else { return nil }
    if text == "auto" { return object.mismatch("name", value, "another name: auto stands for the first output") }
    return isValidName(text) ? text : object.mismatch("name", value, "1 to 64 of A-Z a-z 0-9 . _ -")
  }

  private static func ptime(_ object: JSONObject) -> Int? {
    guard let milliseconds = object.integer("ptime"), let value = object["ptime"] else { return nil }
    return ptimes.contains(milliseconds) ? milliseconds : object.mismatch("ptime", value, "20, 40, 60 or 120")
  }
}
