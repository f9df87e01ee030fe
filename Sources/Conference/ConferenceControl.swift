/// What people and programs may ask of the conferences on this server: the seam between `ControlAPI` and the rooms.
///
/// Everything here is a decision, tens a second at most. Each call either happens whole or throws and changes nothing.
/// Two implementations: `Conferences`, and the scripted one that the HTTP tests run against.
package protocol ConferenceControl: Sendable {
  /// A new participant with the SDP offer he brings; makes the room where `autoCreate` allows it.
  func join(_ request: JoinRequest) async throws(ConferenceError) -> JoinAnswer
  /// Trickled candidates or an ICE restart (RFC 8840 fragment).
  ///
  /// - Parameter entityTag: the tag the request names in If-Match, nil where it names none or `*`.
  func trickle(room: String, participant: String, fragment: String, entityTag: String?) async throws(ConferenceError)
    -> TrickleAnswer
  /// Ends somebody's session.
  func leave(room: String, participant: String, by: Requester) async throws(ConferenceError)

  /// - Parameter listing: whom the descriptions name.
  func rooms(listing: RoomListing) async -> [RoomDescription]
  func room(_ name: String, listing: RoomListing) async throws(ConferenceError) -> RoomDescription
  /// Creates a room or replaces its settings.
  func putRoom(_ name: String, settings: RoomSettings) async throws(ConferenceError) -> (room: RoomDescription, created: Bool)
  /// Changes what `settings` names and leaves the rest.
  func patchRoom(_ name: String, settings: RoomSettings) async throws(ConferenceError) -> RoomDescription
  func deleteRoom(_ name: String) async throws(ConferenceError)

  func participants(room: String) async throws(ConferenceError) -> [ParticipantDescription]
  func participant(room: String, id: String) async throws(ConferenceError) -> ParticipantDescription
  func patchParticipant(room: String, id: String, patch: ParticipantPatch, by: Requester) async throws(ConferenceError)
    -> ParticipantDescription
  /// Changes all who have one of the roles; nil for everybody but hosts and admins.
  ///
  /// - Returns: those who were changed.
  func patchParticipants(room: String, roles: [String]?, patch: ParticipantPatch) async throws(ConferenceError)
    -> [ParticipantDescription]

  /// Shows an image where a participant has no picture: the bytes of a PNG or JPEG file.
  func putAvatar(room: String, id: String, image: [UInt8], by requester: Requester) async throws(ConferenceError)
    -> ParticipantDescription
  /// What uses a layout, in words: a room, or what new rooms begin with; nil where nothing does.
  func use(ofLayout name: String) async -> String?
  /// The bytes of a participant's avatar.
  func avatar(room: String, id: String) async throws(ConferenceError) -> [UInt8]

  /// Plays a sound into a room or to one participant.
  func startPrompt(room: String, _ request: PromptRequest) async throws(ConferenceError) -> PromptDescription
  /// What is being played, in the order it was started.
  func prompts(room: String) async throws(ConferenceError) -> [PromptDescription]
  func prompt(room: String, id: String) async throws(ConferenceError) -> PromptDescription
  func stopPrompt(room: String, id: String) async throws(ConferenceError)

  /// A PNG of the picture being sent now.
  func snapshot(room: String, output: String?) async throws(ConferenceError) -> [UInt8]

  /// Whether there is such a room now, for those who cannot wait for an answer.
  func hasRoom(_ name: String) -> Bool
  /// Events of one room from now on, in order. `sink` must not block; it is called until the subscription is cancelled.
  func subscribe(room: String, _ sink: @escaping @Sendable (ConferenceEvent) -> Void) async -> EventSubscription
  /// Prometheus text exposition.
  func metrics() async -> String
  /// How much of the processors is in use, and what is given up for it.
  func load() -> LoadReport
  /// Whether new participants are taken.
  func isReady() async -> Bool
}

/// Keeps events coming until cancelled.
package struct EventSubscription: Sendable {
  package let cancel: @Sendable () -> Void
  package init(cancel: @escaping @Sendable () -> Void) { self.cancel = cancel }
}

