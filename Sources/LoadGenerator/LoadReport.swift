import Timing

/// What a load has shown, in numbers for people and for machines.
package struct LoadReport: Sendable {
  package var clients = 0
  package var connected = 0
  package var refused = 0
  package var ended = 0
  /// The first refusal, in the server's words.
  package var refusal: String?
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
  package var freezes = 0
  /// Share of the viewers' time that pictures stood still for too long, 0 to 1.
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
  init(_ clients: [ClientMeasures], now: Instant) {
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
      freezes += client.freezes
      frozenShare += client.frozen.seconds / max(seconds, 1) / Double(max(clients.count, 1))
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

  private struct Line {
    var name: String
    var text: String
    var value: Double
  }

  private var lines: [Line] {
    [
      Line(name: "clients", text: "came", value: Double(clients)),
      Line(name: "connected", text: "were connected", value: Double(connected)),
      Line(name: "refused", text: "were refused or failed", value: Double(refused)),
      Line(name: "ended", text: "were dropped", value: Double(ended)),
      Line(name: "joinsPerSecond", text: "joins a second", value: Double(clients) / max(joiningSeconds, 0.001)),
      Line(name: "connectMsP50", text: "ms to be connected, median", value: percentile(connectMilliseconds, 0.5)),
      Line(name: "connectMsP95", text: "  and p95", value: percentile(connectMilliseconds, 0.95)),
      Line(
        name: "firstPictureMsP50", text: "ms to the first picture, median", value: percentile(firstPictureMilliseconds, 0.5)),
      Line(name: "firstPictureMsP95", text: "  and p95", value: percentile(firstPictureMilliseconds, 0.95)),
      Line(name: "picturesPerSecondP50", text: "pictures a second each, median", value: percentile(picturesPerSecond, 0.5)),
      Line(name: "picturesPerSecondMin", text: "  and the least", value: picturesPerSecond.min() ?? 0),
      Line(name: "soundsPerSecondP50", text: "sound frames a second each, median", value: percentile(soundsPerSecond, 0.5)),
      Line(name: "soundsPerSecondMin", text: "  and the least", value: soundsPerSecond.min() ?? 0),
      Line(name: "delayMsP50", text: "ms from composing to arrival, median", value: percentile(delayMilliseconds, 0.5)),
      Line(name: "delayMsP95", text: "  and p95", value: percentile(delayMilliseconds, 0.95)),
      Line(name: "freezes", text: "freezes", value: Double(freezes)),
      Line(name: "frozenPercent", text: "% of the time frozen", value: frozenShare * 100),
      Line(name: "packets", text: "packets", value: Double(packets)),
      Line(name: "lossPercent", text: "% of them never came", value: lossShare * 100),
      Line(name: "retransmissionsRequested", text: "packets asked for again", value: Double(retransmissionsRequested)),
      Line(name: "keyframesPerSecond", text: "keyframes a second", value: keyframesPerSecond),
      Line(name: "megabitsPerSecond", text: "Mb/s in all", value: bitsPerSecond / 1e6),
      Line(name: "loadCores", text: "cores this load took itself, to decrypt and check all of it", value: ownCores),
    ]
  }

  package var text: String {
    let width = lines.map { figure($0.value).count }.max() ?? 0
    var text = lines.map { line in
      let number = figure(line.value)
      return "  " + String(repeating: " ", count: width - number.count) + number + " " + line.text
    }
    for rung in rungs { text.append("  \(rung.count) were shown \(rung.size)") }
    if let refusal { text.append("  the first refusal: \(refusal)") }
    return text.joined(separator: "\n")
  }

  package var json: String {
    let sizes = rungs.map { "\"\($0.size)\":\($0.count)" }.joined(separator: ",")
    return "{" + lines.map { "\"\($0.name)\":\(figure($0.value))" }.joined(separator: ",") + ",\"rungs\":{\(sizes)}}"
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
