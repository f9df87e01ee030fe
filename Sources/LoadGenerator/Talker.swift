import EncodedMedia
import RealTime
import Timing

/// Sends one client's content at its pace: a picture every thirtieth of a second, sound every 20 ms.
///
/// Asked for a keyframe, it begins its pictures anew, which starts with one.
struct Talker {
  let client: LoadClient
  private let content: EncodedContent
  private let start: Instant
  /// The conversation this is part of, and as whom; nil for who talks all the time.
  private let turn: (conversation: Conversation, person: Int)?
  private var sounds = 0
  private var pictures = 0
  /// The picture that began the round under way.
  private var roundStart = 0

  init(
    _ client: LoadClient, _ content: EncodedContent, start: Instant, turn: (conversation: Conversation, person: Int)? = nil
  ) {
    self.client = client
    self.content = content
    self.start = start
    self.turn = turn
  }

  private var soundDue: Instant { start + .milliseconds(20) * Int64(sounds) }
  private var pictureDue: Instant { start + .ticks(Int64(pictures), at: 30) }
  var due: Instant { content.pictures.isEmpty ? soundDue : min(soundDue, pictureDue) }

  /// Sends what is due.
  mutating func advance(at now: Instant) {
    while soundDue <= now { sendSound() }
    guard !content.pictures.isEmpty else { return }
    while pictureDue <= now { sendPicture() }
  }

  private mutating func sendSound() {
    defer { sounds += 1 }
    let talks = turn.map { $0.conversation.talks($0.person, at: sounds) } ?? true
    let frames = talks ? content.sounds : content.pauses
    guard !frames.isEmpty else { return }
    let frame = frames[sounds % frames.count]
    guard frame.payload.count > 0 else { return }
    client.send(
      EncodedFrame(
        codec: .opus, payload: frame.payload, timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: sounds * 960)),
        time: soundDue, audioLevel: frame.level))
  }

  private mutating func sendPicture() {
    if client.takeKeyframeRequest() { roundStart = pictures }
    let frame = content.pictures[(pictures - roundStart) % content.pictures.count]
    client.send(
      EncodedFrame(
        codec: .vp8, payload: frame.payload, timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: pictures * 3000)),
        isKeyframe: frame.isKeyframe, time: pictureDue))
    pictures += 1
  }
}
