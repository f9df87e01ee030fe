/// How a room sounds.
package struct AudioSettings: Sendable, Equatable {
  /// What is known of the sound.
  package enum Mode: String, Sendable, CaseIterable {
    /// Voices: evened out in loudness, and open microphones held down.
    case speech
    /// Left as it comes.
    case music
  }

  /// Bits per second of each mix, 6 000 to 256 000.
  package var bitrate: Int
  /// How many are heard at once, 1 to 15.
  package var maxSpeakers: Int
  /// Whether mixes are stereo.
  package var stereo: Bool
  package var mode: Mode
  /// Whether each voice is freed of steady noise; costs time for each who is heard.
  package var noiseSuppression: Bool
  /// Whether each voice comes from where its picture is; in stereo only.
  package var audioPan: Bool
  /// Further renditions of the sound; the first of all is `main`, of `bitrate` and 20 ms.
  package var outputs: [AudioOutputSettings]
  /// Sounds by the names of their files or chimes: played to everybody when somebody who sends has come or left.
  package var joinTone: String?
  package var leaveTone: String?
  /// The sound that one hears again and again who hears nobody else.
  package var waiting: String?

  package init(
    bitrate: Int = 32_000, maxSpeakers: Int = 4, stereo: Bool = false, mode: Mode = .speech, noiseSuppression: Bool = false,
    audioPan: Bool = false, outputs: [AudioOutputSettings] = [], joinTone: String? = nil, leaveTone: String? = nil,
    waiting: String? = nil
  ) {
    self.bitrate = bitrate
    self.maxSpeakers = maxSpeakers
    self.stereo = stereo
    self.mode = mode
    self.noiseSuppression = noiseSuppression
    self.audioPan = audioPan
    self.outputs = outputs
    self.joinTone = joinTone
    self.leaveTone = leaveTone
    self.waiting = waiting
  }

  /// The name of the first output, which every room has.
  package static let mainOutput = "main"
  /// Stands for the output that a receiver's line carries.
  package static let automaticOutput = "auto"
  /// The names a receiver may choose from.
  package var outputNames: [String] { [Self.mainOutput] + outputs.map(\.name) }
  /// The sounds that are named.
  package var soundNames: [String] { [joinTone, leaveTone, waiting].compactMap { $0 } }
}

/// What a request says of how a room sounds; nil means unsaid: the default on PUT, unchanged on PATCH.
package struct AudioChange: Sendable, Equatable {
  package var bitrate: Int?
  package var maxSpeakers: Int?
  package var stereo: Bool?
  package var mode: AudioSettings.Mode?
  package var noiseSuppression: Bool?
  package var audioPan: Bool?
  package var outputs: [AudioOutputSettings]?
  /// `.some(nil)` takes the sound away.
  package var joinTone: String??
  package var leaveTone: String??
  package var waiting: String??

  package init(
    bitrate: Int? = nil, maxSpeakers: Int? = nil, stereo: Bool? = nil, outputs: [AudioOutputSettings]? = nil,
    joinTone: String?? = nil, leaveTone: String?? = nil, waiting: String?? = nil
  ) {
    self.bitrate = bitrate
    self.maxSpeakers = maxSpeakers
    self.stereo = stereo
    self.outputs = outputs
    self.joinTone = joinTone
    self.leaveTone = leaveTone
    self.waiting = waiting
  }
}

extension AudioSettings {
  /// These settings with what a request says of them.
  package func applying(_ change: AudioChange?) -> AudioSettings {
    guard let change else { return self }
    return AudioSettings(
      bitrate: change.bitrate ?? bitrate, maxSpeakers: change.maxSpeakers ?? maxSpeakers, stereo: change.stereo ?? stereo,
      mode: change.mode ?? mode, noiseSuppression: change.noiseSuppression ?? noiseSuppression,
      audioPan: change.audioPan ?? audioPan,
      outputs: change.outputs ?? outputs, joinTone: change.joinTone ?? joinTone, leaveTone: change.leaveTone ?? leaveTone,
      waiting: change.waiting ?? waiting)
  }
}

/// One rendition of a room's sound: encoded once for all who hear the same mix at it.
package struct AudioOutputSettings: Sendable, Equatable {
  package var name: String
  /// Bits per second, 6 000 to 256 000.
  package var bitrate: Int
  /// Milliseconds a packet: 20, 40, 60 or 120. Longer packets spend less on headers and delay the sound.
  package var ptime: Int
  /// Whether packets carry a coarse copy of the one before (RFC 6716 section 2.1.7).
  package var fec: Bool

  package init(name: String, bitrate: Int, ptime: Int = 20, fec: Bool = true) {
    self.name = name
    self.bitrate = bitrate
    self.ptime = ptime
    self.fec = fec
  }
}

extension AudioSettings {
  /// What is wrong with the settings, in a sentence; nil when nothing is.
  package var fault: String? {
    if !(6_000...256_000).contains(bitrate) { return "audio: bitrate must be from 6000 to 256000 bits per second" }
    if !(1...15).contains(maxSpeakers) { return "audio: maxSpeakers must be from 1 to 15" }
    if outputs.count > AudioOutputSettings.countMax {
      return "audio: a room has at most \(AudioOutputSettings.countMax) outputs beside main"
    }
    if let fault = outputs.lazy.compactMap(\.fault).first { return fault }
    if Set(outputNames).count != outputNames.count { return "audio: each output needs a name of its own, and none is main" }
    return nil
  }
}

extension AudioOutputSettings {
  /// How many a room may have beside `main`.
  package static let countMax = 7
  package static let ptimes = [20, 40, 60, 120]
  /// With their headers 22 and 13 kb/s, where 32 kb/s in packets of 20 ms take 61. Their names are nobody's to choose.
  static let forThinLines = [
    AudioOutputSettings(name: "auto/60", bitrate: 12_000, ptime: 60, fec: false),
    AudioOutputSettings(name: "auto/120", bitrate: 8_000, ptime: 120, fec: false),
  ]

  /// What is wrong with the settings, in a sentence; nil when nothing is.
  package var fault: String? {
    if !isValidName(name) || name == AudioSettings.automaticOutput {
      return "audio output name '\(name)': use 1 to 64 of A-Z a-z 0-9 . _ -, and not auto"
    }
    if !(6_000...256_000).contains(bitrate) {
      return "audio output \(name): bitrate must be from 6000 to 256000 bits per second"
    }
    if !Self.ptimes.contains(ptime) { return "audio output \(name): ptime must be 20, 40, 60 or 120 milliseconds" }
    return nil
  }
}
