extension Command {
  static func load(_ arguments: inout ArgumentList) throws(UsageError) -> Command {
    if arguments.wantsHelp { return .help(Help.load) }
    let help = "tutti load --help"
    var options = LoadCommandOptions()
    var hasURL = false
    let known = [
      "--url", "--publishers", "--viewers", "--seconds", "--joins-per-second", "--token", "--output", "--audio-only", "--loss",
      "--keyframe-requests", "--slow-viewers", "--line", "--srtp", "--insecure", "--json",
    ]
    while !arguments.isEmpty {
      if arguments.takeFlag("--audio-only") {
        options.isAudioOnly = true
      } else if arguments.takeFlag("--insecure") {
        options.isInsecure = true
      } else if arguments.takeFlag("--json") {
        options.isJSON = true
      } else if let (name, value) = try arguments.option(known: known, help: help) {
        switch name {
        case "--url": (options.url, hasURL) = (value, true)
        case "--publishers": options.publishers = try count(value, name, 0...200)
        case "--viewers": options.viewers = try count(value, name, 0...20_000)
        case "--seconds": options.seconds = try count(value, name, 1...86_400)
        case "--joins-per-second": options.joinsPerSecond = try count(value, name, 0...10_000)
        case "--token": options.token = value
        case "--output": options.output = value
        case "--keyframe-requests": options.keyframeRequestsPerSecond = try count(value, name, 0...100)
        case "--slow-viewers": options.slowViewers = try count(value, name, 0...20_000)
        case "--line": options.lineKilobits = try count(value, name, 10...1_000_000)
        case "--srtp":
          guard ["aes-gcm", "aes-cm"].contains(value) else {
            throw UsageError(description: "--srtp: must be aes-gcm or aes-cm, not '\(value)'")
          }
          options.hasCounterModeOnly = value == "aes-cm"
        case "--loss":
          guard let percent = Double(value), (0...100).contains(percent) else {
            throw UsageError(description: "--loss: must be a share in per cent from 0 to 100")
          }
          options.lossPercent = percent
        default: throw UsageError(description: "\(name) takes no value; see \(help)")
        }
      } else {
        try arguments.end(help: help)
      }
    }
    guard hasURL else { throw UsageError(description: "--url: name the room, such as http://127.0.0.1:8080/rooms/demo") }
    guard options.publishers + options.viewers > 0 else { throw UsageError(description: "nobody comes: see \(help)") }
    return .load(options)
  }

  static func demo(_ arguments: inout ArgumentList) throws(UsageError) -> Command {
    if arguments.wantsHelp { return .help(Help.demo) }
    let help = "tutti demo --help"
    var options = LoadCommandOptions()
    (options.publishers, options.viewers, options.seconds) = (4, 0, 0)
    while true {
      if arguments.takeFlag("--insecure") {
        options.isInsecure = true
        continue
      }
      guard let (name, value) = try arguments.option(known: ["--url", "--participants", "--token", "--insecure"], help: help)
      else { break }
      switch name {
      case "--url": options.url = value
      case "--token": options.token = value
      case "--participants": options.publishers = try count(value, name, 1...60)
      default: throw UsageError(description: "\(name) takes no value; see \(help)")
      }
    }
    try arguments.end(help: help)
    return .demo(options)
  }

  private static func count(_ text: String, _ name: String, _ range: ClosedRange<Int>) throws(UsageError) -> Int {
    guard let value = Int(text), range.contains(value) else {
      throw UsageError(
        description: "\(name): must be a whole number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
    }
    return value
  }
}
