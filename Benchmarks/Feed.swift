import EncodedMedia
import RealTime
import Timing

/// Sends clients' content at its own pace, each client a little after the one before as in life.
final class Feed {
  /// Told of every frame just before it is sent: whose, the frame's number since the start, and when.
  typealias Note = (_ client: Int, _ kind: MediaKind, _ number: Int, _ sent: Instant) -> Void

  private struct Source {
    let client: Int
    let kind: MediaKind
    /// When its first frame is due, and how long after each the next.
    let start: Instant
    let period: Interval
    var number = 0

    var due: Instant { start + period * Int64(number) }
  }
  private let contents: [EncodedContent]
  private var sources: [Source] = []
  private let note: Note

  /// - Parameter picturePeriod: a little more than a thirtieth of a second has pictures meet a mixer's clock at all phases.
  init(
    _ contents: [EncodedContent], picturePeriod: Interval = .ticks(1, at: 30), note: @escaping Note = { _, _, _, _ in }
  ) {
    self.contents = contents
    self.note = note
    let start = MonotonicClock.now() + .milliseconds(10)
    for client in contents.indices {
      for kind in MediaKind.allCases {
        let period = kind == .audio ? .milliseconds(20) : picturePeriod
        let phase = period * Int64(client) / Int64(contents.count)
        sources.append(Source(client: client, kind: kind, start: start + phase, period: period))
      }
    }
  }

  /// Feeds a mixer for so long.
  func run(for duration: Interval, into mixer: some MixingProcess) {
    let end = MonotonicClock.now() + duration
    while let next = sources.indices.min(by: { sources[$0].due < sources[$1].due }), sources[next].due < end {
      MonotonicClock.sleep(until: sources[next].due)
      send(sources[next], to: mixer)
      sources[next].number += 1
    }
  }

  private func send(_ source: Source, to mixer: some MixingProcess) {
    let isAudio = source.kind == .audio
    let frames = isAudio ? contents[source.client].sounds : contents[source.client].pictures
    let frame = frames[source.number % frames.count]
    let timestamp = UInt32(truncatingIfNeeded: source.number * (isAudio ? 960 : 3000))
    let now = MonotonicClock.now()
    note(source.client, source.kind, source.number, now)
    mixer.send(
      EncodedFrame(
        codec: isAudio ? .opus : .vp8, payload: frame.payload, timestamp: RTPTimestamp(timestamp),
        isKeyframe: frame.isKeyframe, time: now, audioLevel: isAudio ? 30 : nil), from: source.client)
  }
}
