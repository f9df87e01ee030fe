import Conference
import Configuration
import Foundation
import Testing

@Suite struct ConfigurationFileTests {
  private func load(_ text: String, environment: [String: String] = [:], _ values: [Setting: String] = [:]) throws
    -> Configuration
  {
    try Configuration.load(options: ServeOptions(config: "t.json5", values: values), environment: environment) { _ in
      Array(text.utf8)
    }
  }

  private func faults(_ text: String, environment: [String: String] = [:], _ values: [Setting: String] = [:]) -> [String] {
    do {
      _ = try load(text, environment: environment, values)
      return []
    } catch { return (error as? ConfigurationError)?.faults ?? ["another error"] }
  }

  @Test func withoutAnythingTheDefaultsHold() throws {
    let configuration = try Configuration.load(options: ServeOptions(), environment: [:])
    #expect(configuration.http == ListenAddress(address: "127.0.0.1", port: 8080))
    #expect(configuration.rtc == [ListenAddress(address: "127.0.0.1", port: 8000)])
    #expect(configuration.authentication == .unsaid)
    #expect(configuration.rooms.outputs.map(\.name) == ["main"])
    #expect(configuration.rooms.outputs[0].width == 1280)
    #expect(configuration.rooms.autoCreate)
  }

  @Test func everyKeyIsRead() throws {
    let configuration = try load(
      """
      // all of it
      {
        http: '0.0.0.0:80', tls: 'a.pem,b.pem', rtc: '[::]:9000', announce: ['192.0.2.1', '2001:db8::1'], layouts: 'L',
        drainSeconds: 3, networkThreads: 5, log: { level: 'debug', format: 'json' },
        auth: { keys: [{ algorithm: 'HS256', secret: '0123456789abcdef0123456789abcdef', id: 'k' },
                       { algorithm: 'ES256', publicKeyFile: 'k.pem' }] },
        iceServers: [{ urls: 'stun:a' }, { urls: 'turn:c', secret: 's', ttlSeconds: 600 }, { urls: ['turn:b:1', 'turns:b'], username: 'u', credential: 'c' }],
        rooms: { autoCreate: false, emptySeconds: 0, layout: 'speaker', admission: { lobby: true, publishersMax: 9 },
                 stage: { onAir: false, waitingText: 'Soon' },
                 outputs: [{ name: 'hd', width: 1920, height: 1080, fps: 25, bitrate: 3000000, layout: 'grid' }],
                 audio: { bitrate: 48000, maxSpeakers: 6, stereo: true, mode: 'music', noiseSuppression: true, waiting: 'w.ogg',
                          outputs: [{ name: 'low', bitrate: 8000, ptime: 120, fec: false }], joinTone: 'tone:join' } },
        webhooks: [{ url: 'https://a/b', secret: '0123456789abcdef', events: ['overload'] }, { url: 'http://c' }],
        prompts: 'P', overload: { processorMax: 0.5, videoGivesWay: false },
      }
      """)
    #expect(configuration.http.port == 80)
    #expect(configuration.tls == .files(certificate: "a.pem", key: "b.pem"))
    #expect(configuration.rtc.map(\.address) == ["::"])
    #expect(configuration.announce.count == 2)
    #expect(configuration.layoutsDirectory == "L")
    #expect(configuration.drainSeconds == 3)
    #expect(configuration.networkThreads == 5)
    #expect(configuration.logLevel == .debug)
    #expect(configuration.logFormat == .json)
    guard case .keys(let keys) = configuration.authentication else {
      Issue.record("keys were expected")
      return
    }
    #expect(keys.map(\.id) == ["k", nil])
    #expect(configuration.iceServers.map(\.urls.count) == [1, 1, 2])
    #expect(configuration.iceServers[1].secret == "s" && configuration.iceServers[1].ttlSeconds == 600)
    #expect(!configuration.rooms.autoCreate)
    #expect(configuration.rooms.admission.lobby && configuration.rooms.admission.publishersMax == 9)
    #expect(!configuration.rooms.stage.onAir && configuration.rooms.stage.waitingText == "Soon")
    #expect(
      configuration.rooms.outputs
        == [OutputSettings(name: "hd", width: 1920, height: 1080, fps: 25, bitrate: 3_000_000, layout: "grid")])
    #expect(
      configuration.rooms.audio
        == AudioSettings(
          bitrate: 48_000, maxSpeakers: 6, stereo: true, mode: .music, noiseSuppression: true,
          outputs: [AudioOutputSettings(name: "low", bitrate: 8_000, ptime: 120, fec: false)], joinTone: "tone:join",
          waiting: "w.ogg"))
    #expect(configuration.promptsDirectory == "P")
    #expect(
      configuration.webhooks.map(\.url) == ["https://a/b", "http://c"] && configuration.webhooks[0].events == ["overload"])
    #expect(configuration.overload == Configuration.Overload(processorMax: 0.5, videoGivesWay: false))
  }

  @Test(arguments: [
    ("{ htpp: '' }", "t.json5:1:3: unknown key 'htpp', did you mean 'http'?"),
    ("{\n http: 8080 }", "t.json5:2:8: 'http' must be a string, not 8080"),
    ("{ http: 'x' }", "t.json5:1:9: 'http' must be ADDRESS:PORT such as 127.0.0.1:8080 or [::]:8080, not 'x'"),
    ("{ networkThreads: 0 }", "t.json5:1:19: 'networkThreads' must be a whole number from 1 to 32, not 0"),
    ("{ drainSeconds: 9999 }", "t.json5:1:17: 'drainSeconds' must be a whole number from 0 to 3600, not 9999"),
    (
      "{ log: { level: 'warn' } }",
      "t.json5:1:17: 'level' is one of 'debug', 'info', 'warning', 'error', not 'warn'"
    ),
    ("{ auth: 'nobody' }", "t.json5:1:9: 'auth' must be \"none\" or an object with 'keys'"),
    ("{ auth: { keys: [] } }", "t.json5:1:17: 'keys' must have at least one key"),
    (
      "{ auth: { keys: [{ algorithm: 'HS256', secret: 'short' }] } }",
      "t.json5:1:48: 'secret' must have at least 32 bytes; 'openssl rand -base64 32' makes one"
    ),
    (
      "{ auth: { keys: [{ algorithm: 'ES256', publicKeyFile: 'k', secret: 's' }] } }",
      "t.json5:1:68: 'secret' does not go with ES256"
    ),
    ("{ announce: ['here'] }", "t.json5:1:13: 'announce' must be IP addresses, not 'here'"),
    ("{ rtc: ['127.0.0.1:1', 'x'] }", "t.json5:1:8: 'rtc' must be ADDRESS:PORT such as 127.0.0.1:8080 or [::]:8080, not 'x'"),
    ("{ overload: { processorMax: 0 } }", "t.json5:1:29: 'processorMax' must be a number from 0.1 to 1, not 0"),
    (
      "{ iceServers: [{ urls: 'turn:a', secret: 's', username: 'u' }] }",
      "t.json5:1:16: 'secret' makes user names and credentials: leave 'username' and 'credential' away"
    ),
    (
      "{ rooms: { stage: { spotlight: 'x' } } }",
      "t.json5:1:21: unknown key 'spotlight', allowed are onAir, waitingLayout, waitingText, selfUnmute"
    ),
    ("{ webhooks: [{ url: 'ftp://x' }] }", "t.json5:1:21: 'url' must be an address that begins with https:// or http://"),
    (
      "{ webhooks: [{ url: 'http://x', secret: 'short' }] }",
      "t.json5:1:41: 'secret' must have at least 16 bytes; 'openssl rand -base64 32' makes one"
    ),
    ("{ overload: 'off' }", "t.json5:1:13: 'overload' must be ignore; limits stand in the configuration file"),
    ("{ announce: [1] }", "t.json5:1:13: 'announce' must be an IP address or a list of them, not a list"),
    (
      "{ iceServers: [{ urls: 'http:x' }] }",
      "t.json5:1:24: 'urls' must be one or more of stun:HOST, turn:HOST:PORT, turns:HOST"
    ),
    ("{ rooms: { outputs: [] } }", "t.json5:1:21: 'outputs' must have at least one output"),
    ("{ rooms: { outputs: [{ name: 'a', width: 641 }] } }", "t.json5:1:42: 'width' must be even, not 641"),
    ("{ rooms: { outputs: [{ name: 'a' }, { name: 'a' }] } }", "t.json5:1:37: output 'a' is there twice"),
    (
      "{ rooms: { audio: { outputs: [{ name: 'a', bitrate: 8000, ptime: 10 }] } } }",
      "t.json5:1:66: 'ptime' must be 20, 40, 60 or 120, not 10"
    ),
    ("{ rooms: { layout: '../x' } }", "t.json5:1:20: 'layout' must be 1 to 64 of A-Z a-z 0-9 . _ -, not '../x'"),
    ("{ http: }", "t.json5:1:9: a value was expected, found '}'"),
    ("[]", "t.json5:1:1: an object was expected, not a list"),
  ])
  func aFaultStopsTheStartWithItsPlace(text: String, fault: String) { #expect(faults(text) == [fault]) }

  @Test func allFaultsAreToldAtOnce() {
    #expect(faults("{ a: 1, drainSeconds: -1,\n rtc: true }").count == 3)
  }

  @Test func aWebhookThatGoesNowhereHidesNoOtherFaultOfIt() {
    #expect(
      faults("{ webhooks: [{ url: 'ftp://x', secret: 'short', events: ['overlord'] }] }").map { $0.prefix(13) }
        == ["t.json5:1:21:", "t.json5:1:40:", "t.json5:1:58:"])
    #expect(faults("{ webhooks: [{ secret: 'short' }] }").count == 2)
    #expect(faults("{ webhooks: [{ url: 7 }] }").count == 1)
  }

  @Test func everyEventOfTheDocumentsCanBeChosenForAWebhook() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let guide = try String(
      contentsOf: root.appending(path: "Sources/ControlAPI/ControlAPI.docc/ControlAPI.md"), encoding: .utf8)
    let list = try #require(guide.firstMatch(of: /\nEvents: ([^;]+);/)).1
    let documented = list.matches(of: /`([a-z-]+)`/).map { String($0.1) }
    #expect(documented.count > 10 && Set(documented) == Set(ConferenceEvent.Kind.allCases.map(\.rawValue)))
    for name in documented { #expect(faults("{ webhooks: [{ url: 'http://x', events: ['\(name)'] }] }") == []) }
  }

  @Test func optionsCountMoreThanVariablesAndVariablesMoreThanTheFile() throws {
    let text = "{ http: '127.0.0.1:1', rtc: '127.0.0.1:1', layouts: 'file' }"
    let configuration = try load(
      text, environment: ["TUTTI_HTTP": "127.0.0.1:2", "TUTTI_RTC": "127.0.0.1:2", "TUTTI_LOG_LEVEL": "error"],
      [.http: "127.0.0.1:3"])
    #expect(configuration.http.port == 3)
    #expect(configuration.rtc.map(\.port) == [2])
    #expect(configuration.layoutsDirectory == "file")
    #expect(configuration.logLevel == .error)
  }

  @Test func faultsOfOptionsAndVariablesNameThem() {
    let found = faults("{}", environment: ["TUTTI_LOG_FORMAT": "xml"], [.http: "80", .logLevel: "inof"])
    #expect(
      found == [
        "TUTTI_LOG_FORMAT: must be one of text, json, not 'xml'",
        "--http: must be ADDRESS:PORT such as 127.0.0.1:8080 or [::]:8080, not '80'",
        "--log-level: must be one of debug, info, warning, error, not 'inof', did you mean 'info'?",
      ])
  }

  @Test func aVariableThatIsNoSettingIsWarnedOf() throws {
    let configuration = try load(
      "{}", environment: ["TUTTI_LAYOUT": "x", "TUTTI_ALTOGETHER": "y", "TUTTI_CONFIG": "", "HOME": "h"])
    #expect(
      configuration.warnings == [
        "the variable 'TUTTI_ALTOGETHER' is no setting and has no effect, see tutti serve --help",
        "the variable 'TUTTI_LAYOUT' is no setting and has no effect, did you mean TUTTI_LAYOUTS?",
      ])
  }

  @Test(arguments: ["0.0.0.0:80", "[::]:80", "192.0.2.1:80", "[::ffff:192.0.2.1]:80"])
  func anAddressForEverybodyNeedsAuthentication(address: String) throws {
    #expect(faults("{ http: '\(address)' }").count == 1)
    #expect(faults("{ http: '\(address)', auth: 'none' }").isEmpty)
    #expect(faults("{ http: '\(address)' }", [.authSecret: String(repeating: "s", count: 32)]).isEmpty)
  }

  @Test(arguments: ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "[::ffff:127.0.0.1]:1"])
  func loopbackNeedsNone(address: String) { #expect(faults("{ http: '\(address)' }").isEmpty) }

  @Test(arguments: [
    "", "1.2.3.4", ":80", "1.2.3.4:", "1.2.3.4:99999", "1.2.3.4:-1", "::1:80", "[1.2.3.4]:80", "host:80", "1.2.3.4:+8",
  ])
  func whatIsNoEndpointIsRefused(text: String) { #expect(ListenAddress(text) == nil) }

  @Test func aMissingFileIsTold() {
    let error = #expect(throws: ConfigurationError.self) {
      try Configuration.load(options: ServeOptions(config: "/no/such/file"), environment: [:])
    }
    #expect(error?.description == "/no/such/file: No such file or directory")
  }
}

