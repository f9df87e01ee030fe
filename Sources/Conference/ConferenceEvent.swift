import Synchronization

/// Why somebody is no longer in a room, in the words of the event.
package enum LeaveReason: String, Sendable {
  /// He deleted his session or closed the connection.
  case left
  /// Nothing has been heard of him for 30 s, or his connection broke and he did not come back; he still may.
  case disconnected
  /// A host took him out.
  case kicked
  /// A host did not let him in from the lobby.
  case refused
  /// The room ended.
  case closed
}

package struct ConferenceEvent: Sendable {
  /// The types there are, in the words of the contract.
  package enum Kind: String, Sendable, CaseIterable {
    case participantJoined = "participant-joined"
    case participantWaiting = "participant-waiting"
    case participantLeft = "participant-left"
    case participantChanged = "participant-changed"
    case audienceChanged = "audience-changed"
    case floorChanged = "floor-changed"
    case speakingStarted = "speaking-started"
    case speakingStopped = "speaking-stopped"
    case layoutChanged = "layout-changed"
    case layoutInvalid = "layout-invalid"
    case outputsChanged = "outputs-changed"
    case pictureSwitched = "picture-switched"
    case roomChanged = "room-changed"
    case promptStarted = "prompt-started"
    case promptEnded = "prompt-ended"
    case roomClosing = "room-closing"
    case overload
  }

  package enum Change: Sendable {
    case participantJoined(ParticipantDescription)
    /// He has come into the lobby.
    case participantWaiting(ParticipantDescription)
    case participantLeft(id: String, reason: LeaveReason)
    case participantChanged(ParticipantDescription)
    /// As many only watch now; at most once a second.
    case audienceChanged(count: Int)
    case floorChanged(id: String?)
    case speakingStarted(id: String)
    case speakingStopped(id: String)
    case layoutChanged(layout: String)
    case outputsChanged([OutputSettings])
    /// Admission, stage or spotlight.
    case roomChanged(AdmissionSettings, StageSettings, spotlight: String?)
    /// Who receives what his line carries is sent another output; nil for sound alone.
    case pictureSwitched(id: String, output: String?)
    case layoutInvalid(layout: String, message: String)
    case promptStarted(PromptDescription)
    case promptEnded(PromptDescription, reason: PromptEndReason)
    case roomClosing(reason: String)
    case overload(level: VideoLevel, detail: String)

    package var kind: Kind {
      switch self {
      case .participantJoined: .participantJoined
      case .participantWaiting: .participantWaiting
      case .participantLeft: .participantLeft
      case .participantChanged: .participantChanged
      case .audienceChanged: .audienceChanged
      case .floorChanged: .floorChanged
      case .speakingStarted: .speakingStarted
      case .speakingStopped: .speakingStopped
      case .layoutChanged: .layoutChanged
      case .outputsChanged: .outputsChanged
      case .roomChanged: .roomChanged
      case .pictureSwitched: .pictureSwitched
      case .layoutInvalid: .layoutInvalid
      case .promptStarted: .promptStarted
      case .promptEnded: .promptEnded
      case .roomClosing: .roomClosing
      case .overload: .overload
      }
    }
  }
  package var room: String
  /// Nanoseconds since 1970 UTC.
  package var unixNanoseconds: Int64
  package var change: Change
  /// What is sent of it to all who listen.
  package let text = EventText()

  package init(room: String, unixNanoseconds: Int64, change: Change) {
    self.room = room
    self.unixNanoseconds = unixNanoseconds
    self.change = change
  }
}

/// An event as text, written by the first who needs it and kept for all others: many listen to a room, and all are sent the same.
package final class EventText: Sendable {
  private let bytes = Mutex<[UInt8]?>(nil)

  package func written(_ write: () -> [UInt8]) -> [UInt8] {
    bytes.withLock { bytes in
      if let bytes { return bytes }
      let written = write()
      bytes = written
      return written
    }
  }
}
