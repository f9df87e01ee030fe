import Timing

/// A participant, as whoever drives the detector numbers them.
package typealias SpeakerID = UInt32

/// What the detector noticed.
package enum SpeakerEvent: Hashable, Sendable {
  case speakingStarted(SpeakerID)
  case speakingStopped(SpeakerID)
  /// Nil where nobody is left to hold it.
  case floorChanged(SpeakerID?)
}

/// Who is heard, who is said to speak, and who holds the floor.
///
///     each tick: observe(id, …) for everybody who sends ──▶ update(at:into:) ──▶ heard, floor, events
///
/// Being **heard** is quick: whoever's gate opens is in the mix in the same tick, the loudest few where there are too many.
/// **Speaking** is what people are shown: it starts after some voice, so that a cough does not count. The **floor** is slow: it
/// goes to whoever was the loudest for most of some hundred milliseconds, sooner when its holder is silent, and stays with the
/// last speaker when nobody speaks.
package struct SpeakerDetector: Sendable {
  package struct Settings: Hashable, Sendable {
    /// How many are mixed at once.
    package var heardMax: Int
    /// By how much, in dB, somebody must be louder than the quietest who is heard to take his place.
    package var displacementDecibels: Int
    /// For how long nobody's place is taken after he got it.
    package var heardMin: Interval
    /// Voice within the last second that counts as speaking.
    package var speakingAfter: Interval
    /// How long after the last voice it ends.
    package var speakingHold: Interval
    /// How long one must be dominant to get the floor from a speaking holder, from a silent one, and when nobody holds it.
    package var interruptionAfter: Interval
    package var successionAfter: Interval
    package var firstAfter: Interval
    /// By how much, in dB, one must be louder than a speaking holder to be dominant.
    package var dominanceDecibels: Int

    package init(
      heardMax: Int = 4, displacementDecibels: Int = 6, heardMin: Interval = .milliseconds(500),
      speakingAfter: Interval = .milliseconds(200), speakingHold: Interval = .milliseconds(300),
      interruptionAfter: Interval = .milliseconds(600), successionAfter: Interval = .milliseconds(400),
      firstAfter: Interval = .milliseconds(300), dominanceDecibels: Int = 3
    ) {
      self.heardMax = max(heardMax, 1)
      self.displacementDecibels = displacementDecibels
      self.heardMin = heardMin
      self.speakingAfter = speakingAfter
      self.speakingHold = speakingHold
      self.interruptionAfter = interruptionAfter
      self.successionAfter = successionAfter
      self.firstAfter = firstAfter
      self.dominanceDecibels = dominanceDecibels
    }
  }

  /// Who is to be mixed from this tick on, in no order; at most `heardMax`.
  package private(set) var heard: [SpeakerID] = []
  /// Who holds the floor; nil until somebody has spoken.
  package private(set) var floor: SpeakerID?
  private var settings: Settings
  private var speakers: [Speaker] = []
  private var lastUpdate: Instant?
  /// Where in `speakers` the participant observed next is looked for first.
  private var expected = 0

  package init(settings: Settings = Settings()) {
    self.settings = settings
    heard.reserveCapacity(self.settings.heardMax)
  }

  /// How many are mixed at once, at least 1. With fewer than are heard now, the quietest are heard no longer.
  package var heardMax: Int {
    get { settings.heardMax }
    set {
      settings.heardMax = max(newValue, 1)
      while heard.count > settings.heardMax, let quietest = quietestHeard { leave(quietest) }
    }
  }

  private var quietestHeard: Int? {
    speakers.indices.filter { speakers[$0].heardSince != nil }.min { speakers[$0].loudness < speakers[$1].loudness }
  }

  package func isHeard(_ id: SpeakerID) -> Bool { heard.contains(id) }
  package func isSpeaking(_ id: SpeakerID) -> Bool { speakers.contains { $0.id == id && $0.isSpeaking } }

  /// Takes in one participant's tick; who is not observed in a tick counts as silent. Costs a search the first time in a tick
  /// unless participants are observed in the same order each tick.
  ///
  /// - Parameters:
  ///   - level: in -dBov, 0 to 127.
  ///   - isOpen: whether the participant's gate is open, which decides who is heard.
  ///   - isLoud: whether this tick itself is voice rather than held, which is what speaking and the floor go by.
  package mutating func observe(_ id: SpeakerID, level: UInt8, isOpen: Bool, isLoud: Bool) {
    let index = findOrAdd(id)
    speakers[index].observe(loudness: 127 - Int(min(level, 127)), isOpen: isOpen, isLoud: isLoud && isOpen)
  }

  private mutating func findOrAdd(_ id: SpeakerID) -> Int {
    if expected >= speakers.count || speakers[expected].id != id {
      if let index = speakers.firstIndex(where: { $0.id == id }) {
        expected = index
      } else {
        speakers.append(Speaker(id: id))
        expected = speakers.count - 1
      }
    }
    defer { expected += 1 }
    return expected
  }

  /// Ends a tick.
  package mutating func update(at now: Instant, into events: inout [SpeakerEvent]) {
    let tick = lastUpdate.map { max(now - $0, .zero) } ?? .milliseconds(20)
    lastUpdate = now
    expected = 0
    for index in speakers.indices { speakers[index].beginUpdate() }
    updateHeard(at: now)
    for index in speakers.indices {
      speakers[index].updateSpeaking(at: now, tick: min(tick, .milliseconds(100)), settings: settings, into: &events)
    }
    updateFloor(tick: min(tick, .milliseconds(100)), into: &events)
  }

  /// A participant is gone or may not speak any longer.
  package mutating func remove(_ id: SpeakerID, into events: inout [SpeakerEvent]) {
    guard let index = speakers.firstIndex(where: { $0.id == id }) else { return }
    if speakers[index].isSpeaking { events.append(.speakingStopped(id)) }
    speakers.remove(at: index)
    heard.removeAll { $0 == id }
    expected = 0
    guard floor == id else { return }
    // Whoever spoke last comes next, and nobody where nobody ever spoke.
    var successor: Speaker?
    for speaker in speakers where speaker.lastVoice > (successor?.lastVoice ?? .zero) { successor = speaker }
    floor = successor?.id
    events.append(.floorChanged(floor))
  }
}