@Suite struct CommandTests {
  private func fault(_ arguments: String...) -> String? {
    do throws(UsageError) {
      _ = try Command(parsing: arguments)
      return nil
    } catch { return error.description }
  }

  @Test func everyCommandIsRead() throws {
    #expect(try Command(parsing: ["--version"]) == .version)
    #expect(
      try Command(parsing: [
        "serve", "--http", "1.1.1.1:1", "--log-level=debug", "--announce", "1.1.1.1", "--announce", "2.2.2.2", "--config", "f",
      ])
        == .serve(ServeOptions(config: "f", values: [.http: "1.1.1.1:1", .logLevel: "debug", .announce: "1.1.1.1,2.2.2.2"])))
    #expect(try Command(parsing: ["layouts", "check", "a", "b"]) == .checkLayouts(files: ["a", "b"]))
    #expect(try Command(parsing: ["layouts", "import", "f", "-o", "d"]) == .importLayouts(file: "f", directory: "d"))
    #expect(try Command(parsing: ["layouts", "restore", "grid"]) == .restoreLayouts(names: ["grid"], directory: nil))
    #expect(
      try Command(parsing: ["layouts", "restore", "grid", "--layouts", "D", "stage"])
        == .restoreLayouts(names: ["grid", "stage"], directory: "D"))
    #expect(try Command(parsing: ["layouts", "import", "-o=d", "f"]) == .importLayouts(file: "f", directory: "d"))
    guard
      case .checkLayouts(["a", "b"], let sizes) = try Command(parsing: [
        "layouts", "check", "--size", "640x360", "a", "--size=720x1280", "b",
      ])
    else { return #expect(Bool(false), "another command") }
    #expect(sizes.map(\.width) == [640, 720] && sizes.map(\.height) == [360, 1280])
    #expect(try Command(parsing: ["config", "check", "f"]) == .checkConfiguration(file: "f"))
    var load = LoadCommandOptions()
    (load.url, load.viewers, load.lossPercent, load.isJSON) = ("http://h/rooms/r", 500, 1.5, true)
    #expect(
      try Command(parsing: ["load", "--url", "http://h/rooms/r", "--viewers=500", "--json", "--loss", "1.5"]) == .load(load))
    load.hasCounterModeOnly = true
    #expect(
      try Command(parsing: [
        "load", "--url", "http://h/rooms/r", "--viewers=500", "--json", "--loss", "1.5", "--srtp", "aes-cm",
      ]) == .load(load))
    load.hasCounterModeOnly = false
    #expect(throws: UsageError.self) { try Command(parsing: ["load", "--url", "http://h/rooms/r", "--srtp", "rc4"]) }
    var demo = LoadCommandOptions()
    (demo.publishers, demo.viewers, demo.seconds) = (7, 0, 0)
    #expect(try Command(parsing: ["demo", "--participants", "7"]) == .demo(demo))
    demo.isInsecure = true
    #expect(try Command(parsing: ["demo", "--insecure", "--participants", "7"]) == .demo(demo))
    load.isInsecure = true
    #expect(
      try Command(parsing: ["load", "--url=http://h/rooms/r", "--viewers=500", "--insecure", "--json", "--loss", "1.5"])
        == .load(load))
    #expect(throws: UsageError.self) { try Command(parsing: ["demo", "--insecure=1"]) }
    guard
      case .renderLayout(let options) = try Command(parsing: [
        "layouts", "render", "grid", "--participants", "7", "--size", "640x360", "--floor", "0", "--screen=2",
        "--roles", "host,,guest", "--layouts", "D", "-o", "x.svg",
      ])
    else { return #expect(Bool(false), "another command") }
    let people = options.canvas.people
    #expect(people.count == 7 && people.floor == nil && people.screen == 1 && people.roles == ["host", "", "guest"])
    #expect(options.canvas.width == 640 && options.canvas.format == .svg)
    #expect(options.layoutsDirectory == "D")
    guard
      case .makeToken(let token) = try Command(parsing: [
        "token", "--room", "r", "--role", "host", "--sub", "Ada", "--ttl", "15m",
      ])
    else { return #expect(Bool(false), "another command") }
    #expect(token.lifetimeSeconds == 900)
  }

  @Test(arguments: [
    ["--help"], ["help"], ["serve", "--help"], ["layouts", "--help"], ["layouts", "check", "--help"],
    ["layouts", "render", "--help"], ["layouts", "import", "--help"], ["layouts", "restore", "--help"], ["config", "--help"],
    ["config", "check", "--help"],
    ["token", "--help"],
  ])
  func thereIsHelpOnEveryLevel(arguments: [String]) throws {
    guard case .help(let text) = try Command(parsing: arguments) else { return #expect(Bool(false), "no help") }
    #expect(text.contains("usage:"))
  }

  @Test func faultsSayWhatToDo() {
    #expect(fault("sevre") == "unknown command 'sevre', did you mean 'serve'?")
    #expect(fault("serve", "--htpp", "x") == "unknown option '--htpp', did you mean '--http'?")
    #expect(fault("serve", "--http") == "--http needs a value; see tutti serve --help")
    #expect(fault("serve", "extra") == "unexpected argument 'extra'; see tutti serve --help")
    #expect(fault("layouts", "check") == "name at least one layout file; see tutti layouts check --help")
    #expect(fault("layouts", "import") == "name the file to import; see tutti layouts import --help")
    #expect(fault("layouts", "restore")?.hasPrefix("name at least one of audio-only, gallery-7x7, grid") == true)
    #expect(
      fault("layouts", "render", "grid", "--screen", "9", "--participants", "3", "-o", "x.png")
        == "--screen: person 9 is not there, participants: 3")
    #expect(
      fault("layouts", "render", "grid", "--floor", "5", "-o", "x.png") == "--floor: person 5 is not there, participants: 4")
    #expect(fault("layouts", "render", "grid", "--participants", "0", "-o", "x.png") == nil)
    #expect(fault("layouts", "render", "grid", "-o", "x.gif") == "-o: name a file that ends in .png or .svg")
    #expect(
      fault("layouts", "render", "grid", "--size", "1x1", "-o", "x.png") == "--size: must be WIDTHxHEIGHT, 64x64 to 3840x2160")
    #expect(fault("token", "--room", "r", "--role", "king") == "unknown role 'king', see tutti token --help")
    #expect(fault("token", "--room", "r", "--role", "host") == "--sub is missing; see tutti token --help")
    #expect(fault("token", "--ttl", "soon") == "--ttl: must be a time such as 90s, 15m, 1h or 7d")
    #expect(fault() != nil)
    #expect(fault("layouts") != nil)
  }
}

