import Conference
import JSON5

/// JSON of rooms, people and events, with the names of the contract.
extension JSONWriter {
  mutating func value(_ room: RoomDescription) {
    beginObject()
    member("name", room.name)
    member("layout", room.layout)
    key("outputs")
    value(room.outputs)
    key("audio")
    value(room.audio)
    value(room.admission, room.stage, spotlight: room.spotlight)
    key("participants")
    value(room.participants)
    member("audience", room.audience)
    key("waiting")
    value(room.waiting)
    member("floor", room.floor)
    endObject()
  }

  /// The members `admission` and `stage` of the object that is open.
  mutating func value(_ admission: AdmissionSettings, _ stage: StageSettings, spotlight: String?) {
    key("admission")
    beginObject()
    member("locked", admission.locked)
    member("lobby", admission.lobby)
    for (name, limit) in [("participantsMax", admission.participantsMax), ("publishersMax", admission.publishersMax)] {
      key(name)
      if let limit { value(limit) } else { null() }
    }
    endObject()
    key("stage")
    beginObject()
    member("onAir", stage.onAir)
    member("waitingLayout", stage.waitingLayout)
    member("waitingText", stage.waitingText)
    member("selfUnmute", stage.selfUnmute)
    member("spotlight", spotlight)
    endObject()
  }

  mutating func value(_ audio: AudioSettings) {
    beginObject()
    member("bitrate", audio.bitrate)
    member("maxSpeakers", audio.maxSpeakers)
    member("stereo", audio.stereo)
    member("mode", audio.mode.rawValue)
    member("noiseSuppression", audio.noiseSuppression)
    member("audioPan", audio.audioPan)
    key("outputs")
    beginArray()
    for output in audio.outputs {
      beginObject()
      member("name", output.name)
      member("bitrate", output.bitrate)
      member("ptime", output.ptime)
      member("fec", output.fec)
      endObject()
    }
    endArray()
    member("joinTone", audio.joinTone)
    member("leaveTone", audio.leaveTone)
    member("waiting", audio.waiting)
    endObject()
  }

  mutating func value(_ prompt: PromptDescription) {
    beginObject()
    member("id", prompt.id)
    member("file", prompt.request.file)
    member("participant", prompt.request.participant)
    member("loop", prompt.request.loops)
    member("placement", prompt.request.placement.rawValue)
    member("gain", prompt.request.gain)
    member("seconds", (prompt.seconds * 1_000).rounded() / 1_000)
    endObject()
  }

  mutating func value(_ names: [String]) {
    beginArray()
    for name in names { value(name) }
    endArray()
  }

  mutating func value(_ outputs: [OutputSettings]) {
    beginArray()
    for output in outputs {
      beginObject()
      member("name", output.name)
      member("width", output.width)
      member("height", output.height)
      member("fps", output.fps)
      member("bitrate", output.bitrate)
      if let layout = output.layout { member("layout", layout) }
      endObject()
    }
    endArray()
  }

  mutating func value(_ participants: [ParticipantDescription]) {
    beginArray()
    for participant in participants { value(participant) }
    endArray()
  }

  mutating func value(_ participant: ParticipantDescription) {
    beginObject()
    member("id", participant.id)
    member("name", participant.name)
    member("role", participant.role)
    member("avatar", participant.avatar)
    member("admitted", participant.isAdmitted)
    member("handRaised", participant.handRaised != nil)
    member("handRaisedAt", participant.handRaised.map { rfc3339(unixNanoseconds: $0) })
    key("sends")
    beginObject()
    member("audio", participant.sendsAudio)
    member("video", participant.sendsVideo)
    member("content", participant.content.rawValue)
    endObject()
    key("receives")
    beginObject()
    member("output", participant.output)
    member("auto", participant.isAutomatic)
    member("codec", participant.receivesVideoCodec)
    key("self")
    if let selfView = participant.selfView { value(selfView) } else { null() }
    member("audio", participant.audioOutput)
    member("audioCodec", participant.receivesAudioCodec)
    endObject()
    member("audioMuted", participant.audioMuted)
    member("mutedByHost", participant.isMutedByHost)
    member("videoMuted", participant.videoMuted)
    member("hidden", participant.isHidden)
    member("deaf", participant.deaf)
    member("group", participant.group)
    key("whisperTo")
    if let ids = participant.whisperTo { value(ids) } else { null() }
    key("mutedFor")
    value(participant.mutedFor)
    member("sideRoom", participant.sideRoom)
    member("gain", participant.gain)
    key("slot")
    value(participant.slot)
    key("pin")
    value(participant.pin)
    member("speaking", participant.speaking)
    member("levelDb", (participant.levelDb * 10).rounded() / 10)
    key("stats")
    beginObject()
    for statistic in participant.statistics { member(statistic.name, statistic.value) }
    endObject()
    endObject()
  }

  private mutating func value(_ slot: SlotReference?) {
    switch slot {
    case .id(let id): value(id)
    case .index(let index): value(index)
    case nil: null()
    }
  }

  mutating func value(_ event: ConferenceEvent) {
    beginObject()
    member("type", event.change.kind.rawValue)
    member("room", event.room)
    member("time", rfc3339(unixNanoseconds: event.unixNanoseconds))
    switch event.change {
    case .participantJoined(let participant), .participantWaiting(let participant), .participantChanged(let participant):
      member("id", participant.id)
      key("participant")
      value(participant)
    case .participantLeft(let id, let reason):
      member("id", id)
      member("reason", reason.rawValue)
    case .speakingStarted(let id), .speakingStopped(let id): member("id", id)
    case .audienceChanged(let count): member("audience", count)
    case .floorChanged(let id): member("floor", id)
    case .layoutChanged(let layout): member("layout", layout)
    case .pictureSwitched(let id, let output):
      member("id", id)
      member("output", output)
    case .outputsChanged(let outputs):
      key("outputs")
      value(outputs)
    case .roomChanged(let admission, let stage, let spotlight): value(admission, stage, spotlight: spotlight)
    case .layoutInvalid(let layout, let message):
      member("layout", layout)
      member("message", message)
    case .promptStarted(let prompt):
      key("prompt")
      value(prompt)
    case .promptEnded(let prompt, let reason):
      key("prompt")
      value(prompt)
      member("reason", reason.rawValue)
    case .roomClosing(let reason): member("reason", reason)
    case .overload(let level, let detail):
      member("video", level.name)
      member("detail", detail)
    }
    endObject()
  }
}

extension ConferenceEvent {
  /// What WebSockets and webhooks are sent of it.
  var json: [UInt8] {
    text.written {
      var writer = JSONWriter()
      writer.value(self)
      return writer.bytes
    }
  }
}
