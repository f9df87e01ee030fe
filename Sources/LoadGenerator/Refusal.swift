import JSON5

/// Why somebody could not come in.
package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// HTTP's; nil where no server answered.
  package var status: Int?
  /// What the server said, or what kept it from saying something.
  package var words: String
  /// Seconds it asks newcomers to wait (RFC 9110 section 10.2.3); nil where it does not say.
  package var retryAfter: Int?

  /// More would not be read.
  private static let wordsMax = 300

  /// An answer that says no.
  ///
  /// - Parameters:
  ///   - body: a problem (RFC 9457), whose `detail` is what is told, else any text.
  ///   - retryAfter: the header's value.
  package init(status: Int, body: String, retryAfter: String? = nil) {
    let problem = try? JSONValue(parsing: body, strict: true)
    self.status = status
    words = Self.printable(problem?["detail"]?.string ?? problem?["title"]?.string ?? body)
    self.retryAfter = retryAfter.flatMap { Int($0) }
  }

  /// Anything else that went wrong on the way in.
  package init(_ error: any Error) {
    if let refusal = error as? Refusal { self = refusal } else { words = Self.printable("\(error)") }
  }

  /// A line for a terminal, whatever a server wrote.
  private static func printable(_ text: String) -> String {
    let line = text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : String($0) }.joined()
    return line.count > wordsMax ? line.prefix(wordsMax) + "…" : line
  }

  /// What whoever runs the load can do about it; nil where the words say it.
  package var advice: String? {
    switch status {
    case 401: "Give a token with --token; `tutti token` makes one."
    case 403: "The token has to allow it, and the room must not be locked."
    case 404: "See the room in --url and the output in --output."
    case 429: "Let them come more slowly: --joins-per-second."
    case 503: "Bring fewer, or give the server more: its processors, `overload`, the room's limits."
    case .some(500...): "See the server's log."
    default: nil
    }
  }

  package var description: String {
    var text = status.map { words.isEmpty ? "\($0)" : "\($0): \(words)" } ?? words
    if text.last?.isPunctuation != true { text += "." }
    if let retryAfter { text += " It asks to come again after \(retryAfter) s." }
    return [text, advice].compactMap(\.self).joined(separator: " ")
  }
}

/// Refusals by their kind, each with how often it came.
package struct RefusalCounts: Sendable {
  /// The most frequent first.
  package var sorted: [(refusal: Refusal, count: Int)] {
    counts.sorted { ($1.value, $0.key.description) < ($0.value, $1.key.description) }.map { (refusal: $0.key, count: $0.value) }
  }
  package private(set) var total = 0
  private var counts: [Refusal: Int] = [:]

  /// A server that says something else to everybody is not to fill the memory.
  private static let kindsMax = 20

  package init() {}

  package mutating func add(_ error: any Error) {
    total += 1
    var kind = Refusal(error)
    // The same no, with another while to wait: the longest counts.
    if let known = counts.keys.first(where: { $0.status == kind.status && $0.words == kind.words }) {
      let count = counts.removeValue(forKey: known) ?? 0
      kind.retryAfter = [known.retryAfter, kind.retryAfter].compactMap(\.self).max()
      counts[kind] = count + 1
    } else if counts.count < Self.kindsMax {
      counts[kind] = 1
    } else {
      let others = Refusal(LoadError("for other reasons"))
      counts[others, default: 0] += 1
    }
  }
}