@Suite struct LogTests {
  private final class Lines: @unchecked Sendable { var text = "" }

  private func lines(_ level: LogLevel, _ format: LogFormat, _ body: (Log) -> Void) -> String {
    let lines = Lines()
    body(
      Log(
        level: level, format: format, write: { lines.text += String(decoding: $0, as: UTF8.self) },
        now: { 1_790_000_000_000_000_000 }))
    return lines.text
  }

  @Test func aLineOfTextHasTimeLevelMessageAndFields() {
    let text = lines(.info, .text) { log in
      log.debug("unseen")
      log.info("joined", ["name": "Ada L", "room": "lobby", "empty": ""])
    }
    #expect(text == "2026-09-21T14:13:20.000Z info joined name=\"Ada L\" room=lobby empty=\"\"\n")
  }

  @Test func aLineOfJSONIsAnObject() {
    let text = lines(.warning, .json) { $0.error("a \"b\"\n", ["name": "\u{1B}[0m"]) }
    #expect(text == #"{"time":"2026-09-21T14:13:20.000Z","level":"error","message":"a \"b\"\n","name":"\u001b[0m"}"# + "\n")
  }

  @Test func noTextOfStrangersEndsALineOrSteersATerminal() {
    let text = lines(.debug, .text) { $0.warning("a\r\nb", ["name": "x\n2026 error forged\u{1B}[2J\u{202E}"]) }
    #expect(text == "2026-09-21T14:13:20.000Z warning a\\u{D}\\u{A}b name=\"x\\u{A}2026 error forged\\u{1B}[2J\\u{202E}\"\n")
  }
}

@Test func theDocumentedConfigurationIsInOrder() throws {
  let path = #filePath.replacing(
    "Tests/ConfigurationTests/ConfigurationTests.swift", with: "Sources/Configuration/Configuration.docc/Operation.md")
  let text = String(decoding: try readWholeFile(path), as: UTF8.self)
  let block = try #require(text.split(separator: "```").dropFirst().first)
  _ = try Configuration(file: "Operation.md", bytes: Array(block.utf8))
}
