/// Who begins the handshake: the value of `a=setup` (RFC 5763 section 5).
public enum DTLSRole: Sendable {
  /// Sends the ClientHello.
  case active
  /// Waits for it.
  case passive
}

/// What a connection tells its driver.
public enum DTLSEvent: Sendable, Equatable {
  /// The handshake is done and the peer is who the session description says. Told once.
  case connected(SRTPKeys)
  /// The handshake came to nothing; no keys were or will be given out. Told once, and nothing follows.
  case failed(DTLSFailure)
  /// The peer ended an established connection. Told once, and nothing follows.
  case closed
}

/// Why a handshake came to nothing.
public enum DTLSFailure: Error, Sendable, Equatable, CustomStringConvertible {
  /// The peer's certificate is not the one the session description announced.
  case fingerprintMismatch
  /// No end within the time allowed.
  case timedOut
  /// The peer takes none of our SRTP profiles.
  case noCommonSRTPProfile
  /// The two sides could not agree, or the peer broke the protocol: OpenSSL's words.
  case handshake(String)

  public var description: String {
    switch self {
    case .fingerprintMismatch: "the peer's certificate does not match the fingerprint in its session description"
    case .timedOut: "the DTLS handshake was not finished in time"
    case .noCommonSRTPProfile: "the peer offers no SRTP profile we support"
    case .handshake(let reason): "the DTLS handshake failed: \(reason)"
    }
  }
}

/// Where a connection puts what it wants sent and told; owned and emptied by its driver.
public struct DTLSOutput: Sendable {
  /// Datagrams for the peer, in order; none is longer than 1200 bytes.
  public var datagrams: [[UInt8]] = []
  public var events: [DTLSEvent] = []

  public init() {}

  public mutating func removeAll() {
    datagrams.removeAll(keepingCapacity: true)
    events.removeAll(keepingCapacity: true)
  }
}
