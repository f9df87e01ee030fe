import JSON5
import Timing

/// What a load has shown, in numbers for people and for machines.
package struct LoadReport: Sendable {
  /// Whose figures these are.
  package enum Watched: String, Sendable {
    case viewers
    /// Where nobody only watches.
    case publishers
  }

  package var watched: Watched
  /// Whether they were to be sent pictures; without, figures of pictures say nothing and are left out.
  package var hasPictures: Bool
  /// Those who were let in.
  package var clients = 0
  package var connected = 0
  package var ended = 0
  /// Why others could not come in, of publishers and viewers.
  package var refusals = RefusalCounts()
  /// How long it took until all had asked.
  package var joiningSeconds = 0.0
  package var seconds = 0.0
  /// From the offer's posting, in milliseconds.
  package var connectMilliseconds: [Double] = []
  package var firstPictureMilliseconds: [Double] = []
  /// Of each viewer, a second.
  package var picturesPerSecond: [Double] = []
  package var soundsPerSecond: [Double] = []
  package var delayMilliseconds: [Double] = []
  /// How many were never shown a picture.
  package var withoutPicture = 0
  package var freezes = 0
  /// Share of the viewers' time that pictures stood still for too long, 0 to 1; all the time of who never saw one.
  package var frozenShare = 0.0
  /// How many are shown pictures of which size in the end, the most pixels first; `sound` for those without any.
  package var rungs: [(size: String, count: Int)] = []
  package var packets = 0
  package var lost = 0
  package var retransmissionsRequested = 0
  package var keyframesPerSecond = 0.0
  package var bitsPerSecond = 0.0
  /// CPU seconds a second that the load itself took while all were there.
  package var ownCores = 0.0

  /// Share of packets that never came.
  package var lossShare: Double { packets + lost > 0 ? Double(lost) / Double(packets + lost) : 0 }

  /// - Parameters:
  ///   - clients: those whose measures count; viewers where there are any.
  package init(_ clients: [ClientMeasures], _ watched: Watched = .viewers, hasPictures: Bool = true, now: Instant) {
    self.watched = watched
    self.hasPictures = hasPictures
    self.clients = clients.count
    rungs = Self.rungs(of: clients, now: now)
    for client in clients {
      let since = client.connected ?? client.asked
      let seconds = (now - since).seconds
      let stay = max((now - (client.stayBegan ?? since)).seconds, 1)
      self.seconds = max(self.seconds, seconds)
      if let connected = client.connected {
        self.connected += 1
        connectMilliseconds.append((connected - client.asked).milliseconds)
      }
      if let first = client.firstPicture { firstPictureMilliseconds.append((first - client.asked).milliseconds) }
      if client.hasEnded { ended += 1 }
      picturesPerSecond.append(Double(client.pictures) / stay)
      soundsPerSecond.append(Double(client.sounds) / stay)
      delayMilliseconds += client.delays.map(\.milliseconds)
      if !client.hasSeenPicture { withoutPicture += 1 }
      freezes += client.freezes(at: now)
      if seconds > 0 { frozenShare += client.frozen(at: now).seconds / seconds / Double(clients.count) }
      packets += Int(client.transport.packetsReceived)
      lost += Int(client.transport.packetsLost)
      retransmissionsRequested += Int(client.transport.retransmissionsRequested)
      bitsPerSecond += Double(client.transport.bytesReceived) * 8 / max(seconds, 1)
      keyframesPerSecond = max(keyframesPerSecond, Double(client.keyframes) / stay)
    }
  }

  /// How many of the clients are shown pictures of which size, as `rungs` has it.
  static func rungs(of clients: [ClientMeasures], now: Instant) -> [(size: String, count: Int)] {
    var counts: [String: Int] = [:]
    for client in clients { counts[client.rung(at: now), default: 0] += 1 }
    func pixels(_ size: String) -> Int { size.split(separator: "x").compactMap { Int($0) }.reduce(1, *) }
    return counts.sorted { (pixels($0.key), $0.key) > (pixels($1.key), $1.key) }.map { (size: $0.key, count: $0.value) }
  }

  /// One figure; without a value where there was nothing to measure.
  private struct Line {
    var name: String
    var text: String
    var value: Double?

    init(_ name: String, _ text: String, _ value: Double?) { (self.name, self.text, self.value) = (name, text, value) }
    init(_ name: String, _ text: String, _ count: Int) { self.init(name, text, Double(count)) }
    init(_ name: String, _ text: String, _ values: [Double], _ share: Double) {
      self.init(name, text, values.isEmpty ? nil : percentile(values, share))
    }
  }

  private var lines: [Line] {
    [
      Line("clients", "\(watched) were let in; the figures are theirs", clients),
      Line("connected", "of them were connected", connected),
      Line("ended", "of them were dropped", ended),
      Line("refused", "could not come in, of publishers and viewers", refusals.total),
      Line("joinsPerSecond", "joins a second", Double(clients) / max(joiningSeconds, 0.001)),
      Line("connectMsP50", "ms to be connected, median", connectMilliseconds, 0.5),
      Line("connectMsP95", "  and p95", connectMilliseconds, 0.95),
    ] + (hasPictures && clients > 0 ? pictureLines : pictureLines.map { Line($0.name, $0.text, nil) }) + [
      Line("soundsPerSecondP50", "sound frames a second each, median", soundsPerSecond, 0.5),
      Line("soundsPerSecondMin", "  and the least", soundsPerSecond.min()),
      Line("packets", "packets", packets),
      Line("lossPercent", "% of them never came", packets + lost > 0 ? lossShare * 100 : nil),
      Line("retransmissionsRequested", "packets asked for again", retransmissionsRequested),
      Line("megabitsPerSecond", "Mb/s in all", bitsPerSecond / 1e6),
      Line("loadCores", "cores this load took itself, to decrypt and check all of it", ownCores),
    ]
  }

  private var pictureLines: [Line] {
    [
      Line("neverSawPicture", "of them never saw a picture, and count as frozen all the time", withoutPicture),
      Line("firstPictureMsP50", "ms to the first picture, median", firstPictureMilliseconds, 0.5),
      Line("firstPictureMsP95", "  and p95", firstPictureMilliseconds, 0.95),
      Line("picturesPerSecondP50", "pictures a second each, median", picturesPerSecond, 0.5),
      Line("picturesPerSecondMin", "  and the least", picturesPerSecond.min()),
      Line("delayMsP50", "ms from composing to arrival, median", delayMilliseconds, 0.5),
      Line("delayMsP95", "  and p95", delayMilliseconds, 0.95),
      Line("freezes", "freezes", freezes),
      Line("frozenPercent", "% of the time frozen", frozenShare * 100),
      Line("keyframesPerSecond", "keyframes a second", keyframesPerSecond),
    ]
  }

  package var text: String {
    let figures = lines.compactMap { line in line.value.map { (figure($0), line.text) } }
    let width = figures.map(\.0.count).max() ?? 0
    var text = figures.map { "  " + String(repeating: " ", count: width - $0.count) + $0 + " " + $1 }
    if hasPictures { for rung in rungs { text.append("  \(rung.count) were shown \(rung.size)") } }
    for (refusal, count) in refusals.sorted { text.append("  \(count) could not come in: \(refusal)") }
    return text.joined(separator: "\n")
  }

  /// One line; null where there was nothing to measure.
  package var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("figuresOf", watched.rawValue)
    for line in lines {
      writer.key(line.name)
      if let value = line.value { writer.value((value * 100).rounded() / 100) } else { writer.null() }
    }
    writer.key("rungs")
    if hasPictures {
      writer.beginObject()
      for rung in rungs { writer.member(rung.size, rung.count) }
      writer.endObject()
    } else {
      writer.null()
    }
    writer.key("refusals")
    writer.beginArray()
    for (refusal, count) in refusals.sorted {
      writer.beginObject()
      writer.key("status")
      if let status = refusal.status { writer.value(status) } else { writer.null() }
      writer.member("detail", refusal.words)
      writer.key("retryAfter")
      if let seconds = refusal.retryAfter { writer.value(seconds) } else { writer.null() }
      writer.member("count", count)
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    return writer.text
  }
}

/// A number with at most two places, without those that say nothing.
func figure(_ value: Double) -> String {
  guard value.isFinite, abs(value) < 1e15 else { return "0" }
  let hundredths = Int((value * 100).rounded())
  let (whole, rest) = hundredths.magnitude.quotientAndRemainder(dividingBy: 100)
  let sign = hundredths < 0 ? "-" : ""
  if rest == 0 { return "\(sign)\(whole)" }
  return "\(sign)\(whole)." + (rest < 10 ? "0\(rest)" : rest % 10 == 0 ? "\(rest / 10)" : "\(rest)")
}
