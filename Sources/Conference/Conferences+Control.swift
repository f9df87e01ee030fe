import Compositing
import Dispatch
import EncodedMedia
import Layouts
import RawMedia
import RealTime
import Timing
import WebRTCTransport

/// What is asked and changed while a room runs.
extension Conferences {
  package func rooms(listing: RoomListing) async -> [RoomDescription] {
    roomsByName.values.sorted { $0.name < $1.name }.map { $0.describe(listing) }
  }

  package func room(_ name: String, listing: RoomListing) async throws(ConferenceError) -> RoomDescription {
    try find(room: name).describe(listing)
  }

  package func putRoom(
    _ name: String, settings wanted: RoomSettings
  ) async throws(ConferenceError) -> (room: RoomDescription, created: Bool) {
    try check(wanted, over: settings.audio, in: roomsByName[name])
    let sounds = try await sounds(of: wanted.audio)
    guard let room = roomsByName[name] else {
      let room = try makeRoom(name, wanted, sounds: sounds)
      room.isAwaitingFirst = true
      return (room.describe(), true)
    }
    let whole = RoomSettings(layout: wanted.layout ?? settings.layout, outputs: wanted.outputs ?? settings.outputs)
    lead(
      room, settings.admission.applying(wanted.admission), settings.stage.applying(wanted.stage), wanted.stage?.spotlight ?? nil
    )
    apply(whole, audio: settings.audio.applying(wanted.audio), sounds: settings.sounds.merging(sounds) { $1 }, to: room)
    if room.participants.isEmpty {
      // Prepared once more, after a rehearsal perhaps: what would have ended it does so no longer.
      room.isAwaitingFirst = true
      room.emptyCount += 1
    }
    return (room.describe(), false)
  }

  package func patchRoom(_ name: String, settings wanted: RoomSettings) async throws(ConferenceError) -> RoomDescription {
    try check(wanted, over: try find(room: name).audio, in: try find(room: name))
    let sounds = try await sounds(of: wanted.audio)
    // The room may have changed while files were read.
    let room = try find(room: name)
    lead(
      room, room.admission.applying(wanted.admission), room.stage.applying(wanted.stage),
      wanted.stage?.spotlight ?? room.identifier(room.board.spotlight))
    apply(wanted, audio: room.audio.applying(wanted.audio), sounds: room.sounds.merging(sounds) { $1 }, to: room)
    return room.describe()
  }

  /// Changes a room by settings that were checked.
  ///
  /// - Parameter sounds: the samples of at least those that `audio` names.
  private func apply(_ wanted: RoomSettings, audio: AudioSettings, sounds: [String: [Int16]], to room: Room) {
    let (oldLayout, oldOutputs) = (room.layout, room.outputs)
    room.layout = wanted.layout ?? oldLayout
    room.outputs = wanted.outputs ?? oldOutputs
    // Before any new canvas starts: it shows the new layout from its first picture on.
    publishLayouts(of: room)
    if room.outputs != oldOutputs { outputsChanged(of: room) } else { updateCanvases(of: room) }
    if room.layout != oldLayout { events.post(.layoutChanged(layout: room.layout), room: room.name) }
    let names = Set(audio.soundNames)
    let kept = sounds.filter { names.contains($0.key) }
    guard audio != room.audio || kept != room.sounds else { return }
    let waitingChanged =
      audio.waiting != room.audio.waiting || audio.waiting.map { kept[$0] != room.sounds[$0] } ?? false
    room.audio = audio
    room.sounds = kept
    audioChanged(of: room, waitingChanged: waitingChanged)
  }

  /// Says what cannot be done before anything is changed.
  private func check(_ wanted: RoomSettings, over audio: AudioSettings, in room: Room?) throws(ConferenceError) {
    if let layout = wanted.layout, layoutLibrary.template(layout) == nil { throw unknownLayout(layout) }
    if let fault = audio.applying(wanted.audio).fault { throw .init(.unprocessable, fault) }
    try check(wanted.stage, in: room)
    guard let outputs = wanted.outputs else { return }
    guard (1...8).contains(outputs.count) else { throw .init(.unprocessable, "outputs: a room has 1 to 8 of them.") }
    for output in outputs {
      if let fault = output.fault { throw .init(.unprocessable, fault) }
      if let layout = output.layout, layoutLibrary.template(layout) == nil { throw unknownLayout(layout) }
    }
    if Set(outputs.map(\.name)).count != outputs.count { throw .init(.unprocessable, "outputs: each needs a name of its own.") }
  }