/// What a client asked for when it sent its offer.
package struct JoinRequest: Sendable {
  /// Which of the three paths it came by (RFC 9725, the WHEP draft, and both in one).
  package enum Kind: Sendable { case publish, watch, takePart }
  package var kind: Kind
  package var room: String
  /// The SDP offer.
  package var offer: String
  /// The name to be shown; empty where none was given.
  package var name: String
  /// Nil for what goes with the path: who watches is a viewer, others are panelists.
  package var role: String?
  /// Who he is by his token; nil where nobody has to say.
  package var subject: String?
  /// Name of the output to receive; nil for the room's first, `auto` for whichever the receiver's line carries.
  package var output: String?
  /// Name of the audio output to receive; nil or `auto` for the room's first.
  package var audioOutput: String?
  /// Whether the participant's own picture is in what he receives; nil for as the layout says.
  package var selfView: Bool?
  /// WHEP: whose minus-one mix to send.
  package var mixOf: String?
  /// What the picture sent is of; nil for what the offer says of it.
  package var content: PictureContent?
  /// Shown where he has no picture: a file below the directory of avatars.
  package var avatar: String?

  package init(
    kind: Kind, room: String, offer: String, name: String = "", role: String? = nil, subject: String? = nil,
    output: String? = nil, audioOutput: String? = nil, selfView: Bool? = nil, mixOf: String? = nil,
    content: PictureContent? = nil, avatar: String? = nil
  ) {
    self.kind = kind
    self.room = room
    self.offer = offer
    self.name = name
    self.role = role
    self.subject = subject
    self.output = output
    self.audioOutput = audioOutput
    self.selfView = selfView
    self.mixOf = mixOf
    self.content = content
    self.avatar = avatar
  }
}

package struct JoinAnswer: Sendable {
  /// Names the participant and his session: 128 random bits, URL-safe, so that nobody guesses it.
  package var participant: String
  /// The SDP answer.
  package var answer: String
  /// Opaque tag of the ICE session, without quotes.
  package var entityTag: String

  package init(participant: String, answer: String, entityTag: String) {
    self.participant = participant
    self.answer = answer
    self.entityTag = entityTag
  }
}

/// The outcome of a PATCH: nothing to say (204), or new ICE credentials after a restart (200).
package enum TrickleAnswer: Sendable {
  case accepted
  case restarted(fragment: String, entityTag: String)
}

/// Settings of a room; nil means unsaid: the default on PUT, unchanged on PATCH.
package struct RoomSettings: Sendable, Equatable {
  package var layout: String?
  package var outputs: [OutputSettings]?
  package var audio: AudioChange?
  package var admission: AdmissionChange?
  package var stage: StageChange?

  package init(
    layout: String? = nil, outputs: [OutputSettings]? = nil, audio: AudioChange? = nil, admission: AdmissionChange? = nil,
    stage: StageChange? = nil
  ) {
    self.layout = layout
    self.outputs = outputs
    self.audio = audio
    self.admission = admission
    self.stage = stage
  }
}

/// One encoded picture of a room.
package struct OutputSettings: Sendable, Equatable {
  /// In place of a name: whichever the receiver's line carries.
  package static let automatic = "auto"

  package var name: String
  /// Pixels, even, 64 to 3840 and 64 to 2160.
  package var width: Int
  package var height: Int
  /// Pictures per second, 1 to 60.
  package var fps: Int
  /// Bits per second, 30 000 to 20 000 000.
  package var bitrate: Int
  /// The output's own layout; nil for the room's.
  package var layout: String?

  package init(name: String, width: Int, height: Int, fps: Int, bitrate: Int, layout: String? = nil) {
    self.name = name
    self.width = width
    self.height = height
    self.fps = fps
    self.bitrate = bitrate
    self.layout = layout
  }
}

