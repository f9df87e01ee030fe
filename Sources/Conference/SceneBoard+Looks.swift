import Compositing
import Layouts
import Timing

/// What a canvas needs to know of somebody to place and draw him.
extension SceneBoard.Person {
  /// A picture that has been standing for so long is marked, then replaced by its placeholder. A screen may well stand still.
  private var frozenAfter: Interval { sharesScreen ? .seconds(10) : .seconds(1) }
  private var replacedAfter: Interval { sharesScreen ? .seconds(60) : .seconds(5) }

  /// Who is to be placed. A camera that was switched off sends nothing.
  func person(hasFloor: Bool) -> LayoutPerson {
    let pinnedSlot = pin.map { pin in
      switch pin {
      case .id(let id): id
      case .index(let index): String(index)
      }
    }
    return LayoutPerson(
      id: Canvas.key(number), role: role, hasFloor: hasFloor,
      sendsVideo: sendsVideo && !media.videoMuted.load(ordering: .relaxed), sharesScreen: sharesScreen,
      pinnedSlot: pinnedSlot)
  }

  /// What is known of him at a tick.
  func look(_ latest: (shown: PictureQueue.Shown, age: Interval)?) -> SceneParticipant {
    var participant = SceneParticipant(
      name: name, role: role, isScreen: sharesScreen, isSpeaking: media.speaking.load(ordering: .relaxed),
      isMuted: media.audioMuted.load(ordering: .relaxed), avatar: avatar)
    guard let latest, latest.age < replacedAfter else { return participant }
    participant.picture = latest.shown.picture
    participant.rotationDegrees = Int(latest.shown.rotation.rawValue) * 90
    participant.isFrozen = latest.age > frozenAfter
    return participant
  }
}

extension LayoutTemplate {
  /// Which turn it is of those who are shown in turn: the same on all canvases, so that who is shown is decoded for all of them.
  func turn(at now: Instant) -> Int64 {
    guard overflow == .rotate else { return 0 }
    return (now - Instant.zero).nanoseconds / Int64(max(rotateSeconds, 1) * 1e9)
  }
}