  /// Puts the templates the room's settings name onto its board.
  func publishLayouts(of room: Room) {
    guard let template = layoutLibrary.template(room.layout) else { return }
    var own: [String: LayoutTemplate] = [:]
    for output in room.outputs { own[output.name] = output.layout.flatMap { layoutLibrary.template($0) } }
    let templates = own
    room.board.change { scene in
      scene.layout = template
      scene.layoutsByOutput = templates
    }
    publishWaiting(of: room)
  }

  /// A layout file was saved: every room that uses it shows it at its next tick.
  package func layoutChanged(_ name: String) {
    for room in roomsByName.values where uses(room, name) {
      publishLayouts(of: room)
      updateCanvases(of: room)
      events.post(.layoutChanged(layout: name), room: room.name)
    }
  }

  /// The file of a layout is gone. A layout that a room shows, or that new rooms begin with, stays as it is.
  ///
  /// - Returns: whether the layout is gone as well.
  package func layoutDeleted(_ name: String) -> Bool {
    guard use(ofLayout: name) == nil else { return false }
    layoutLibrary.remove(name)
    return true
  }

  package func use(ofLayout name: String) -> String? {
    if settings.layout == name || settings.stage.waitingLayout == name
      || settings.outputs.contains(where: { $0.layout == name })
    {
      return "new rooms begin with it, as 'rooms' of the configuration says"
    }
    let rooms = roomsByName.values.filter { uses($0, name) }.map(\.name).sorted()
    guard let first = rooms.first else { return nil }
    return rooms.count == 1 ? "the room '\(first)' has it" : "\(rooms.count) rooms have it, '\(first)' among them"
  }

  private func uses(_ room: Room, _ layout: String) -> Bool {
    room.layout == layout || room.stage.waitingLayout == layout || room.outputs.contains { $0.layout == layout }
  }

  /// A layout file was saved that cannot be used; the last good one stays.
  package func layoutInvalid(_ name: String, message: String) {
    for room in roomsByName.values { events.post(.layoutInvalid(layout: name, message: message), room: room.name) }
  }

  private func outputsChanged(of room: Room) {
    let outputs = room.outputs
    for index in room.participants.indices {
      guard let name = room.participants[index].output, !outputs.contains(where: { $0.name == name }) else { continue }
      room.participants[index].output = outputs.first?.name
    }
    updateCanvases(of: room)
    events.post(.outputsChanged(outputs), room: room.name)
  }

  package func deleteRoom(_ name: String) async throws(ConferenceError) { end(try find(room: name), reason: "deleted") }

  // MARK: Observing

  /// Who is to be seen in a room, for tests.
  package func board(of name: String) -> SceneBoard? { roomsByName[name]?.board }

  package func subscribe(
    room: String, _ sink: @escaping @Sendable (ConferenceEvent) -> Void
  ) async -> EventSubscription { events.subscribe(room: room, sink) }

  /// Events of all rooms, as long as the server lives. `sink` must not block.
  package nonisolated func observe(_ sink: @escaping @Sendable (ConferenceEvent) -> Void) {
    _ = events.subscribe(room: nil, sink)
  }

  package nonisolated func hasRoom(_ name: String) -> Bool { roomNames.withLock { $0.contains(name) } }