// MARK: Who is heard

extension SpeakerDetector {
  private mutating func updateHeard(at now: Instant) {
    for index in speakers.indices where speakers[index].heardSince != nil && !speakers[index].isOpen { leave(index) }
    while let loudest = candidate() {
      if heard.count < settings.heardMax {
        enter(loudest, at: now)
        continue
      }
      guard let weakest = weakestHeard(at: now),
        speakers[loudest].loudness >= speakers[weakest].loudness + settings.displacementDecibels * Speaker.scale
      else { return }
      leave(weakest)
      enter(loudest, at: now)
    }
  }

  /// The loudest of those with a voice who are not heard yet.
  private func candidate() -> Int? {
    var best: Int?
    for index in speakers.indices where speakers[index].isOpen && speakers[index].heardSince == nil {
      if speakers[index].loudness > (best.map { speakers[$0].loudness } ?? -1) { best = index }
    }
    return best
  }

  private func weakestHeard(at now: Instant) -> Int? {
    var weakest: Int?
    for index in speakers.indices {
      guard let since = speakers[index].heardSince, now - since >= settings.heardMin else { continue }
      if speakers[index].loudness < (weakest.map { speakers[$0].loudness } ?? .max) { weakest = index }
    }
    return weakest
  }

  private mutating func enter(_ index: Int, at now: Instant) {
    speakers[index].heardSince = now
    heard.append(speakers[index].id)
  }

  private mutating func leave(_ index: Int) {
    speakers[index].heardSince = nil
    let id = speakers[index].id
    heard.removeAll { $0 == id }
  }
}

// MARK: Who holds the floor

extension SpeakerDetector {
  private mutating func updateFloor(tick: Interval, into events: inout [SpeakerEvent]) {
    let holder = floor.flatMap { id in speakers.firstIndex { $0.id == id } }
    let dominant = dominantSpeaker(holder: holder)
    for index in speakers.indices {
      // Half as fast down as up, so that the pauses between words do not count against anybody.
      let isDominant = index == dominant && speakers[index].isLoud
      let change = isDominant ? tick : -(tick / 2)
      speakers[index].dominance = min(max(speakers[index].dominance + change, .zero), settings.interruptionAfter)
    }
    guard let dominant, dominant != holder else { return }
    let isHolderSpeaking = holder.map { speakers[$0].isOpen } ?? false
    let needed =
      holder == nil ? settings.firstAfter : isHolderSpeaking ? settings.interruptionAfter : settings.successionAfter
    guard speakers[dominant].dominance >= needed else { return }
    floor = speakers[dominant].id
    for index in speakers.indices { speakers[index].dominance = .zero }
    events.append(.floorChanged(floor))
  }

  /// Who is the loudest; the holder unless somebody is clearly louder.
  private func dominantSpeaker(holder: Int?) -> Int? {
    var best: Int?
    for index in speakers.indices where speakers[index].isOpen {
      if speakers[index].loudness > (best.map { speakers[$0].loudness } ?? -1) { best = index }
    }
    guard let best, let holder, best != holder, speakers[holder].isOpen else { return best }
    let lead = speakers[best].loudness - speakers[holder].loudness
    return lead >= settings.dominanceDecibels * Speaker.scale ? best : holder
  }
}