/// Whom the description of a room names besides those on stage: of thousands who watch, each would take a kilobyte.
package struct RoomListing: Sendable, Equatable {
  package static let everybody = RoomListing()

  /// Whether those who only watch are named, rather than counted.
  package var namesAudience = true
  /// Whether all in the lobby are.
  package var namesWaiting = true
  /// Who is named in any case, by his token; nil for nobody.
  package var subject: String?

  package init(namesAudience: Bool = true, namesWaiting: Bool = true, subject: String? = nil) {
    self.namesAudience = namesAudience
    self.namesWaiting = namesWaiting
    self.subject = subject
  }
}

package struct RoomDescription: Sendable {
  package var name: String
  package var layout: String
  package var outputs: [OutputSettings]
  package var audio: AudioSettings
  package var admission = AdmissionSettings()
  package var stage = StageSettings()
  /// Everybody in the room, or as many as were asked for.
  package var participants: [ParticipantDescription]
  /// How many are in the room who only watch.
  package var audience = 0
  /// Those in the lobby, in the order they came.
  package var waiting: [ParticipantDescription] = []
  /// Who holds the active-speaker slot; nil while nobody spoke.
  package var floor: String?
  /// Whom a host gave that slot; nil where it goes to who speaks.
  package var spotlight: String?

  package init(
    name: String, layout: String, outputs: [OutputSettings], audio: AudioSettings, participants: [ParticipantDescription],
    floor: String?
  ) {
    self.name = name
    self.layout = layout
    self.outputs = outputs
    self.audio = audio
    self.participants = participants
    self.floor = floor
  }
}

/// Where a participant is shown: a slot's name, else its index from 0.
package enum SlotReference: Sendable, Equatable {
  case id(String)
  case index(Int)
}

package struct ParticipantDescription: Sendable {
  /// What `JoinAnswer` named the participant.
  package var id: String
  package var name: String
  package var role: String
  /// Who he is by his token; not told to others.
  package var subject: String?
  /// Whether he is in the room; else he waits in the lobby.
  package var isAdmitted = true
  /// Whether he only watches.
  package var isInAudience: Bool { role == Room.audienceRole }
  /// When he raised his hand, in nanoseconds since 1970 UTC; nil while it is down.
  package var handRaised: Int64?
  /// Whether he is kept out of the picture.
  package var isHidden = false
  /// Whether a host muted him.
  package var isMutedByHost = false
  package var sendsAudio: Bool
  package var sendsVideo: Bool
  package var content = PictureContent.main
  /// Shown where he has no picture: a file below the directory of avatars, or the path of an image that was sent.
  package var avatar: String?
  /// Name of the output received; nil where no picture is.
  package var output: String?
  /// Whether the output is chosen by what the receiver's line carries.
  package var isAutomatic = false
  /// Whether he is in the picture he receives himself; nil for as the layout says.
  package var selfView: Bool?
  /// Name of the audio output received; nil where no sound is.
  package var audioOutput: String?
  /// Codec names of what is received, as SDP writes them; nil where nothing is.
  package var receivesAudioCodec: String?
  package var receivesVideoCodec: String?
  package var audioMuted: Bool
  package var videoMuted: Bool
  package var deaf: Bool
  /// Who sits in one place with others of the group, and does not hear them here.
  package var group: String?
  /// The ids of those who alone hear him; nil where everybody does.
  package var whisperTo: [String]?
  /// The ids of those who do not hear him.
  package var mutedFor: [String]
  /// The side room he is in; nil for the room itself.
  package var sideRoom: String?
  /// Linear gain in the mix, 0 to 4.
  package var gain: Double
  package var slot: SlotReference?
  /// The slot a host wants him in; nil where the layout decides.
  package var pin: SlotReference?
  package var speaking: Bool
  /// dBov: 0 loudest, -127 silence.
  package var levelDb: Double
  /// Counters and measurements by name, in the order to be shown.
  package var statistics: [(name: String, value: Double)]

  package init(id: String, name: String, role: String) {
    self.id = id
    self.name = name
    self.role = role
    sendsAudio = false
    sendsVideo = false
    output = nil
    audioOutput = nil
    receivesAudioCodec = nil
    receivesVideoCodec = nil
    audioMuted = false
    videoMuted = false
    deaf = false
    group = nil
    whisperTo = nil
    mutedFor = []
    sideRoom = nil
    gain = 1
    slot = nil
    speaking = false
    levelDb = -127
    statistics = []
  }
}

