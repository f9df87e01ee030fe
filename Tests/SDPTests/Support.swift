import Glibc
import SDP

/// Offers of real clients; `Fixtures/README.md` says where each comes from.
enum Fixture: String, CaseIterable, Sendable {
  case chromiumSendrecv = "chromium-sendrecv"
  case chromiumSimulcast = "chromium-simulcast"
  case chromiumSendonly = "chromium-sendonly"
  case chromiumRecvonly = "chromium-recvonly"
  case chromiumAudioOnly = "chromium-audio-only"
  case chromiumDataChannel = "chromium-datachannel"
  case firefoxSendrecv = "firefox-sendrecv"
  case firefoxRecvonly = "firefox-recvonly"
  case aiortc = "aiortc-sendrecv"
  case wrtc = "wrtc-sendrecv"
  case gstreamer = "gstreamer-sendrecv"
  case ffmpegWHIP = "ffmpeg-whip"
  case ffmpegWHIPActive = "ffmpeg-whip-dtls-active"

  /// Those with media.
  static let withMedia = allCases.filter { $0 != .chromiumDataChannel }

  var bytes: [UInt8] {
    let directory = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    guard let file = fopen("\(directory)/Fixtures/\(rawValue).sdp", "rb") else { return [] }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
    return bytes
  }

  func parsed() throws -> SessionDescription { try SessionDescription(parsing: bytes) }
}

/// What the tests answer and offer with.
enum Sample {
  static let credentials = CredentialAttributes(usernameFragment: "serv", password: "0123456789abcdefghijklmn")
  static let fingerprint = FingerprintAttribute(algorithm: "sha-256", bytes: (0..<32).map { UInt8($0) })
  static let udp = CandidateAttribute(
    foundation: "1", transport: "udp", priority: 2_130_706_431, address: "127.0.0.1", port: 8000, type: "host")
  static let tcp = CandidateAttribute(
    foundation: "2", transport: "tcp", priority: 1_671_430_143, address: "127.0.0.1", port: 8000, type: "host",
    tcpType: "passive")
  static let local = LocalTransport(
    credentials: credentials, fingerprints: [fingerprint], candidates: [tcp, udp], isICELite: true)

  static func answerer(_ policy: AnswerPolicy = .participant, _ capabilities: MediaCapabilities = .mixer) -> Answerer {
    Answerer(sessionID: 4711, capabilities: capabilities, policy: policy)
  }

  static func source(_ request: SourceRequest) -> LocalSource? {
    LocalSource(
      ssrc: UInt32(1_000 + request.index), retransmissionSSRC: UInt32(2_000 + request.index), cname: "mixer",
      msid: MSIDAttribute(stream: "mix", track: request.type.rawValue))
  }

  /// An offer of one audio and one video line, with `changes` for lines of the text.
  static func offer(
    audio: [String] = audioLines, video: [String] = videoLines, session: [String] = ["a=group:BUNDLE 0 1"]
  ) -> String {
    (["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"] + session + audio + video).joined(separator: "\r\n") + "\r\n"
  }

  static let transportLines = [
    "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuv", "a=fingerprint:\(fingerprint.algorithm) \(fingerprint.value)",
    "a=setup:actpass", "a=rtcp-mux",
  ]

  static let audioLines =
    ["m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "c=IN IP4 0.0.0.0"] + transportLines + ["a=mid:0", "a=rtpmap:111 opus/48000/2"]

  static let videoLines =
    ["m=video 9 UDP/TLS/RTP/SAVPF 96 97", "c=IN IP4 0.0.0.0"] + transportLines + [
      "a=mid:1", "a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack pli", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96",
    ]

  /// The answer to an offer given as text.
  static func answer(_ offer: String, policy: AnswerPolicy = .participant) throws -> Answer {
    var answerer = answerer(policy)
    return try answerer.answer(to: SessionDescription(parsing: offer), local: local, sources: source)
  }
}

/// The error of a parse, or nil when there was none.
func parseError(_ text: String) -> SDPError? {
  do {
    _ = try SessionDescription(parsing: text)
    return nil
  } catch {
    return error
  }
}

/// The error of a negotiation, or nil when there was none.
func negotiationError<T>(_ body: () throws -> T) -> NegotiationError? {
  do {
    _ = try body()
    return nil
  } catch {
    return error as? NegotiationError
  }
}
