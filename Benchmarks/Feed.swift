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
    var due: Instant
    var number = 0
  }
  private let contents: [EncodedContent]
  private var sources: [Source] = []
  private let note: Note

  init(_ contents: [EncodedContent], note: @escaping Note = { _, _, _, _ in }) {
    self.contents = contents
    self.note = note
    let start = MonotonicClock.now() + .milliseconds(10)
    for client in contents.indices {
      // Shares of a period that no clock of a mixer divides evenly.
      let phase = Double(client) / Double(contents.count) + 0.03
      for kind in MediaKind.allCases {
        sources.append(Source(client: client, kind: kind, due: start + Self.period(kind, of: Int64(phase * 1000)) / 1000))
      }
    }
  }

  private static func period(_ kind: MediaKind, of count: Int64) -> Interval {
    kind == .audio ? .milliseconds(20) * count : .ticks(count, at: 30)
  }

  /// Feeds a mixer for so long.
  func run(for duration: Interval, into mixer: some MixingProcess) {
    let end = MonotonicClock.now() + duration
    while let next = sources.indices.min(by: { sources[$0].due < sources[$1].due }), sources[next].due < end {
      MonotonicClock.sleep(until: sources[next].due)
      send(sources[next], to: mixer)
      let source = sources[next]
      sources[next].number += 1
      sources[next].due +=
        Self.period(source.kind, of: Int64(source.number + 1)) - Self.period(source.kind, of: Int64(source.number))
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
