import JSON5

/// What can be set by option, environment and file alike, as text.
package enum Setting: String, Sendable, CaseIterable {
  case http, tls, rtc, announce, layouts, prompts, avatars, auth
  case authSecret = "auth-secret"
  case overload
  case drainSeconds = "drain-seconds"
  case networkThreads = "network-threads"
  case logLevel = "log-level"
  case logFormat = "log-format"

  /// `--log-level`
  package var option: String { "--" + rawValue }
  /// `TUTTI_LOG_LEVEL`
  package var variable: String { "TUTTI_" + rawValue.uppercased().map { $0 == "-" ? "_" : String($0) }.joined() }
  /// What an option's help shows for the value.
  var placeholder: String {
    switch self {
    case .http: "ADDR:PORT"
    case .rtc: "ADDR:PORT[,...]"
    case .tls: "CERT,KEY|self-signed"
    case .announce: "IP[,IP...]"
    case .layouts, .prompts, .avatars: "DIR"
    case .auth: "none"
    case .overload: "ignore"
    case .authSecret: "TEXT"
    case .drainSeconds, .networkThreads: "N"
    case .logLevel: LogLevel.allCases.map(\.rawValue).joined(separator: "|")
    case .logFormat: "text|json"
    }
  }

  var help: String {
    switch self {
    case .http: "where the page and the control interface are served (127.0.0.1:8080)"
    case .tls: "PEM files for https, or a certificate made at the start"
    case .rtc: "media port, UDP and ICE-TCP (127.0.0.1:8000); may be repeated, IPv6 as [ADDR]:PORT"
    case .announce: "address told to clients in place of the media address; may be repeated"
    case .layouts: "directory of layout files (Layouts)"
    case .prompts: "directory of sounds that may be played into rooms (Prompts, where there is one)"
    case .avatars: "directory of images that stand for people without a picture (Avatars, where there is one)"
    case .auth: "let everybody do everything, even from outside"
    case .authSecret: "secret of HS256 tokens, at least 32 bytes; better in the environment than here"
    case .overload: "take everybody and keep pictures whole, however late ticks are"
    case .drainSeconds: "how long participants have to leave after SIGTERM (10)"
    case .networkThreads: "threads that receive and send (one for each four processors)"
    case .logLevel: "least level that is logged (info)"
    case .logFormat: "lines for people or for programs (text)"
    }
  }
}

extension Configuration {
  /// Takes a value; the result says what is wrong with it.
  mutating func set(_ setting: Setting, _ text: String) -> String? {
    switch setting {
    case .http: return take(endpoint(text), \.http)
    case .rtc: return setMedia(text.split(separator: ",").map(String.init))
    case .tls: return setTLS(text)
    case .announce: return setAnnounce(text.split(separator: ",").map(String.init))
    case .layouts: layoutsDirectory = text
    case .prompts: promptsDirectory = text
    case .avatars: avatarsDirectory = text
    case .auth:
      guard text == "none" else { return "must be none; keys stand in the configuration file" }
      authentication = .none
    case .authSecret:
      guard text.utf8.count >= 32 else { return "must have at least 32 bytes" }
      authentication = .keys([Key(material: .hs256(secret: Array(text.utf8)))])
    case .overload:
      guard text == "ignore" else { return "must be ignore; limits stand in the configuration file" }
      overload = Overload(processorMax: 1, videoGivesWay: false)
    case .drainSeconds:
      guard let seconds = Int(text), (0...3600).contains(seconds) else { return "must be a whole number from 0 to 3600" }
      drainSeconds = seconds
    case .networkThreads:
      guard let threads = Int(text), Self.networkThreadsRange.contains(threads) else {
        return "must be a whole number from 1 to \(Self.networkThreadsRange.upperBound)"
      }
      networkThreads = threads
    case .logLevel: return take(choice(text), \.logLevel)
    case .logFormat: return take(choice(text), \.logFormat)
    }
    return nil
  }

  private mutating func take<T>(_ result: Result<T, Fault>, _ path: WritableKeyPath<Configuration, T>) -> String? {
    switch result {
    case .success(let value):
      self[keyPath: path] = value
      return nil
    case .failure(let fault): return fault.message
    }
  }

  private func endpoint(_ text: String) -> Result<ListenAddress, Fault> {
    ListenAddress(text).map { .success($0) }
      ?? .failure(Fault(message: "must be ADDRESS:PORT such as 127.0.0.1:8080 or [::]:8080, not \(quoted(text))"))
  }

  private func choice<T: CaseIterable & RawRepresentable<String>>(_ text: String) -> Result<T, Fault> {
    if let value = T(rawValue: text) { return .success(value) }
    let names = T.allCases.map(\.rawValue)
    let advice = nearest(to: text, among: names).map { ", did you mean '\($0)'?" } ?? ""
    return .failure(Fault(message: "must be one of \(names.joined(separator: ", ")), not \(quoted(text))\(advice)"))
  }

  mutating func setTLS(_ text: String) -> String? {
    if text == "self-signed" {
      tls = .selfSigned
      return nil
    }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      return "must be self-signed or the paths of certificate and key with a comma between them, not \(quoted(text))"
    }
    tls = .files(certificate: parts[0], key: parts[1])
    return nil
  }

  mutating func setMedia(_ addresses: [String]) -> String? {
    guard (1...8).contains(addresses.count) else { return "must be one to eight addresses" }
    var endpoints: [ListenAddress] = []
    for address in addresses {
      switch endpoint(address) {
      case .success(let value): endpoints.append(value)
      case .failure(let fault): return fault.message
      }
    }
    rtc = endpoints
    return nil
  }

  mutating func setAnnounce(_ addresses: [String]) -> String? {
    if let wrong = addresses.first(where: { !isNumericAddress($0) }) { return "must be IP addresses, not \(quoted(wrong))" }
    announce = addresses
    return nil
  }
}

private struct Fault: Error { var message: String }
