import Timing

/// One participant as the detector sees him.
struct Speaker: Sendable {
  let id: SpeakerID
  /// The level in dB above -127, times `scale`: up within some 60 ms, down within some 400 ms.
  private(set) var loudness = 0
  private(set) var isOpen = false
  private(set) var isLoud = false
  private(set) var isSpeaking = false
  private(set) var lastVoice = Instant.zero
  var heardSince: Instant?
  /// For how long he was the loudest lately.
  var dominance = Interval.zero
  /// Voice lately; wears off within pauses.
  private var voice = Interval.zero
  private var wasObserved = false

  /// Steps a dB.
  static let scale = 16

  init(id: SpeakerID) { self.id = id }

  mutating func observe(loudness level: Int, isOpen: Bool, isLoud: Bool) {
    wasObserved = true
    self.isOpen = isOpen
    self.isLoud = isLoud
    let target = level * Self.scale
    loudness = target > loudness ? loudness + (target - loudness + 1) / 2 : loudness - (loudness - target + 19) / 20
  }

  mutating func updateSpeaking(
    at now: Instant, tick: Interval, settings: SpeakerDetector.Settings, into events: inout [SpeakerEvent]
  ) {
    if isOpen { lastVoice = now }
    voice = min(max(voice + (isLoud ? tick : -(tick / 2)), .zero), .seconds(1))
    if !isSpeaking, isLoud, voice >= settings.speakingAfter {
      isSpeaking = true
      events.append(.speakingStarted(id))
    } else if isSpeaking, !isOpen, now - lastVoice >= settings.speakingHold {
      isSpeaking = false
      events.append(.speakingStopped(id))
    }
  }

  /// Who was not observed since the last update is silent.
  mutating func beginUpdate() {
    if !wasObserved { observe(loudness: 0, isOpen: false, isLoud: false) }
    wasObserved = false
  }
}
