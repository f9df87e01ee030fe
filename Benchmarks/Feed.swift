import EncodedMedia
import LoadGenerator
import RealTime
import Timing

/// Sends clients' content at its own pace, each client a little after the one before as in life.
final class Feed {
  /// Told of every frame just before it is sent: whose, the frame's number since the start, when it was to be sent, and when it is.
  typealias Note = (_ client: Int, _ kind: MediaKind, _ number: Int, _ due: Instant, _ sent: Instant) -> Void
  /// How long the way of a frame is to be; frames of one stream keep their order.
  typealias Delay = (_ client: Int, _ kind: MediaKind) -> Interval

  private struct Source {
    let client: Int
    let kind: MediaKind
    /// When its first frame is due, and how long after each the next.
    let start: Instant
    let period: Interval
    var number = 0
    /// When the frame before is sent.
    var lastSent = Instant.zero

    var due: Instant { start + period * Int64(number) }
  }
  private let contents: [EncodedContent]
  private var sources: [Source] = []
  private let note: Note
  private let delay: Delay?
  /// Frames under way, in the order they will be sent.
  private var delayed: [(frame: EncodedFrame, client: Int, sent: Instant)] = []
  /// The sources of sound and of pictures, each in the order they begin, and how many frames of each were sent.
  private var turns: [[Int]] = [[], []]
  private var cursors = [0, 0]

  /// - Parameter picturePeriod: a little more than a thirtieth of a second has pictures meet a mixer's clock at all phases.
  init(
    _ contents: [EncodedContent], kinds: [MediaKind] = MediaKind.allCases, picturePeriod: Interval = .ticks(1, at: 30),
    delay: Delay? = nil, note: @escaping Note = { _, _, _, _, _ in }
  ) {
    self.contents = contents
    self.delay = delay
    self.note = note
    let start = MonotonicClock.now() + .milliseconds(10)
    for client in contents.indices {
      for kind in kinds {
        let period = kind == .audio ? .milliseconds(20) : picturePeriod
        let phase = period * Int64(client) / Int64(contents.count)
        turns[kind == .audio ? 0 : 1].append(sources.count)
        sources.append(Source(client: client, kind: kind, start: start + phase, period: period))
      }
    }
  }

  /// Feeds a mixer for so long.
  func run(for duration: Interval, into mixer: some MixingProcess) {
    let end = MonotonicClock.now() + duration
    // In the order of what is due next; sources of one kind keep theirs.
    while let next = earliest, sources[next].due < end {
      while let first = delayed.first, first.sent <= sources[next].due {
        MonotonicClock.sleep(until: first.sent)
        mixer.send(first.frame, from: first.client)
        delayed.removeFirst()
      }
      MonotonicClock.sleep(until: sources[next].due)
      send(&sources[next], to: mixer)
      sources[next].number += 1
      cursors[sources[next].kind == .audio ? 0 : 1] += 1
    }
  }

  /// The source whose turn it is: of each kind the sources take turns, since they have one period.
  private var earliest: Int? {
    var earliest: Int?
    for (kind, cursor) in cursors.enumerated() where !turns[kind].isEmpty {
      let candidate = turns[kind][cursor % turns[kind].count]
      if earliest.map({ sources[candidate].due < sources[$0].due }) ?? true { earliest = candidate }
    }
    return earliest
  }

  private func send(_ source: inout Source, to mixer: some MixingProcess) {
    let isAudio = source.kind == .audio
    let frames = isAudio ? contents[source.client].sounds : contents[source.client].pictures
    let frame = frames[source.number % frames.count]
    guard frame.payload.count > 0 else { return }
    let ticks = (source.period * Int64(source.number)).ticks(at: isAudio ? 48_000 : 90_000)
    let now = MonotonicClock.now()
    note(source.client, source.kind, source.number, source.due, now)
    let encoded = EncodedFrame(
      codec: isAudio ? .opus : .vp8, payload: frame.payload, timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: ticks)),
      isKeyframe: frame.isKeyframe, time: delay == nil ? now : source.due, audioLevel: frame.level)
    guard let delay else { return mixer.send(encoded, from: source.client) }
    source.lastSent = max(source.lastSent, source.due + delay(source.client, source.kind))
    let sent = source.lastSent
    let place = delayed.firstIndex { $0.sent > sent } ?? delayed.count
    delayed.insert((encoded, source.client, sent), at: place)
  }
}
