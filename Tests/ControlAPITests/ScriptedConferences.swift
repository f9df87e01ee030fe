import Conference
import Synchronization

/// Rooms without media: remembers what was asked and answers by simple rules.
final class ScriptedConferences: ConferenceControl {
  struct State {
    var rooms: [String: RoomDescription] = [:]
    var joins: [JoinRequest] = []
    var trickles: [(participant: String, fragment: String, entityTag: String?)] = []
    var departures: [String] = []
    var patches: [ParticipantPatch] = []
    var roomSettings: [RoomSettings] = []
    var prompts: [PromptDescription] = []
    /// Subscriptions ever made, those that ended included.
    var subscriptionCount = 0
    /// Times that a room's description was asked for.
    var readings = 0
    var sinks: [Int: (room: String, sink: @Sendable (ConferenceEvent) -> Void)] = [:]
    var nextSink = 0
    var isReady = true
    var load = LoadReport()
    /// Thrown by the next call that may throw.
    var nextError: ConferenceError?
    /// What a join waits for.
    var gate: CheckedContinuation<Void, Never>?
    var holdsJoins = false
  }
  let state = Mutex(State())

  init() {
    var ada = ParticipantDescription(id: "p1", name: "Ada", role: "host")
    ada.subject = "ada"
    ada.sendsAudio = true
    ada.sendsVideo = true
    ada.output = "main"
    ada.audioOutput = "low"
    ada.group = "desk"
    ada.mutedFor = ["p2"]
    ada.receivesVideoCodec = "VP8"
    ada.receivesAudioCodec = "opus"
    ada.slot = .index(0)
    ada.speaking = true
    ada.levelDb = -23.456
    ada.statistics = [("packetsReceived", 1200), ("lossPercent", 0.5)]
    var bob = ParticipantDescription(id: "p2", name: "Bob <b>", role: "panelist")
    bob.sendsAudio = true
    bob.audioMuted = true
    bob.slot = .id("main")
    bob.whisperTo = ["p1"]
    bob.sideRoom = "corner"
    let room = RoomDescription(
      name: "lobby", layout: "grid",
      outputs: [OutputSettings(name: "main", width: 1280, height: 720, fps: 30, bitrate: 1_500_000)],
      audio: AudioSettings(), participants: [ada, bob], floor: "p1")
    state.withLock { $0.rooms["lobby"] = room }
  }

  private func fail() throws(ConferenceError) {
    let error = state.withLock { state in
      defer { state.nextError = nil }
      return state.nextError
    }
    if let error { throw error }
  }

  private func find(_ name: String) throws(ConferenceError) -> RoomDescription {
    try fail()
    guard let room = state.withLock({ $0.rooms[name] }) else {
      throw ConferenceError(.notFound, "There is no room '\(name)'; PUT makes one.")
    }
    return room
  }

  func emit(_ change: ConferenceEvent.Change, room: String = "lobby") {
    let event = ConferenceEvent(room: room, unixNanoseconds: 1_790_000_000_123_456_789, change: change)
    for sink in state.withLock({ $0.sinks.values.filter { $0.room == room } }) { sink.sink(event) }
  }

  func join(_ request: JoinRequest) async throws(ConferenceError) -> JoinAnswer {
    if state.withLock({ $0.holdsJoins }) {
      await withCheckedContinuation { continuation in state.withLock { $0.gate = continuation } }
    }
    try fail()
    state.withLock { $0.joins.append(request) }
    return JoinAnswer(participant: "secret-42", answer: "v=0\r\ns=answer\r\n", entityTag: "tag-1")
  }

  func trickle(room: String, participant: String, fragment: String, entityTag: String?) async throws(ConferenceError)
    -> TrickleAnswer
  {
    try fail()
    state.withLock { $0.trickles.append((participant, fragment, entityTag)) }
    if let entityTag, entityTag != "tag-1" { throw ConferenceError(.stale, "The ICE session is over; use the newest ETag.") }
    return entityTag == nil ? .restarted(fragment: "a=ice-ufrag:new\r\n", entityTag: "tag-2") : .accepted
  }

  func leave(room: String, participant: String, by requester: Requester) async throws(ConferenceError) {
    try fail()
    state.withLock { $0.departures.append(requester == .host ? "\(participant) kicked" : participant) }
  }

  func rooms(listing: RoomListing) async -> [RoomDescription] {
    state.withLock { $0.rooms.values.sorted { $0.name < $1.name } }.map { $0.listed(listing) }
  }
  func room(_ name: String, listing: RoomListing) async throws(ConferenceError) -> RoomDescription {
    state.withLock { $0.readings += 1 }
    return try find(name).listed(listing)
  }

  func putRoom(_ name: String, settings: RoomSettings) async throws(ConferenceError) -> (room: RoomDescription, created: Bool) {
    try fail()
    let room = RoomDescription(
      name: name, layout: settings.layout ?? "grid", outputs: settings.outputs ?? [],
      audio: AudioSettings().applying(settings.audio),
      participants: [], floor: nil)
    return state.withLock { state in
      state.roomSettings.append(settings)
      return (room, state.rooms.updateValue(room, forKey: name) == nil)
    }
  }