  package func metrics() async -> String {
    var text = MetricsText()
    text.add("tutti_rooms", "Rooms that exist.", .gauge, Double(roomsByName.count))
    text.add("tutti_participants", "Participants in all rooms.", .gauge, Double(participantCount))
    text.add(
      "tutti_participants_waiting", "Those in the lobbies.", .gauge,
      Double(count { $0.participants.count { $0.isConnected && !$0.isAdmitted } }))
    text.add(
      "tutti_hands_raised", "Raised hands.", .gauge, Double(count { $0.participants.count { $0.handRaised != nil } }))
    let senders = roomsByName.values.sorted { $0.name < $1.name }.flatMap { room in
      room.participants.filter { $0.isConnected && $0.isTaken(.audio) }.map { (room: room.name, participant: $0) }
    }
    text.add(
      "tutti_participants_speaking", "Participants who speak now.", .gauge,
      Double(senders.count { $0.participant.media.speaking.load(ordering: .relaxed) }))
    text.add("tutti_side_rooms", "Side rooms that somebody is in.", .gauge, Double(count { $0.sidePlaces.count }))
    text.add("tutti_prompts", "Prompts being played.", .gauge, Double(count { $0.prompts.count }))
    text.add(
      "tutti_participant_level_dbov",
      "How loud who sends sound is: 0 loudest, -127 silence; of the first \(Self.levelsMax).", .gauge,
      senders.prefix(Self.levelsMax).map { room, participant in
        (
          [("room", room), ("participant", participant.id)],
          -Double(participant.media.level.load(ordering: .relaxed))
        )
      })
    text.add("tutti_joins_total", "Offers answered since the start.", .counter, Double(joinCount))
    text.add(
      "tutti_snapshots_drawn_total", "Pictures drawn for snapshots, each for all who asked meanwhile.", .counter,
      Double(snapshotCount))
    text.add("tutti_uptime_seconds", "Since the start.", .gauge, (MonotonicClock.now() - started).seconds)
    text.add("tutti_mix_ticks_total", "Audio ticks that were due.", .counter, Double(mixLoop.ticks))
    text.add(
      "tutti_mix_ticks_late_total", "Audio ticks that began more than 20 ms late.", .counter, Double(mixLoop.lateTicks))
    text.add(
      "tutti_mix_ticks_skipped_total", "Audio ticks left out because they were more than 100 ms late.", .counter,
      Double(mixLoop.skippedTicks))
    addReceivers(to: &text)
    let canvases = roomsByName.values.flatMap { $0.canvases.values }
    text.add("tutti_canvases", "Pictures being composed.", .gauge, Double(canvases.count))
    text.add(
      "tutti_canvas_ticks_skipped",
      "Picture ticks left out because the one before was still at work, of the canvases there are.",
      .gauge, Double(canvases.reduce(0) { $0 + $1.skippedTicks }))
    text.add(
      "tutti_canvas_pixels_scaled", "Pixels that pictures were scaled to for the canvases there are.", .gauge,
      Double(canvases.reduce(0) { $0 + $1.scaledPixels }))
    text.add(
      "tutti_canvas_frames_encoded", "Pictures encoded by the canvases there are.", .gauge,
      Double(canvases.reduce(0) { $0 + $1.encodedFrames }))
    addLoad(to: &text)
    for (name, help, value) in transportMetrics() {
      text.add(name, help, name.hasSuffix("_total") ? .counter : .gauge, value)
    }
    return text.text
  }

  /// Who is sent which picture, and what their lines carry.
  private func addReceivers(to text: inout MetricsText) {
    let receivers = roomsByName.values.sorted { $0.name < $1.name }.flatMap { room in
      room.participants.filter { $0.isConnected && $0.setup.sendCodec(.video) != nil }.map { (room: room, participant: $0) }
    }
    var counts: [[String]: Int] = [:]
    for (room, participant) in receivers {
      let output = participant.isAutomatic ? participant.givenOutput?.name : participant.output
      counts[[room.name, output ?? ""], default: 0] += 1
    }
    text.add(
      "tutti_output_receivers", "Receivers of each output; without a name, those whose lines carry only sound.", .gauge,
      counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, count in
        ([("room", key[0]), ("output", key[1])], Double(count))
      })
    text.add(
      "tutti_participant_estimated_bits_per_second",
      "What the line of who receives pictures is thought to carry; of the first \(Self.levelsMax).", .gauge,
      receivers.lazy.filter { $0.participant.media.statistics.hasEstimate }.prefix(Self.levelsMax).map { room, participant in
        (
          [("room", room.name), ("participant", participant.id)],
          Double(participant.media.statistics.estimatedBitsPerSecond)
        )
      })
    text.add(
      "tutti_probes_sent", "Bursts sent to learn what the lines of those there are carry.", .gauge,
      Double(receivers.reduce(0) { $0 + $1.participant.media.statistics.probesSent }))
  }

  /// More series than these would burden whoever collects them.
  private static let levelsMax = 500

  private func count(_ body: (Room) -> Int) -> Int { roomsByName.values.reduce(0) { $0 + body($1) } }
}
