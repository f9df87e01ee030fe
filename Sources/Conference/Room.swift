import Compositing
import EncodedMedia
import Layouts
import Timing
import WebRTCTransport

/// One room as the control side knows it: who is in it and what is made for them. Lives within `Conferences`; the loops hold
/// only its mix, its canvases and its scene.
final class Room {
  /// One who sends, receives or both.
  struct Participant {
    let id: String
    let peer: PeerID
    let media: ParticipantMedia
    var setup: PeerSetup
    var entityTag: String
    var name: String
    var role: String
    /// Who he is by his token.
    let subject: String?
    /// Whether he is in the room; else he waits in the lobby.
    var isAdmitted = true
    /// When he raised his hand, in nanoseconds since 1970 UTC.
    var handRaised: Int64?
    /// Whether he is kept out of the picture.
    var isHidden = false
    /// Whether a host muted him.
    var isMutedByHost = false
    /// Name of the output he chose, or the room's first; nil where he receives no picture.
    var output: String?
    /// Whether he is given the output that his line carries, whatever `output` says.
    var isAutomatic = false
    /// The pictures he is sent now; nil before the first of them and for sound alone.
    var givenOutput: (id: OutputID, name: String)?
    /// Whether he is in the picture he receives; nil for as the layout says.
    var selfView: Bool?
    /// What his picture is of.
    var content = PictureContent.main
    /// Shown where he has no picture.
    var avatar: ImageReference?
    /// WHEP: the participant whose mix he hears instead of one of his own.
    var mixOf: UInt32?
    var pin: SlotReference?
    /// Whom he hears, and who hears him.
    var rules = HearingRules()
    /// The side room he was sent to; nil for the room itself.
    var sideRoom: String?
    /// Where he hears and is heard; nil until he is connected.
    var place: SoundPlace?
    /// ICE and DTLS are done: he is in the scene and in the mix.
    var isConnected = false
    /// What he may be sent of pictures.
    var subscribedPictures: VideoLadder?

    /// Whether he is on the stage: whoever is in the room and no viewer.
    var isOnStage: Bool { isAdmitted && role != Room.audienceRole }
    /// Whether others hear or see him.
    func isTaken(_ kind: MediaKind) -> Bool { isOnStage && setup.receives(kind) }
    /// Whether layouts have a place for him: who only watches is not seen.
    var isShown: Bool { isConnected && !isHidden && (isTaken(.audio) || isTaken(.video)) }
  }

  /// The role of those who are only shown and played the room.
  static let audienceRole = "viewer"

  let name: String
  var layout: String
  var outputs: [OutputSettings]
  var audio: AudioSettings
  var admission: AdmissionSettings
  var stage: StageSettings
  /// In the order they joined.
  var participants: [Participant] = []
  /// How many the last `audience-changed` told of.
  var audienceTold = 0
  let board: SceneBoard
  /// What its canvases have in common.
  let resources: CanvasResources
  /// What is shown to those who wait: a text in the place of the people.
  let waitingBoard: SceneBoard
  /// Stands for nobody on that board: it carries the text.
  let usher = ParticipantMedia(
    number: 0, video: VideoSource(execution: .inPlace) {}, keyframeNeeded: { _ in }, report: { _ in })
  /// The sound of the room itself.
  let main: SoundPlace
  /// Made with the first who is sent there, ended with the last.
  var sidePlaces: [String: SoundPlace] = [:]
  /// The samples of the sounds that `audio` names.
  var sounds: [String: [Int16]] = [:]
  /// In the order they were started.
  var prompts: [RunningPrompt] = []
  /// What is composed and encoded now: one for each output that somebody receives, and one for each who sees himself otherwise than
  /// others see him.
  var canvases: [CanvasKey: Canvas] = [:]
  /// What is being drawn for who asked for a snapshot, and is given to all who ask meanwhile.
  var snapshots: [CanvasKey: Task<[UInt8], Never>] = [:]
  /// Counts the times the room became empty or filled, so that an old timer does not close it.
  var emptyCount = 0
  /// Whether it was made for people to come who have not come yet: then it stays though it is empty.
  var isAwaitingFirst = false
  /// Everybody has been told that the room will end.
  var isClosing = false

  struct CanvasKey: Hashable {
    var output: String
    /// For whom alone it is; nil for the picture everybody sees.
    var viewer: CanvasViewer?
    /// Whether it is the picture for those who wait.
    var isWaiting = false
  }

  init(
    name: String, layout: String, outputs: [OutputSettings], audio: AudioSettings, admission: AdmissionSettings,
    stage: StageSettings, board: SceneBoard, resources: CanvasResources, mix: RoomMix
  ) {
    self.name = name
    self.layout = layout
    self.outputs = outputs
    self.audio = audio
    self.admission = admission
    self.stage = stage
    self.board = board
    self.resources = resources
    waitingBoard = SceneBoard(layout: board.current.layout)
    main = SoundPlace(name: nil, mix: mix)
  }