/// What PATCH changes of a participant; nil means unchanged.
package struct ParticipantPatch: Sendable, Equatable {
  package var name: String?
  package var audioMuted: Bool?
  package var videoMuted: Bool?
  package var deaf: Bool?
  package var gain: Double?
  /// `.some(nil)` takes the pin away.
  package var slot: SlotReference??
  package var role: String?
  package var output: String?
  package var audioOutput: String?
  /// `.some(nil)` takes him out of his group, lets everybody hear him, brings him back into the room.
  package var group: String??
  package var whisperTo: [String]??
  package var mutedFor: [String]?
  package var sideRoom: String??
  package var content: PictureContent?
  /// `.some(nil)` for as the layout says.
  package var selfView: Bool??
  /// `.some(nil)` takes his avatar away.
  package var avatar: String??
  package var handRaised: Bool?
  /// Keeps him out of the picture; he is heard.
  package var hidden: Bool?
  /// Brings him in from the lobby; there is no way back but out.
  package var admitted: Bool?

  package init() {}

  /// The names of what only a host may change.
  package var keysOfHosts: [String] {
    let given: [(String, Bool)] = [
      ("gain", gain != nil), ("slot", slot != nil), ("role", role != nil), ("group", group != nil),
      ("whisperTo", whisperTo != nil), ("mutedFor", mutedFor != nil), ("sideRoom", sideRoom != nil), ("hidden", hidden != nil),
      ("admitted", admitted != nil),
    ]
    return given.filter(\.1).map(\.0)
  }
}

/// What is to be played, and to whom.
package struct PromptRequest: Sendable, Equatable {
  /// Name of a file in the directory of prompts, or of a chime.
  package var file: String
  /// Who alone hears it; nil for the whole room, without its side rooms.
  package var participant: String?
  package var loops: Bool
  package var placement: Prompt.Placement
  /// Linear, 0 to 4.
  package var gain: Double

  package init(
    file: String, participant: String? = nil, loops: Bool = false, placement: Prompt.Placement = .under, gain: Double = 1
  ) {
    self.file = file
    self.participant = participant
    self.loops = loops
    self.placement = placement
    self.gain = gain
  }
}

/// Something that is being played.
package struct PromptDescription: Sendable, Equatable {
  package var id: String
  package var request: PromptRequest
  /// Length of the recording.
  package var seconds: Double

  package init(id: String, request: PromptRequest, seconds: Double) {
    self.id = id
    self.request = request
    self.seconds = seconds
  }
}

/// Why something is no longer played, in the words of the event.
package enum PromptEndReason: String, Sendable {
  /// It reached its end.
  case finished
  /// Somebody stopped it.
  case stopped
  /// Nobody it is for is there any more.
  case left
  /// More was played than there was room for in the mix.
  case refused
}

/// Whose wish it is that something becomes of somebody.
package enum Requester: Sendable {
  case himself
  /// Somebody who leads the room.
  case host
}

/// Why a request was refused. `detail` is a sentence that says what to do.
package struct ConferenceError: Error, Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    /// 400: the offer or fragment does not parse; `line` of it, from 1.
    case malformed(line: Int?)
    /// 406
    case noCommonCodec
    /// 403
    case forbidden
    /// 404
    case notFound
    /// 409
    case conflict
    /// 412: If-Match names an ICE session that is over.
    case stale
    /// 422: understood and impossible.
    case unprocessable
    /// 503 with Retry-After
    case overloaded(retryAfterSeconds: Int)
  }
  package var kind: Kind
  package var detail: String

  package init(_ kind: Kind, _ detail: String) {
    self.kind = kind
    self.detail = detail
  }
}

/// Room and output names: 1 to 64 of A-Z a-z 0-9 . _ -, and neither `.` nor `..`, so that a name is never a path.
package func isValidName(_ name: String) -> Bool {
  let bytes = name.utf8
  guard (1...64).contains(bytes.count), name != ".", name != ".." else { return false }
  return bytes.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
