import JSON5
import LayoutWorkshop

/// What a command line asks for.
package enum Command: Sendable, Equatable {
  /// Print this text and end well.
  case help(String)
  case version
  case serve(ServeOptions)
  case checkLayouts(files: [String], sizes: [CanvasSize] = [])
  case renderLayout(RenderOptions)
  /// Turn another server's layout file into ours, in `directory`.
  case importLayouts(file: String, directory: String)
  /// Bring back layouts that came with the program; `directory` nil for where the server would look.
  case restoreLayouts(names: [String], directory: String?)
  case checkConfiguration(file: String)
  case makeToken(TokenOptions)
  case load(LoadCommandOptions)
  case demo(LoadCommandOptions)
}

/// Options of `tutti load` and `tutti demo`; the address is unchecked.
package struct LoadCommandOptions: Sendable, Equatable {
  package var url = "http://127.0.0.1:8080/rooms/demo"
  package var publishers = 3
  package var viewers = 10
  package var seconds = 10
  package var joinsPerSecond = 0
  package var token: String?
  package var isInsecure = false
  package var output: String?
  package var isAudioOnly = false
  package var lossPercent = 0.0
  package var slowViewers = 0
  package var lineKilobits = 60
  /// Whether viewers know no other encryption than AES_CM with HMAC-SHA1.
  package var hasCounterModeOnly = false
  package var keyframeRequestsPerSecond = 0
  /// The report is one line of JSON on standard output, and nothing else is.
  package var isJSON = false

  package init() {}
}

/// Options of `tutti serve`, unchecked: `Configuration.load` knows what is allowed.
package struct ServeOptions: Sendable, Equatable {
  package var config: String?
  package var values: [Setting: String] = [:]
  package init(config: String? = nil, values: [Setting: String] = [:]) {
    self.config = config
    self.values = values
  }
}

/// The size of a canvas in pixels.
package struct CanvasSize: Sendable, Equatable {
  package var width: Int
  package var height: Int

  /// - Throws: for what is no `WIDTHxHEIGHT` of 64x64 to 3840x2160.
  init(option text: String) throws(UsageError) {
    guard let size = PreviewCanvas.size(text) else {
      throw UsageError(description: "--size: must be \(PreviewCanvas.Word.size.allowed)")
    }
    (width, height) = size
  }
}

/// Options of `tutti layouts render`.
package struct RenderOptions: Sendable, Equatable {
  /// A layout's name or the path of its file.
  package var layout: String
  /// Where layouts are found by name; nil for where the server would look.
  package var layoutsDirectory: String?
  /// The format is that of `output`.
  package var canvas: PreviewCanvas
  /// Ends in `.png` or `.svg`.
  package var output: String
}

/// Options of `tutti token`.
package struct TokenOptions: Sendable, Equatable {
  package var room: String
  package var role: String
  package var subject: String
  package var lifetimeSeconds: Int
  package var config: String?
}

/// A command line that cannot be followed. Ends with status 2.
package struct UsageError: Error, Sendable, Equatable, CustomStringConvertible {
  package let description: String
  /// Whether nothing was asked for at all, and the description is the help.
  package var isHelp = false
}

extension Command {
  /// - Parameter arguments: without the program's name.
  package init(parsing arguments: [String]) throws(UsageError) {
    var arguments = ArgumentList(arguments)
    switch arguments.word() {
    case nil where arguments.isEmpty: throw UsageError(description: Help.program, isHelp: true)
    case nil:
      if arguments.takeFlag("--version") {
        self = .version
      } else {
        self = try arguments.helpOrFault(Help.program, known: ["--version"])
      }
    case "help": self = .help(Help.program)
    case "serve": self = try Self.serve(&arguments)
    case "layouts": self = try Self.layouts(&arguments)
    case "config": self = try Self.config(&arguments)
    case "token": self = try Self.token(&arguments)
    case "load": self = try Self.load(&arguments)
    case "demo": self = try Self.demo(&arguments)
    case .some(let word):
      throw UsageError(
        description: unknown(
          "command", word, among: ["serve", "layouts", "config", "token", "load", "demo"], help: "tutti --help"))
    }
  }

  private static func serve(_ arguments: inout ArgumentList) throws(UsageError) -> Command {
    if arguments.wantsHelp { return .help(Help.serve) }
    var options = ServeOptions()
    let known = ["--config"] + Setting.allCases.map(\.option)
    while let (name, value) = try arguments.option(known: known, help: "tutti serve --help") {
      if name == "--config" {
        options.config = value
      } else if let setting = Setting.allCases.first(where: { $0.option == name }) {
        // Repeated addresses add up; of everything else the last counts.
        options.values[setting] =
          [.announce, .rtc].contains(setting)
          ? [options.values[setting], value].compactMap { $0 }.joined(separator: ",") : value
      }
    }
    try arguments.end(help: "tutti serve --help")
    return .serve(options)
  }

  private static func layouts(_ arguments: inout ArgumentList) throws(UsageError) -> Command {
    switch arguments.word() {
    case "check":
      if arguments.wantsHelp { return .help(Help.layoutsCheck) }
      let help = "tutti layouts check --help"
      var files = arguments.words()
      var sizes: [CanvasSize] = []
      while let (_, value) = try arguments.option(known: ["--size"], help: help) {
        sizes.append(try CanvasSize(option: value))
        files += arguments.words()
      }
      guard !files.isEmpty else { throw UsageError(description: "name at least one layout file; see \(help)") }
      try arguments.end(help: help)
      return .checkLayouts(files: files, sizes: sizes)
    case "render": return try render(&arguments)
    case "import": return try importLayouts(&arguments)
    case "restore": return try restoreLayouts(&arguments)
    case nil: return try arguments.helpOrFault(Help.layouts, known: [])
    case .some(let word):
      throw UsageError(
        description: unknown("command", word, among: ["check", "render", "import", "restore"], help: "tutti layouts --help"))
    }
  }

