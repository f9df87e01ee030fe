import Conference

/// An address that is told what happens in the rooms.
package struct Webhook: Sendable {
  /// `https://…`, or `http://…` where the way is safe.
  package var url: String
  /// What requests are signed with; at least 16 bytes, nil for none.
  package var secret: [UInt8]?
  /// The types of event that are told; nil for all but those of who speaks.
  package var events: Set<String>?

  package init(url: String, secret: [UInt8]? = nil, events: Set<String>? = nil) {
    self.url = url
    self.secret = secret
    self.events = events
  }

  /// Those which come many a second.
  private static let frequent: Set<String> = ["audience-changed", "floor-changed", "speaking-started", "speaking-stopped"]

  package func wants(_ change: ConferenceEvent.Change) -> Bool {
    events?.contains(change.kind.rawValue) ?? !Self.frequent.contains(change.kind.rawValue)
  }

  /// The headers of a request: what it is, and who made it.
  package func headers(of delivery: WebhookQueue.Delivery, now: Int) -> [String] {
    var headers = ["Content-Type: application/json", "Tutti-Delivery: \(delivery.id)"]
    if let secret {
      let signed = Array("\(now).".utf8) + delivery.body
      let digits = Cryptography.hmacSHA256(key: secret, signed).map { byte in
        let text = String(byte, radix: 16)
        return text.count < 2 ? "0" + text : text
      }
      headers.append("Tutti-Signature: t=\(now),v1=\(digits.joined())")
    }
    return headers
  }
}
