import AudioFiles
import Compositing
import Dispatch
import EncodedMedia
import Layouts
import RealTime
import Synchronization
import Timing
import WebRTCTransport

/// All rooms of this server: who may come in, who is where, and what is made for whom. Decisions only; no sample, pixel or
/// packet passes here.
///
///     ControlAPI ──join, patch, leave──▶ Conferences ──commands──▶ RoomMix, Canvas, PeerTransport
///                ◀──events────────────── EventHub    ◀──connected, ended── ParticipantMedia
///
/// One owner for each room: whatever touches its membership runs here, one thing after another.
package actor Conferences: ConferenceControl {
  /// Makes answers to offers; knows the server's addresses and certificate.
  let negotiator: PeerNegotiator
  let transport: any PeerTransport
  let settings: ConferenceSettings
  let layoutLibrary: LayoutLibrary
  let soundLibrary: SoundLibrary
  /// Images and text of the whole server; each room has pictures of its own.
  let resources: CanvasResources
  /// Where sound files are read, one after the other.
  let soundQueue = DispatchQueue(label: "sounds")
  let mixLoop = TickLoop(name: "mix", priority: .realTime, skipAfter: .milliseconds(100))
  let pictureLoop = TickLoop(name: "pictures", priority: .normal, skipAfter: .milliseconds(50))
  let groupQuota = GroupQuota()
  let pictureGate: PictureGate
  let events = EventHub()
  let outputs = OutputIDSource()
  let outputDesk = OutputDesk()
  let started = MonotonicClock.now()

  var roomsByName: [String: Room] = [:] {
    didSet {
      let names = Set(roomsByName.keys)
      roomNames.withLock { $0 = names }
    }
  }
  /// The rooms there are, for threads that cannot wait for the actor.
  let roomNames = Mutex<Set<String>>([])
  /// Told about what should stand in the log.
  let log: @Sendable (String) -> Void
  /// Name, meaning and value of what the transport counts.
  let transportMetrics: @Sendable () -> [(String, String, Double)]
  /// What the loops reported and nobody has taken up yet.
  private let reports = Mailbox<Report>(capacity: 100_000)
  private var random = SystemRandomNumberGenerator()
  private var lastParticipantNumber: UInt32 = 0
  private var lastPromptID: Prompt.ID = 0
  private var isDraining = false
  var joinCount = 0
  /// Pictures drawn for snapshots since the start.
  var snapshotCount = 0
  /// Images that people sent, since the start.
  var avatarCount = 0
  var governor = Governor()
  package internal(set) var admissionControl: AdmissionControl
  /// Nil while nothing is measured, because nobody is here.
  var lastCounts: LoadCounts?
  /// What the governor was told last.
  var governed: LoadCounts?
  /// Ticks of canvases since then that found the picture before still at work.
  var missedPictures = 0
  /// For threads that cannot wait for the actor.
  let loadReport = Mutex(LoadReport())

  package init(
    settings: ConferenceSettings, layouts: LayoutLibrary, sounds: SoundLibrary = SoundLibrary(directory: "Prompts"),
    resources: CanvasResources = CanvasResources(), negotiator: PeerNegotiator, transport: any PeerTransport,
    transportMetrics: @escaping @Sendable () -> [(String, String, Double)] = { [] },
    log: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.settings = settings
    pictureGate = PictureGate { [groupQuota] in
      groupQuota.read()
    } exempt: { [mixLoop] in
      mixLoop.unlimitedTime
    }
    admissionControl = AdmissionControl(shareMax: settings.processorMax)
    self.layoutLibrary = layouts
    self.soundLibrary = sounds
    self.resources = resources
    self.negotiator = negotiator
    self.transport = transport
    self.transportMetrics = transportMetrics
    self.log = log
  }

  // MARK: Joining and leaving

  package func join(_ request: JoinRequest) async throws(ConferenceError) -> JoinAnswer {
    if isDraining {
      throw .init(.overloaded(retryAfterSeconds: 30), "The server is stopping; join another one or try again later.")
    }
    if participantCount >= settings.participantsMax {
      throw .init(.overloaded(retryAfterSeconds: 10), "The server is full; try again later.")
    }
    let cost = try checkLoad(request)
    let answer = try negotiate(request)
    let exists = roomsByName[request.room] != nil
    let room = try findOrMakeRoom(request.room)
    do {
      let joined = try admit(request, answer, to: room)
      expectLoad(cost)
      return joined
    } catch {
      if !exists { roomsByName[room.name] = nil }
      throw error
    }
  }

  private func admit(_ request: JoinRequest, _ answer: PeerAnswer, to room: Room) throws(ConferenceError) -> JoinAnswer {
    let wanted = room.output(named: request.output)
    if wanted == nil, request.kind != .publish {
      throw .init(
        .notFound,
        "The room has no output '\(request.output ?? "")'; it has \(room.outputs.map(\.name).joined(separator: ", ")).")
    }
    if request.kind != .publish, !room.hasAudioOutput(request.audioOutput) {
      throw .init(
        .notFound,
        "The room has no audio output '\(request.audioOutput ?? "")'; it has \(room.audio.outputNames.joined(separator: ", "))."
      )
    }
    try checkAdmission(request, to: room)
    var mixOf: UInt32?
    if let followed = request.mixOf {
      guard let index = room.index(of: followed) else {
        throw .init(.notFound, "participant=\(followed) is nobody in this room; name the id of the one whose mix you want.")
      }
      mixOf = room.participants[index].media.number
    }
    if let avatar = request.avatar { try check(avatar: avatar) }
    var participant = makeParticipant(request, answer, room: room, output: wanted?.name, mixOf: mixOf)
    participant.isAdmitted = isAdmitted(request, follows: mixOf, in: room)
    participant.media.setOnStage(participant.isOnStage, at: MonotonicClock.now())
    participant.media.video.setTakesStills(videoLevel == .stills)
    participant.content = request.content ?? answer.setup.content
    participant.avatar = request.avatar.map { ImageReference(.avatars, $0) }
    // Who names none and wants less than the first takes, is given what is within that.
    let isTooMuch = wanted.map { first in answer.setup.pictureBitsPerSecondMax.map { !first.fits($0) } ?? false } ?? false
    participant.isAutomatic = request.output == OutputSettings.automatic || request.output == nil && isTooMuch
    // Who leaves the picture to his line leaves the sound to it as well, unless he says otherwise.
    let audioOutput = request.audioOutput ?? (participant.isAutomatic ? AudioSettings.automaticOutput : nil)
    participant.rules.audioOutput = audioOutput == AudioSettings.mainOutput ? nil : audioOutput
    room.participants.append(participant)
    room.emptyCount += 1
    joinCount += 1
    transport.add(participant.peer, answer.setup, observer: participant.media)
    return JoinAnswer(participant: participant.id, answer: answer.text, entityTag: answer.entityTag)
  }

  private func negotiate(_ request: JoinRequest) throws(ConferenceError) -> PeerAnswer {
    let direction: AnswerDirection =
      switch request.kind {
      case .publish: .receiveOnly
      case .watch: .sendOnly
      case .takePart: .both
      }
    do {
      return try negotiator.answer(request.offer, direction: direction, using: &random)
    } catch {
      throw ConferenceError(error)
    }
  }

  private func makeParticipant(
    _ request: JoinRequest, _ answer: PeerAnswer, room: Room, output: String?, mixOf: UInt32?
  ) -> Room.Participant {
    lastParticipantNumber &+= 1
    let number = lastParticipantNumber
    let peer = PeerID(number)
    let (roomName, transport, desk) = (room.name, transport, outputDesk)
    let holder = MediaHolder()
    let video = VideoSource(execution: .serialQueue(pictureGate)) {
      if let stream = holder.media?.videoStream { transport.requestKeyframe(peer, stream) }
    }
    let media = ParticipantMedia(number: number, video: video) { stream in
      transport.requestKeyframe(peer, stream)
    } layersChanged: { stream, count in
      transport.want(peer, stream, temporalLayers: count)
    } keyframeNeeded: { output in
      desk.request(output)
    } receiversChanged: { output, count in
      desk.receiversChanged(of: output, by: count)
    } report: { [weak self] event in
      self?.report(.peer(event, room: roomName, number: number))
    }
    holder.media = media
    return Room.Participant(
      id: makeIdentifier(), peer: peer, media: media, setup: answer.setup, entityTag: answer.entityTag, name: request.name,
      role: request.role ?? Self.role(of: request.kind), subject: request.subject,
      output: answer.setup.sendCodec(.video) == nil ? nil : output, selfView: request.selfView, mixOf: mixOf)
  }

  /// 128 random bits in hexadecimal.
  private func makeIdentifier() -> String {
    let text = [random.next(), random.next()].map { bits in
      let digits = String(bits, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }
    return text.joined()
  }

  func makePromptID() -> Prompt.ID {
    lastPromptID &+= 1
    return lastPromptID
  }

  package func trickle(
    room name: String, participant id: String, fragment: String, entityTag: String?
  ) async throws(ConferenceError) -> TrickleAnswer {
    let (room, index) = try find(room: name, participant: id)
    let participant = room.participants[index]
    if let entityTag, entityTag != participant.entityTag {
      throw .init(.stale, "If-Match names an ICE session that is over; use the ETag of the newest answer.")
    }
    do {
      let outcome = try negotiator.apply(fragment: fragment, to: participant.setup, using: &random)
      room.participants[index].setup = outcome.setup
      transport.update(participant.peer, outcome.setup)
      guard let restart = outcome.restart else { return .accepted }
      room.participants[index].entityTag = restart.entityTag
      return .restarted(fragment: restart.fragment, entityTag: restart.entityTag)
    } catch {
      throw ConferenceError(error)
    }
  }

  package func leave(room name: String, participant id: String, by requester: Requester) async throws(ConferenceError) {
    let (room, index) = try find(room: name, participant: id)
    var turnover = Turnover()
    switch requester {
    case .himself: remove(at: index, from: room, reason: .left, words: "the peer left", &turnover)
    case .host:
      let isAdmitted = room.participants[index].isAdmitted
      remove(
        at: index, from: room, reason: isAdmitted ? .kicked : .refused,
        words: isAdmitted ? "taken out of the room" : "not let into the room", &turnover)
    }
    settle(room, after: turnover)
  }

  // MARK: What the loops report

  package enum Report: Sendable {
    case peer(ParticipantMedia.Event, room: String, number: UInt32)
    case mix(RoomMix.Change, room: String)
  }

  /// From the loops' threads. Tasks may overtake one another; what they find in the mailbox is in the order it was reported.
  package nonisolated func report(_ report: Report) {
    reports.post(report)
    Task { await takeReports() }
  }

  private func takeReports() {
    var taken: [Report] = []
    reports.collect(into: &taken)
    var turnovers: [String: Turnover] = [:]
    for report in taken {
      switch report {
      case .peer(let event, let room, let number):
        peerReported(event, room: room, number: number, &turnovers[room, default: Turnover()])
      case .mix(let change, let room): mixReported(change, room: room)
      }
    }
    for (name, turnover) in turnovers {
      if let room = roomsByName[name] { settle(room, after: turnover) }
    }
  }

  private func peerReported(
    _ event: ParticipantMedia.Event, room name: String, number: UInt32, _ turnover: inout Turnover
  ) {
    guard let room = roomsByName[name], let index = room.index(of: number) else { return }
    switch event {
    case .connected: connect(index, in: room, &turnover)
    case .pictureSwitched(let output): pictureSwitched(index, to: output, in: room)
    case .ended(let reason):
      remove(
        at: index, from: room, reason: reason == .closed ? .left : .disconnected, words: reason.description, &turnover)
    }
  }

  private func connect(_ index: Int, in room: Room, _ turnover: inout Turnover) {
    guard !room.participants[index].isConnected else { return }
    room.participants[index].isConnected = true
    log("room \(room.name): participant \(room.participants[index].id.prefix(8)) is connected")
    enter(index, in: room, &turnover)
  }

  // MARK: Rooms

  private func findOrMakeRoom(_ name: String) throws(ConferenceError) -> Room {
    if let room = roomsByName[name] { return room }
    if !settings.autoCreate { throw .init(.notFound, "There is no room '\(name)'; create it with PUT /v1/rooms/\(name).") }
    return try makeRoom(name, RoomSettings())
  }

  /// - Parameter sounds: the samples of what `wanted` names.
  func makeRoom(_ name: String, _ wanted: RoomSettings, sounds: [String: [Int16]] = [:]) throws(ConferenceError) -> Room {
    guard isValidName(name) else { throw .init(.unprocessable, "A room name is 1 to 64 of A-Z a-z 0-9 . _ -") }
    if roomsByName.count >= settings.roomsMax {
      throw .init(.overloaded(retryAfterSeconds: 10), "There are too many rooms; try later.")
    }
    let layout = wanted.layout ?? settings.layout
    guard let template = layoutLibrary.template(layout) else { throw unknownLayout(layout) }
    let audio = settings.audio.applying(wanted.audio)
    let board = SceneBoard(layout: template)
    let room = Room(
      name: name, layout: layout, outputs: wanted.outputs ?? settings.outputs, audio: audio,
      admission: settings.admission.applying(wanted.admission), stage: settings.stage.applying(wanted.stage), board: board,
      resources: resources.ofAnotherRoom(), mix: makeMix(audio, room: name, board: board))
    publishLayouts(of: room)
    room.sounds = settings.sounds.merging(sounds) { $1 }
    roomsByName[name] = room
    // Who listened to an earlier room of this name may not see into this one.
    if room.admission.lobby { events.post(.roomChanged(room.admission, room.stage, spotlight: nil), room: name) }
    return room
  }

  private func mixReported(_ change: RoomMix.Change, room name: String) {
    guard let room = roomsByName[name] else { return }
    func identifier(_ number: UInt32) -> String? { room.index(of: number).map { room.participants[$0].id } }
    switch change {
    case .speakingStarted(let number): identifier(number).map { events.post(.speakingStarted(id: $0), room: name) }
    case .speakingStopped(let number): identifier(number).map { events.post(.speakingStopped(id: $0), room: name) }
    case .floor(let number):
      // Whoever speaks, the floor is with who is in the spotlight.
      guard room.board.spotlight == nil else { return }
      events.post(.floorChanged(id: number.flatMap(identifier)), room: name)
    case .promptEnded(let id): promptFinished(id, in: room)
    case .promptRefused(let id): promptRefused(id, in: room)
    }
  }

  /// Ends the room unless somebody comes in time.
  func scheduleEnd(of room: Room) {
    room.emptyCount += 1
    let (name, count) = (room.name, room.emptyCount)
    let patience = settings.emptySeconds
    Task { [weak self] in
      try? await Task.sleep(for: .seconds(patience))
      await self?.endIfEmpty(name, count)
    }
  }

  private func endIfEmpty(_ name: String, _ count: Int) {
    guard let room = roomsByName[name], room.participants.isEmpty, room.emptyCount == count else { return }
    end(room, reason: "empty")
  }

  func end(_ room: Room, reason: String) {
    announceEnd(of: room, reason: reason)
    var turnover = Turnover()
    for index in room.participants.indices.reversed() {
      remove(at: index, from: room, reason: .closed, words: "the room was closed", &turnover)
    }
    // Nobody is left for whom it would be settled.
    for (key, canvas) in room.canvases { stop(canvas, key, in: room) }
    tell(turnover, in: room)
    roomsByName[room.name] = nil
  }

  /// Tells that a room will end, once: a drain announces it long before it does.
  private func announceEnd(of room: Room, reason: String) {
    guard !room.isClosing else { return }
    room.isClosing = true
    events.post(.roomClosing(reason: reason), room: room.name)
  }

  // MARK: Finding

  var participantCount: Int { roomsByName.values.reduce(0) { $0 + $1.participants.count } }

  func find(room name: String) throws(ConferenceError) -> Room {
    guard let room = roomsByName[name] else {
      throw .init(.notFound, "There is no room '\(name)'; join it or create it with PUT /v1/rooms/\(name).")
    }
    return room
  }

  func find(room name: String, participant id: String) throws(ConferenceError) -> (room: Room, index: Int) {
    let room = try find(room: name)
    guard let index = room.index(of: id) else {
      throw .init(
        .notFound, "There is no such participant in room '\(name)'; GET /v1/rooms/\(name)/participants lists who is there.")
    }
    return (room, index)
  }

  func unknownLayout(_ name: String) -> ConferenceError {
    .init(.unprocessable, "There is no layout '\(name)'; choose one of \(layoutLibrary.names.joined(separator: ", ")).")
  }

  // MARK: Stopping

  /// Takes no new participants from now on and tells those who are there.
  package func drain() {
    isDraining = true
    for room in roomsByName.values { announceEnd(of: room, reason: "the server is stopping") }
  }

  /// Ends every room.
  package func stop() {
    for room in Array(roomsByName.values) { end(room, reason: "the server is stopping") }
  }

  package func isReady() async -> Bool { !isDraining && load().takesNewcomers }

  /// Whether nobody is in any room.
  package var isEmpty: Bool { participantCount == 0 }
}

/// Breaks the circle between a participant's media and the decoder that asks for its keyframes.
private final class MediaHolder: @unchecked Sendable {
  // Unchecked: set once, before the decoder that reads it can get its first frame.
  weak var media: ParticipantMedia?
}

extension PeerSetup {
  /// What the offer says that the picture is of.
  fileprivate var content: PictureContent {
    session.media.first { $0.type == .video && $0.direction.receives }?.content.flatMap(PictureContent.init) ?? .main
  }
}