  private static func render(_ arguments: inout ArgumentList) throws(UsageError) -> Command {
    if arguments.wantsHelp { return .help(Help.layoutsRender) }
    let help = "tutti layouts render --help"
    guard let layout = arguments.word() else { throw UsageError(description: "name a layout or its file; see \(help)") }
    var options = RenderOptions(layout: layout, canvas: PreviewCanvas(.init(4), width: 1280, height: 720), output: "")
    let words = PreviewCanvas.Word.allCases
    while let (name, value) = try arguments.option(known: words.map { "--\($0.rawValue)" } + ["--layouts", "-o"], help: help) {
      if let word = words.first(where: { name == "--\($0.rawValue)" }) {
        guard options.canvas.set(word, value) else { throw UsageError(description: "\(name): must be \(word.allowed)") }
      } else if name == "--layouts" {
        options.layoutsDirectory = value
      } else {
        options.output = value
      }
    }
    try arguments.end(help: help)
    if let contradiction = options.canvas.contradiction {
      throw UsageError(description: "--\(contradiction.word.rawValue): \(contradiction.sentence)")
    }
    guard options.output.hasSuffix(".png") || options.output.hasSuffix(".svg") else {
      throw UsageError(description: "-o: name a file that ends in .png or .svg")
    }
    options.canvas.format = options.output.hasSuffix(".svg") ? .svg : .png
    return .renderLayout(options)
  }

  private static func importLayouts(_ arguments: inout ArgumentList) throws(UsageError) -> Command {
    if arguments.wantsHelp { return .help(Help.layoutsImport) }
    let help = "tutti layouts import --help"
    var file = arguments.word()
    var directory = "."
    while let (_, value) = try arguments.option(known: ["-o"], help: help) { directory = value }
    if file == nil { file = arguments.word() }
    guard let file else { throw UsageError(description: "name the file to import; see \(help)") }
    try arguments.end(help: help)
    return .importLayouts(file: file, directory: directory)
  }

  private static func restoreLayouts(_ arguments: inout ArgumentList) throws(UsageError) -> Command {
    if arguments.wantsHelp { return .help(Help.layoutsRestore) }
    let help = "tutti layouts restore --help"
    var names = arguments.words()
    var directory: String?
    while let (_, value) = try arguments.option(known: ["--layouts"], help: help) {
      directory = value
      names += arguments.words()
    }
    guard !names.isEmpty else {
      throw UsageError(
        description: "name at least one of \(ShippedLayouts.names.joined(separator: ", ")); see \(help)")
    }
    try arguments.end(help: help)
    return .restoreLayouts(names: names, directory: directory)
  }

  private static func config(_ arguments: inout ArgumentList) throws(UsageError) -> Command {
    switch arguments.word() {
    case "check":
      if arguments.wantsHelp { return .help(Help.configCheck) }
      guard let file = arguments.word() else {
        throw UsageError(description: "name a configuration file; see tutti config check --help")
      }
      try arguments.end(help: "tutti config check --help")
      return .checkConfiguration(file: file)
    case nil: return try arguments.helpOrFault(Help.config, known: [])
    case .some(let word): throw UsageError(description: unknown("command", word, among: ["check"], help: "tutti config --help"))
    }
  }

  private static func token(_ arguments: inout ArgumentList) throws(UsageError) -> Command {
    if arguments.wantsHelp { return .help(Help.token) }
    let help = "tutti token --help"
    var options = TokenOptions(room: "", role: "", subject: "", lifetimeSeconds: 3600)
    while let (name, value) = try arguments.option(known: ["--room", "--role", "--sub", "--ttl", "--config"], help: help) {
      switch name {
      case "--room": options.room = value
      case "--role":
        let roles = ["host", "panelist", "viewer", "admin"]
        guard roles.contains(value) else { throw UsageError(description: unknown("role", value, among: roles, help: help)) }
        options.role = value
      case "--sub": options.subject = value
      case "--ttl":
        guard let seconds = durationSeconds(value) else {
          throw UsageError(description: "--ttl: must be a time such as 90s, 15m, 1h or 7d")
        }
        options.lifetimeSeconds = seconds
      default: options.config = value
      }
    }
    try arguments.end(help: help)
    for (option, value) in [("--room", options.room), ("--role", options.role), ("--sub", options.subject)] where value.isEmpty
    {
      throw UsageError(description: "\(option) is missing; see \(help)")
    }
    return .makeToken(options)
  }
}

/// Seconds of `90s`, `15m`, `1h`, `7d`, at most ten years; nil for everything else.
func durationSeconds(_ text: String) -> Int? {
  let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
  guard let last = text.last, let unit = units[last], let count = Int(text.dropLast()), count > 0, count <= 315_360_000 / unit
  else { return nil }
  return count * unit
}

func unknown(_ what: String, _ word: String, among candidates: [String], help: String) -> String {
  let advice = nearest(to: word, among: candidates).map { "did you mean '\($0)'?" } ?? "see \(help)"
  return "unknown \(what) \(quoted(word)), \(advice)"
}
