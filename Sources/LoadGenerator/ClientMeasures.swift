import EncodedMedia
import Timing
import WebRTCTransport

/// What one client has seen.
package struct ClientMeasures: Sendable {
  /// When its offer was posted, when it was connected, and when its first picture was whole.
  package var asked: Instant
  package var connected: Instant?
  package var firstPicture: Instant?
  /// Since when pictures, sounds and delays count; nil for since it was connected.
  package var stayBegan: Instant?
  package var pictures = 0
  package var keyframes = 0
  package var pictureBytes = 0
  package var sounds = 0
  /// Pixels of the picture it is shown, by the last keyframe; nil before the first and where that does not tell.
  package var pictureSize: String?
  package private(set) var lastPicture: Instant?
  /// Freezes that are over: times that the picture stood for longer than it should, and how long (as WebRTC's statistics define it).
  private var endedFreezes = 0
  private var endedFreezeTime = Interval.zero
  /// From a picture's composition to its arrival, by the reports of the server: true where the machines' clocks agree.
  package var delays: [Interval] = []
  package var transport = PeerStatistics()
  package var hasEnded = false
  private var meanInterval = Interval.milliseconds(33)

  private static let delaysMax = 2_000
  /// Pictures that stand still are sent again within this.
  private static let pauseMax = Interval.seconds(4)
  /// Of the machine's wall clock less its monotonic one.
  private let wallClockAtZero: NTPTime

  package init(asked: Instant, wallClockAtZero: NTPTime) {
    self.asked = asked
    self.wallClockAtZero = wallClockAtZero
  }

  /// Has rates and delays count from now on.
  package mutating func beginStay(at now: Instant) {
    stayBegan = now
    (pictures, keyframes, pictureBytes, sounds) = (0, 0, 0, 0)
    delays.removeAll(keepingCapacity: true)
  }

  package mutating func take(_ frame: EncodedFrame, at now: Instant) {
    guard frame.codec.kind == .video else {
      sounds += 1
      return
    }
    pictures += 1
    pictureBytes += frame.payload.count
    if frame.isKeyframe {
      keyframes += 1
      noteSize(frame)
    }
    if firstPicture == nil, frame.isKeyframe { firstPicture = now }
    noteInterval(now)
    if let captured = frame.captureTime, delays.count < Self.delaysMax {
      delays.append(wallClockAtZero + (now - .zero) - captured)
    }
  }

  private mutating func noteSize(_ frame: EncodedFrame) {
    let bytes = frame.payload.bytes
    guard let size = PictureSize(ofKeyframe: bytes.span, codec: frame.codec) else { return }
    pictureSize = "\(size.width)x\(size.height)"
  }

  /// What it is shown: a size, or nothing for some seconds.
  func rung(at now: Instant) -> String {
    guard let lastPicture, now - lastPicture < Self.pauseMax else { return "sound" }
    return pictureSize ?? "picture"
  }

  /// Whether there ever was a picture to see: it begins with a keyframe.
  package var hasSeenPicture: Bool { firstPicture != nil }

  /// Times that the picture stood for longer than it should, one that still lasts among them.
  package func freezes(at now: Instant) -> Int { endedFreezes + (freeze(lastingUntil: now) == nil ? 0 : 1) }

  /// How long it did: for who never saw a picture, all of his time.
  package func frozen(at now: Instant) -> Interval {
    guard hasSeenPicture else { return now - (connected ?? asked) }
    return endedFreezeTime + (freeze(lastingUntil: now) ?? .zero)
  }

  /// A freeze is an interval of more than three times the mean, or 150 ms more than it.
  private func freeze(lastingUntil now: Instant) -> Interval? {
    guard let lastPicture else { return nil }
    let interval = now - lastPicture
    return interval > max(meanInterval * 3, meanInterval + .milliseconds(150)) ? interval - meanInterval : nil
  }

  private mutating func noteInterval(_ now: Instant) {
    defer { lastPicture = now }
    guard let lastPicture else { return }
    if let freeze = freeze(lastingUntil: now) {
      endedFreezes += 1
      endedFreezeTime += freeze
    } else {
      meanInterval = (meanInterval * 31 + (now - lastPicture)) / 32
    }
  }
}
