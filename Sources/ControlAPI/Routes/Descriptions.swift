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
    beginObject()
    member("bitrate", room.audio.bitrate)
    member("maxSpeakers", room.audio.maxSpeakers)
    member("stereo", room.audio.stereo)
    endObject()
    key("participants")
    value(room.participants)
    member("floor", room.floor)
    endObject()
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
    key("sends")
    beginObject()
    member("audio", participant.sendsAudio)
    member("video", participant.sendsVideo)
    endObject()
    key("receives")
    beginObject()
    member("output", participant.output)
    member("codec", participant.receivesVideoCodec)
    member("audioCodec", participant.receivesAudioCodec)
    endObject()
    member("audioMuted", participant.audioMuted)
    member("videoMuted", participant.videoMuted)
    member("deaf", participant.deaf)
    member("gain", participant.gain)
    key("slot")
    switch participant.slot {
    case .id(let id): value(id)
    case .index(let index): value(index)
    case nil: null()
    }
    member("speaking", participant.speaking)
    member("levelDb", (participant.levelDb * 10).rounded() / 10)
    key("stats")
    beginObject()
    for statistic in participant.statistics { member(statistic.name, statistic.value) }
    endObject()
    endObject()
  }

  mutating func value(_ event: ConferenceEvent) {
    beginObject()
    member("type", event.change.typeName)
    member("room", event.room)
    member("time", rfc3339(unixNanoseconds: event.unixNanoseconds))
    switch event.change {
    case .participantJoined(let participant), .participantChanged(let participant):
      member("id", participant.id)
      key("participant")
      value(participant)
    case .participantLeft(let id, let reason):
      member("id", id)
      member("reason", reason.rawValue)
    case .speakingStarted(let id), .speakingStopped(let id): member("id", id)
    case .floorChanged(let id): member("floor", id)
    case .layoutChanged(let layout): member("layout", layout)
    case .outputsChanged(let outputs):
      key("outputs")
      value(outputs)
    case .layoutInvalid(let layout, let message):
      member("layout", layout)
      member("message", message)
    case .roomClosing(let reason): member("reason", reason)
    case .overload(let detail): member("detail", detail)
    }
    endObject()
  }
}

extension ConferenceEvent.Change {
  var typeName: String {
    switch self {
    case .participantJoined: "participant-joined"
    case .participantLeft: "participant-left"
    case .participantChanged: "participant-changed"
    case .floorChanged: "floor-changed"
    case .speakingStarted: "speaking-started"
    case .speakingStopped: "speaking-stopped"
    case .layoutChanged: "layout-changed"
    case .outputsChanged: "outputs-changed"
    case .layoutInvalid: "layout-invalid"
    case .roomClosing: "room-closing"
    case .overload: "overload"
    }
  }
}