  func patchRoom(_ name: String, settings: RoomSettings) async throws(ConferenceError) -> RoomDescription {
    var room = try find(name)
    room.layout = settings.layout ?? room.layout
    room.audio = room.audio.applying(settings.audio)
    let changed = room
    state.withLock { state in
      state.roomSettings.append(settings)
      state.rooms[name] = changed
    }
    if let layout = settings.layout { emit(.layoutChanged(layout: layout), room: name) }
    return changed
  }

  func deleteRoom(_ name: String) async throws(ConferenceError) {
    _ = try find(name)
    state.withLock { $0.rooms[name] = nil }
  }

  func participants(room: String) async throws(ConferenceError) -> [ParticipantDescription] { try find(room).participants }

  func participant(room: String, id: String) async throws(ConferenceError) -> ParticipantDescription {
    guard let found = try find(room).participants.first(where: { $0.id == id }) else {
      throw ConferenceError(.notFound, "There is no participant '\(id)' in this room.")
    }
    return found
  }

  func patchParticipants(room: String, roles: [String]?, patch: ParticipantPatch) async throws(ConferenceError)
    -> [ParticipantDescription]
  {
    state.withLock { $0.patches.append(patch) }
    return try find(room).participants.filter { roles?.contains($0.role) ?? ($0.role != "host") }
  }

  func patchParticipant(room: String, id: String, patch: ParticipantPatch, by requester: Requester)
    async throws(ConferenceError)
    -> ParticipantDescription
  {
    var found = try await participant(room: room, id: id)
    if requester == .himself, let key = patch.keysOfHosts.first {
      throw ConferenceError(.forbidden, "'\(key)' is changed by hosts.")
    }
    state.withLock { $0.patches.append(patch) }
    found.name = patch.name ?? found.name
    return found
  }

  func putAvatar(room: String, id: String, image: [UInt8], by requester: Requester) async throws(ConferenceError)
    -> ParticipantDescription
  {
    var found = try await participant(room: room, id: id)
    guard image.first != 0 else { throw ConferenceError(.unprocessable, "The image is none.") }
    found.avatar = "\(image.count) bytes"
    return found
  }
  func use(ofLayout name: String) async -> String? { name == "speaker" ? "the room 'lobby' has it" : nil }
  func avatar(room: String, id: String) async throws(ConferenceError) -> [UInt8] {
    _ = try await participant(room: room, id: id)
    return id == "p1" ? [0xFF, 0xD8, 1] : [0x89, 0x50]
  }

  func startPrompt(room: String, _ request: PromptRequest) async throws(ConferenceError) -> PromptDescription {
    _ = try find(room)
    return state.withLock { state in
      let prompt = PromptDescription(id: String(state.prompts.count + 1), request: request, seconds: 1.2345)
      state.prompts.append(prompt)
      return prompt
    }
  }
  func prompts(room: String) async throws(ConferenceError) -> [PromptDescription] {
    _ = try find(room)
    return state.withLock { $0.prompts }
  }
  func prompt(room: String, id: String) async throws(ConferenceError) -> PromptDescription {
    guard let prompt = try await prompts(room: room).first(where: { $0.id == id }) else {
      throw ConferenceError(.notFound, "There is no prompt '\(id)'.")
    }
    return prompt
  }
  func stopPrompt(room: String, id: String) async throws(ConferenceError) {
    _ = try await prompt(room: room, id: id)
    state.withLock { $0.prompts.removeAll { $0.id == id } }
  }

  func snapshot(room: String, output: String?) async throws(ConferenceError) -> [UInt8] {
    _ = try find(room)
    return Array("PNG \(output ?? "first")".utf8)
  }

  func subscribe(room: String, _ sink: @escaping @Sendable (ConferenceEvent) -> Void) async -> EventSubscription {
    let number = state.withLock { state -> Int in
      state.nextSink += 1
      state.sinks[state.nextSink] = (room, sink)
      state.subscriptionCount += 1
      return state.nextSink
    }
    return EventSubscription { [self] in state.withLock { _ = $0.sinks.removeValue(forKey: number) } }
  }

  func hasRoom(_ name: String) -> Bool { state.withLock { $0.rooms[name] != nil } }
  func metrics() async -> String { "# TYPE tutti_rooms gauge\ntutti_rooms 1\n" }
  func load() -> LoadReport { state.withLock { $0.load } }
  func isReady() async -> Bool { state.withLock { $0.isReady } }
}

extension RoomDescription {
  /// With those alone who are asked for.
  fileprivate func listed(_ listing: RoomListing) -> RoomDescription {
    let isMeant = { (person: ParticipantDescription) in listing.subject != nil && person.subject == listing.subject }
    var listed = self
    listed.participants.removeAll { $0.isInAudience && !listing.namesAudience && !isMeant($0) }
    listed.waiting.removeAll { !listing.namesWaiting && !isMeant($0) }
    listed.audience = participants.count(where: \.isInAudience)
    return listed
  }
}
