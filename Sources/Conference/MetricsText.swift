/// Builds what Prometheus reads (text exposition format 0.0.4).
struct MetricsText {
  enum Kind: String { case counter, gauge }
  private(set) var text = ""

  mutating func add(_ name: String, _ help: String, _ kind: Kind, _ value: Double) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n\(name) \(Self.number(value))\n"
  }

  /// One line for each set of labels; none where there is none.
  mutating func add(_ name: String, _ help: String, _ kind: Kind, _ values: [(labels: [(String, String)], value: Double)]) {
    guard !values.isEmpty else { return }
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    for (labels, value) in values {
      let list = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
      text += "\(name){\(list)} \(Self.number(value))\n"
    }
  }

  private static func escaped(_ text: String) -> String {
    text.map { $0 == "\\" ? "\\\\" : $0 == "\"" ? "\\\"" : $0 == "\n" ? "\\n" : String($0) }.joined()
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
  }
}
