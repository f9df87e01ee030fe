/// Arguments, taken one after the other from the front.
struct ArgumentList {
  private var rest: ArraySlice<String>

  init(_ arguments: [String]) { rest = arguments[...] }

  var isEmpty: Bool { rest.isEmpty }
  var wantsHelp: Bool { rest.contains("--help") || rest.contains("-h") }

  /// The next argument where it is no option.
  mutating func word() -> String? {
    guard let first = rest.first, !first.hasPrefix("-") else { return nil }
    rest.removeFirst()
    return first
  }

  mutating func words() -> [String] {
    var words: [String] = []
    while let word = word() { words.append(word) }
    return words
  }

  mutating func takeFlag(_ name: String) -> Bool {
    guard rest.first == name else { return false }
    rest.removeFirst()
    return true
  }

  /// The next option with its value, written `--name value` or `--name=value`; nil where a word or nothing follows.
  mutating func option(known: [String], help: String) throws(UsageError) -> (name: String, value: String)? {
    guard let first = rest.first, first.hasPrefix("-") else { return nil }
    rest.removeFirst()
    let parts = first.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard known.contains(parts[0]) else { throw UsageError(description: unknown("option", parts[0], among: known, help: help)) }
    if parts.count == 2 { return (parts[0], parts[1]) }
    guard let value = rest.popFirst() else { throw UsageError(description: "\(parts[0]) needs a value; see \(help)") }
    return (parts[0], value)
  }

  /// Help where it is asked for or nothing was said; else the fault in what follows.
  func helpOrFault(_ text: String, known: [String]) throws(UsageError) -> Command {
    if wantsHelp { return .help(text) }
    guard let first = rest.first else { throw UsageError(description: text, isHelp: true) }
    throw UsageError(description: unknown("option", first, among: known + ["--help"], help: "tutti --help"))
  }

  func end(help: String) throws(UsageError) {
    if let first = rest.first { throw UsageError(description: "unexpected argument '\(first)'; see \(help)") }
  }
}
