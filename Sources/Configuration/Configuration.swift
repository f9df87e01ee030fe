import Conference
import JSON5

/// Everything an operator can set. What is unsaid has the contract's defaults.
package struct Configuration: Sendable {
  package enum TLS: Sendable, Equatable {
    /// Paths of PEM files.
    case files(certificate: String, key: String)
    case selfSigned
  }

  package enum Authentication: Sendable, Equatable {
    /// Nothing was said: everybody may do everything, and only this machine can reach the server.
    case unsaid
    /// Everybody may do everything, and the operator has said so.
    case none
    case keys([Key])
  }

  /// A key that signs tokens.
  package struct Key: Sendable, Equatable {
    package enum Material: Sendable, Equatable {
      case hs256(secret: [UInt8])
      /// Path of a PEM file with a P-256 public key.
      case es256(publicKeyFile: String)
    }
    package var material: Material
    /// The `kid` of its tokens.
    package var id: String?

    package init(material: Material, id: String? = nil) {
      self.material = material
      self.id = id
    }
  }

  package struct ICEServer: Sendable, Equatable {
    package var urls: [String]
    package var username: String?
    package var credential: String?
    /// Shared with a TURN server that makes credentials of it which are good for a time; instead of the two above.
    package var secret: String?
    /// How long those are good, 60 to 604 800.
    package var ttlSeconds = 86_400
  }

  /// An address that is told what happens in the rooms.
  package struct Webhook: Sendable, Equatable {
    package var url: String
    /// What requests are signed with; nil for none.
    package var secret: String?
    /// The types of event; nil for all but those of who speaks.
    package var events: [String]?
  }

  /// What happens where there is too little processor.
  package struct Overload: Sendable, Equatable {
    /// The part of the processors that may be in use when somebody comes in, 0.1 to 1.
    package var processorMax = 0.9
    /// Whether pictures give way where ticks are late.
    package var videoGivesWay = true

    package init(processorMax: Double = 0.9, videoGivesWay: Bool = true) {
      self.processorMax = processorMax
      self.videoGivesWay = videoGivesWay
    }
  }

  /// What rooms are like that nobody set up.
  package struct Rooms: Sendable, Equatable {
    /// Whether the first participant makes the room.
    package var autoCreate = true
    /// How long a room outlives its last participant, 0 to 86 400.
    package var emptySeconds = 60
    package var layout = "grid"
    package var outputs = [OutputSettings(name: "main", width: 1280, height: 720, fps: 30, bitrate: 1_500_000)]
    package var audio = AudioSettings()
    package var admission = AdmissionSettings()
    package var stage = StageSettings()
  }

  package var http = ListenAddress(address: "127.0.0.1", port: 8080)
  package var tls: TLS?
  /// UDP and ICE-TCP; one for each address the server is reached by, at most eight.
  package var rtc = [ListenAddress(address: "127.0.0.1", port: 8000)]
  /// Addresses told to clients in place of the bound one.
  package var announce: [String] = []
  package var layoutsDirectory = "Layouts"
  /// Where sounds are that may be played into rooms; nil for `Prompts`, which need not be there.
  package var promptsDirectory: String?
  /// Where images are that stand for people without a picture; nil for `Avatars`, which need not be there.
  package var avatarsDirectory: String?
  /// How long participants have to leave after SIGTERM, 0 to 3600.
  package var drainSeconds = 10
  /// Threads that receive and send; nil for as many as suit the machine.
  package var networkThreads: Int?
  package var logLevel = LogLevel.info
  package var logFormat = LogFormat.text
  package var authentication = Authentication.unsaid
  package var iceServers: [ICEServer] = []
  package var overload = Overload()
  package var webhooks: [Webhook] = []
  package var rooms = Rooms()
  /// What the operator may have meant otherwise, in sentences.
  package var warnings: [String] = []

  package static let networkThreadsRange = 1...32

  package init() {}

  /// Reads file, environment and options, each of which overrides the one before.
  ///
  /// - Parameter readFile: the bytes of a file, or a sentence that says why not.
  /// - Throws: every fault that was found.
  package static func load(
    options: ServeOptions, environment: [String: String],
    readFile: (String) throws(ConfigurationError) -> [UInt8] = readWholeFile
  ) throws(ConfigurationError) -> Configuration {
    var configuration = Configuration()
    if let path = options.config ?? environment["TUTTI_CONFIG"].flatMap({ $0.isEmpty ? nil : $0 }) {
      configuration = try Configuration(file: path, bytes: try readFile(path))
    }
    var faults: [String] = []
    for setting in Setting.allCases {
      guard let value = environment[setting.variable], !value.isEmpty else { continue }
      if let fault = configuration.set(setting, value) { faults.append("\(setting.variable): \(fault)") }
    }
    for setting in Setting.allCases {
      guard let value = options.values[setting] else { continue }
      if let fault = configuration.set(setting, value) { faults.append("\(setting.option): \(fault)") }
    }
    configuration.warnings = unknownVariables(environment)
    if faults.isEmpty, let fault = configuration.exposureFault { faults.append(fault) }
    guard faults.isEmpty else { throw ConfigurationError(faults: faults) }
    return configuration
  }

  /// Variables that look like settings and are none. Not refused: an environment is inherited, and may be meant for others.
  private static func unknownVariables(_ environment: [String: String]) -> [String] {
    let known = Setting.allCases.map(\.variable) + ["TUTTI_CONFIG"]
    return environment.keys.sorted().filter { $0.hasPrefix("TUTTI_") && !known.contains($0) }.map { name in
      let advice = nearest(to: name, among: known).map { "did you mean \($0)?" } ?? "see tutti serve --help"
      return "the variable \(quoted(name)) is no setting and has no effect, \(advice)"
    }
  }

  /// Everybody on the network could do everything: refused unless the operator has said so.
  var exposureFault: String? {
    guard case .unsaid = authentication, !http.isLoopback else { return nil }
    return "\(http) can be reached from outside and no authentication is configured: set keys under 'auth' of the "
      + "configuration or TUTTI_AUTH_SECRET, or say \"auth\": \"none\" there or --auth none if everybody may do everything"
  }
}

/// Why the server does not start: one line for each fault.
package struct ConfigurationError: Error, Sendable, CustomStringConvertible {
  package let faults: [String]
  package init(faults: [String]) { self.faults = faults }
  package var description: String { faults.joined(separator: "\n") }
}
