import Timing

/// How the rooms of a server behave unless a room says otherwise.
package struct ConferenceSettings: Sendable {
  /// Whether a room comes into being with its first participant.
  package var autoCreate = true
  /// How long a room without participants lives on.
  package var emptySeconds = 30
  package var layout = "grid"
  package var outputs = [OutputSettings(name: "main", width: 1280, height: 720, fps: 30, bitrate: 1_500_000)]
  package var audio = AudioSettings()
  package var admission = AdmissionSettings()
  package var stage = StageSettings()
  /// The samples of the sounds that `audio` names, 48 kHz and one channel.
  package var sounds: [String: [Int16]] = [:]
  /// Beyond these, newcomers are refused with 503.
  package var participantsMax = 2000
  package var roomsMax = 500
  /// The part of the processors this server may use that may be in use when somebody comes in, above 0 to 1.
  package var processorMax = 0.9
  /// Whether pictures give way where ticks are late.
  package var videoGivesWay = true
  /// Pictures made for one receiver alone, of each room: each costs an encode. Who comes later sees what everybody sees.
  package var personalPicturesMax = 16

  package init() {}
}

extension OutputSettings {
  /// What is wrong with the settings, in a sentence; nil when nothing is.
  package var fault: String? {
    if !isValidName(name) { return "output name '\(name)': use 1 to 64 of A-Z a-z 0-9 . _ -" }
    if name == Self.automatic { return "output name 'auto' means whichever output a line carries; use another name" }
    if !(64...3840).contains(width) || width % 2 != 0 { return "output \(name): width must be even and from 64 to 3840" }
    if !(64...2160).contains(height) || height % 2 != 0 { return "output \(name): height must be even and from 64 to 2160" }
    if !(1...60).contains(fps) { return "output \(name): fps must be from 1 to 60" }
    if !(30_000...20_000_000).contains(bitrate) {
      return "output \(name): bitrate must be from 30000 to 20000000 bits per second"
    }
    return nil
  }
}