  func index(of id: String) -> Int? { participants.firstIndex { $0.id == id } }

  /// By halves: numbers rise in the order people joined.
  func index(of number: UInt32) -> Int? {
    var range = participants.startIndex..<participants.endIndex
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      let found = participants[middle].media.number
      if found == number { return middle }
      range = found < number ? (middle + 1)..<range.upperBound : range.lowerBound..<middle
    }
    return nil
  }

  /// The output a participant means by `wanted`: nil and `auto` mean the first.
  func output(named wanted: String?) -> OutputSettings? {
    guard let wanted, wanted != "auto" else { return outputs.first }
    return outputs.first { $0.name == wanted }
  }

  /// Whether a receiver may have this audio output: nil means the first, `auto` what his line carries.
  func hasAudioOutput(_ wanted: String?) -> Bool {
    wanted.map { $0 == AudioSettings.automaticOutput || audio.outputNames.contains($0) } ?? true
  }

  /// Whose ears somebody hears with: his own, or of whom he follows.
  func ear(of participant: Participant) -> UInt32 {
    participant.mixOf.flatMap { index(of: $0) == nil ? nil : $0 } ?? participant.media.number
  }

  /// The room's own place and its side rooms.
  var places: [SoundPlace] { [main] + sidePlaces.values }

  /// Where those are who wait: no name of a side room.
  static let waitingPlace = " waiting"

  /// Whether somebody is shown and played the waiting picture rather than the room. Who follows another's mix belongs to that one.
  func isKeptWaiting(_ participant: Participant) -> Bool {
    let followed = participant.mixOf.flatMap { index(of: $0) }.map { participants[$0] }
    return !participant.isAdmitted || (!stage.onAir && (followed ?? participant).role == Self.audienceRole)
  }

  /// The place somebody belongs into: nil for the room itself.
  func placeName(of participant: Participant) -> String? {
    isKeptWaiting(participant) ? Self.waitingPlace : sideRoom(of: participant)
  }

  /// The side room somebody belongs into: who follows another's mix goes where that one is.
  func sideRoom(of participant: Participant) -> String? {
    guard let followed = participant.mixOf, let index = index(of: followed) else { return participant.sideRoom }
    return participants[index].sideRoom
  }

  /// Whether a sender is one whom a receiver hears. Who follows another's mix hears with that one's ears.
  func hears(_ receiver: Participant, _ sender: Participant) -> Bool {
    if receiver.rules.isDeaf { return false }
    let number = ear(of: receiver)
    let rules = number == receiver.media.number ? receiver.rules : index(of: number).map { participants[$0].rules }
    return HearingRules.hears((number, rules ?? receiver.rules), (sender.media.number, sender.rules))
  }

  /// Tells the canvases who is to be seen, all at once.
  func publishScene() {
    let people = participants.filter(\.isShown).map {
      SceneBoard.Person(
        media: $0.media, name: $0.name, role: $0.role, sendsVideo: $0.setup.receives(.video),
        sharesScreen: $0.content == .slides, pin: $0.pin, avatar: $0.avatar)
    }
    board.change { $0.people = people }
  }

  /// How many are in the room who only watch.
  var audienceCount: Int { participants.count { $0.isConnected && $0.isAdmitted && !$0.isOnStage } }

  func describe(_ participant: Participant) -> ParticipantDescription {
    let media = participant.media
    var description = ParticipantDescription(id: participant.id, name: participant.name, role: participant.role)
    description.subject = participant.subject
    description.isAdmitted = participant.isAdmitted
    description.handRaised = participant.handRaised
    description.isHidden = participant.isHidden
    description.isMutedByHost = participant.isMutedByHost
    description.sendsAudio = participant.isTaken(.audio)
    description.sendsVideo = participant.isTaken(.video)
    description.content = participant.content
    description.avatar = participant.avatar.map { avatar in
      avatar.folder == .uploads ? "/v1/rooms/\(name)/participants/\(participant.id)/avatar" : avatar.path
    }
    description.output = participant.isAutomatic ? participant.givenOutput?.name : participant.output
    description.isAutomatic = participant.isAutomatic
    description.selfView = participant.selfView
    if participant.setup.sendCodec(.audio) != nil {
      description.audioOutput = participant.rules.audioOutput ?? AudioSettings.mainOutput
    }
    description.receivesAudioCodec = participant.setup.sendCodec(.audio)?.rawValue
    description.receivesVideoCodec = participant.setup.sendCodec(.video)?.rawValue
    description.audioMuted = media.audioMuted.load(ordering: .relaxed)
    description.videoMuted = media.videoMuted.load(ordering: .relaxed)
    description.deaf = participant.rules.isDeaf
    description.group = participant.rules.group
    description.whisperTo = participant.rules.whispersTo.map(identifiers)
    description.mutedFor = identifiers(participant.rules.mutedFor)
    description.sideRoom = sideRoom(of: participant)
    description.gain = Double(media.gain)
    description.slot = participant.isShown ? media.slot : nil
    description.pin = participant.pin
    description.speaking = media.speaking.load(ordering: .relaxed)
    description.levelDb = -Double(media.level.load(ordering: .relaxed))
    description.statistics = statistics(of: media)
    return description
  }

  /// Ids in the order they joined.
  private func identifiers(_ numbers: Set<UInt32>) -> [String] {
    numbers.isEmpty ? [] : participants.filter { numbers.contains($0.media.number) }.map(\.id)
  }

  private func statistics(of media: ParticipantMedia) -> [(name: String, value: Double)] {
    let network = media.statistics
    let audio = media.audioStatistics
    let playout = audio.playout
    let milliseconds = { (samples: Int) in Double(samples) / 48 }
    var values: [(name: String, value: Double)] = [
      ("packetsReceived", Double(network.packetsReceived)), ("bytesReceived", Double(network.bytesReceived)),
      ("packetsSent", Double(network.packetsSent)), ("bytesSent", Double(network.bytesSent)),
      ("packetsLost", Double(network.packetsLost)), ("fractionLostByPeer", network.fractionLostByPeer),
      ("retransmissionsRequested", Double(network.retransmissionsRequested)),
      ("retransmissionsSent", Double(network.retransmissionsSent)), ("keyframesRequested", Double(network.keyframesRequested)),
      ("datagramsRefused", Double(network.datagramsRefused)), ("audioJitterMs", network.audioJitter.milliseconds),
      ("audioPlayoutDelayMs", playout.delay.milliseconds), ("audioPlayoutDelayMinMs", playout.delayMin.milliseconds),
      ("audioPlayoutDelayMaxMs", playout.delayMax.milliseconds), ("audioFramesLate", Double(playout.late)),
      ("audioLatenessMaxMs", playout.latenessMax.milliseconds),
      ("audioFramesDuplicate", Double(playout.duplicates)), ("audioFramesRecovered", Double(playout.recoveredFrames)),
      ("audioConcealedMs", milliseconds(playout.concealedSamples + playout.underrunSamples)),
      ("audioExpandedMs", milliseconds(playout.expandedSamples)),
      ("audioAcceleratedMs", milliseconds(playout.acceleratedSamples)), ("audioTicksDecoded", Double(audio.ticksDecoded)),
      ("redundantCopiesSent", Double(network.redundantCopies)), ("parityPacketsSent", Double(network.parityPacketsSent)),
      ("videoFramesDecoded", Double(media.video.decodedCount)),
      ("videoFramesFailed", Double(media.video.failedCount)),
    ]
    if network.hasEstimate {
      values.append(("estimatedBitsPerSecond", Double(network.estimatedBitsPerSecond)))
      values.append(("pathQueueDelayMs", network.pathQueueDelay.milliseconds))
    }
    if network.receivesPictures {
      values.append(("temporalLayers", Double(network.temporalLayers)))
      values.append(("pacingQueueMs", network.pacingQueueTime.milliseconds))
      values.append(("framesRefused", Double(network.framesRefused)))
      values.append(("probesSent", Double(network.probesSent)))
      values.append(("paddingPacketsSent", Double(network.paddingPacketsSent)))
    }
    if let roundTrip = network.roundTripTime { values.append(("roundTripTimeMs", roundTrip.milliseconds)) }
    if let size = media.video.pictureSize {
      values.append(("videoWidth", Double(size.width)))
      values.append(("videoHeight", Double(size.height)))
    }
    return values
  }

  func describe(_ listing: RoomListing = .everybody) -> RoomDescription {
    let listed = participants.filter { participant in
      let isNamed = participant.isAdmitted ? participant.isOnStage || listing.namesAudience : listing.namesWaiting
      return participant.isConnected && (isNamed || (listing.subject != nil && participant.subject == listing.subject))
    }
    var description = RoomDescription(
      name: name, layout: layout, outputs: outputs, audio: audio, participants: listed.filter(\.isAdmitted).map(describe),
      floor: identifier(board.floor))
    description.audience = audienceCount
    description.admission = admission
    description.stage = stage
    description.waiting = listed.filter { !$0.isAdmitted }.map(describe)
    description.spotlight = identifier(board.spotlight)
    return description
  }

  /// The id of whom a number names.
  func identifier(_ number: UInt32?) -> String? { number.flatMap { index(of: $0) }.map { participants[$0].id } }
}
