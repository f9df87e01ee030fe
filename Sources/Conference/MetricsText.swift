/// Builds what Prometheus reads (text exposition format 0.0.4).
struct MetricsText {
  enum Kind: String { case counter, gauge }
  private(set) var text = ""

  mutating func add(_ name: String, _ help: String, _ kind: Kind, _ value: Double) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n\(name) \(Self.number(value))\n"
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
  }
}
