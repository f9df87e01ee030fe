import Glibc
import Synchronization

/// Asks a Janus with one plug-in for things over its socket, one after another.
final class JanusControl: Sendable {
  private let socket: Int32
  private let plugin: String
  private let session: String
  private let lastTransaction = Atomic<Int>(0)

  /// - Returns: nil where nobody listens at the path.
  init?(_ path: String, plugin: String) throws {
    guard let socket = Self.connect(path) else { return nil }
    self.plugin = plugin
    self.socket = socket
    let answer = try Self.exchange(socket, #"{"janus":"create","transaction":"s"}"#, "s") { $0.contains("\"success\"") }
    guard let id = Self.number("id", in: answer) else { throw BenchmarkError("Janus made no session: \(answer)") }
    session = id
  }

  deinit { close(socket) }

  private static func connect(_ path: String) -> Int32? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(100)) }
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0)
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    if status == 0 { return socket }
    close(socket)
    return nil
  }

  /// - Returns: the number of a new handle on the plug-in.
  func attach() throws -> String {
    let transaction = next()
    let message = #"{"janus":"attach","session_id":\#(session),"plugin":"\#(plugin)","transaction":"\#(transaction)"}"#
    let answer = try Self.exchange(socket, message, transaction) { $0.contains("\"success\"") || $0.contains("\"error\"") }
    guard let data = answer.rest(after: "\"data\""), let id = Self.number("id", in: data) else {
      throw BenchmarkError("Janus has no \(plugin): \(answer)")
    }
    return id
  }

  /// - Returns: the plug-in's answer to a message, its event where it answers by one.
  func ask(_ handle: String, _ body: String, offer: String? = nil, answer: String? = nil) throws -> String {
    let transaction = next()
    let kind = offer == nil ? "answer" : "offer"
    let description = (offer ?? answer).map { #","jsep":{"type":"\#(kind)","sdp":"\#(Self.escape($0))"}"# } ?? ""
    let message =
      #"{"janus":"message","session_id":\#(session),"handle_id":\#(handle),"transaction":"\#(transaction)","body":\#(body)\#(description)}"#
    return try Self.exchange(socket, message, transaction) { $0.contains("plugindata") || $0.contains("\"error\"") }
  }

  /// The SDP in an answer.
  static func description(in answer: String) throws -> String {
    guard let text = answer.rest(after: "\"sdp\":\"") else { throw BenchmarkError("Janus gave no description: \(answer)") }
    let escaped = Array(text.utf8.prefix { $0 != UInt8(ascii: "\"") })
    var bytes: [UInt8] = []
    var isEscaped = false
    for byte in escaped {
      if !isEscaped, byte == UInt8(ascii: "\\") {
        isEscaped = true
        continue
      }
      bytes.append(!isEscaped ? byte : byte == UInt8(ascii: "r") ? 13 : byte == UInt8(ascii: "n") ? 10 : byte)
      isEscaped = false
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Lines of SDP as a string of JSON.
  private static func escape(_ sdp: String) -> String {
    sdp.utf8.reduce(into: "") { text, byte in
      switch byte {
      case 13: text += "\\r"
      case 10: text += "\\n"
      default: text.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
  }

  func keepAlive() {
    let message = #"{"janus":"keepalive","session_id":\#(session),"transaction":"k"}"#
    _ = message.utf8.withContiguousStorageIfAvailable { Glibc.send(socket, $0.baseAddress, $0.count, 0) }
  }

  private func next() -> String { "t\(lastTransaction.wrappingAdd(1, ordering: .relaxed).newValue)" }

  /// Sends a message and reads until what answers it has come; acknowledgements and events of others are passed over.
  private static func exchange(
    _ socket: Int32, _ message: String, _ transaction: String, _ answers: (String) -> Bool
  ) throws -> String {
    var bytes = Array(message.utf8)
    guard send(socket, &bytes, bytes.count, 0) == bytes.count else { throw BenchmarkError("Janus takes no message") }
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = recv(socket, &buffer, buffer.count, 0)
      guard count > 0 else { throw BenchmarkError("Janus does not answer") }
      let text = String(decoding: buffer[0..<count], as: UTF8.self)
      if text.contains("\"\(transaction)\""), answers(text) { return text }
    }
  }

  /// The digits behind `"name":`.
  static func number(_ name: String, in text: some StringProtocol) -> String? {
    guard let rest = String(text).rest(after: "\"\(name)\":") else { return nil }
    let digits = rest.drop { $0 == " " }.prefix { $0.isNumber }
    return digits.isEmpty ? nil : String(digits)
  }
}

extension String {
  /// What stands behind the first occurrence of `text`.
  func rest(after text: String) -> Substring? {
    let (own, wanted) = (Array(utf8), Array(text.utf8))
    guard own.count >= wanted.count else { return nil }
    for start in 0...(own.count - wanted.count) where own[start..<(start + wanted.count)].elementsEqual(wanted) {
      return Substring(decoding: own[(start + wanted.count)...], as: UTF8.self)
    }
    return nil
  }
}
