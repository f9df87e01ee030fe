import WebRTCTransport

extension ConferenceError {
  /// What a failed negotiation means to whoever sent the offer.
  init(_ error: PeerNegotiationError) {
    switch error {
    case .malformed(let fault): self.init(.malformed(line: fault.line > 0 ? fault.line : nil), fault.description)
    case .unusable(let sentence): self.init(.malformed(line: nil), sentence)
    case .incompatible(let reason):
      switch reason {
      case .noCommonCodec, .nothingUsable: self.init(.noCommonCodec, reason.description)
      default: self.init(.malformed(line: nil), reason.description)
      }
    }
  }
}
