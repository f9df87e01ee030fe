/// Why two sides cannot talk, although the description could be read.
public enum NegotiationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// No line can be used; both lists are for people, in the words of SDP ("video VP9/90000").
  case noCommonCodec(offered: [String], supported: [String])
  /// No line can be used for reasons other than codecs.
  case nothingUsable([RejectedMedia])
  case noMedia
  case missingICECredentials
  /// There is no fingerprint of SHA-256 or better.
  case missingFingerprint
  /// `a=setup` leaves nobody to open the DTLS connection.
  case unsupportedSetup
  /// A later description shows another certificate.
  case fingerprintChanged
  /// Only one of `ice-ufrag` and `ice-pwd` changed.
  case incompleteICERestart
  /// A later description lacks a line, or changes its kind or `a=mid`. The index counts `m=` lines from 0.
  case mediaLineChanged(index: Int)
  /// An answer does not fit the offer it is for.
  case answerDoesNotFit(String)

  /// What is wrong and what to do, as a sentence.
  public var description: String {
    switch self {
    case .noCommonCodec(let offered, let supported):
      "no media in common: offered \(Self.list(offered)), supported \(Self.list(supported)); offer one of these."
    case .nothingUsable(let rejected):
      "none of the \(rejected.count) media lines can be used (\(Self.list(rejected.map { "\($0.kind): \($0.reason)" }))); offer audio or"
        + " video with BUNDLE, rtcp-mux and UDP/TLS/RTP/SAVPF."
    case .noMedia: "there is no m= line; offer audio or video."
    case .missingICECredentials: "a=ice-ufrag of 4 or more and a=ice-pwd of 22 or more characters are needed; add them."
    case .missingFingerprint: "an a=fingerprint with sha-256 is needed; media goes over DTLS-SRTP only."
    case .unsupportedSetup: "a=setup must let one side open the DTLS connection; offer actpass, answer active or passive."
    case .fingerprintChanged: "the certificate changed within the session; leave and join again to use another."
    case .incompleteICERestart: "an ICE restart changes both a=ice-ufrag and a=ice-pwd; change both or neither."
    case .mediaLineChanged(let index):
      "media line \(index + 1) is missing or has another kind or mid than before; keep the lines in order."
    case .answerDoesNotFit(let reason): "the answer does not fit the offer: \(reason)."
    }
  }

  /// At most 32 entries of visible ASCII: what came from the peer is shown, not trusted.
  private static func list(_ entries: [String]) -> String {
    if entries.isEmpty { return "nothing" }
    return entries.prefix(32).map { String(String(quoting: $0[...]).dropFirst().dropLast()) }.joined(separator: ", ")
  }
}
