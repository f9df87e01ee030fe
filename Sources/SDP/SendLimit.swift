/// What the other side wants to be sent at most (`b=`), in bits per second; nil where it does not say.
public struct SendLimit: Hashable, Sendable {
  /// With the headers of RTP, UDP and IP (`AS`, RFC 8866 section 5.8); of several the least.
  public var onWire: Int?
  /// Of the payload alone (`TIAS`, RFC 3890); of several the least.
  public var payload: Int?

  public init(onWire: Int? = nil, payload: Int? = nil) {
    self.onWire = onWire
    self.payload = payload
  }

  /// What nobody sends: a limit from here on is none that is felt, and sums of limits stay far from overflow.
  private static let bitsPerSecondMax: UInt64 = 1_000_000_000_000

  /// The least of each kind; types that limit something else are passed over.
  init(_ bandwidths: [Bandwidth]) {
    func least(_ type: String) -> Int? {
      bandwidths.lazy.filter { $0.type == type }.compactMap(\.bitsPerSecond).min().map { Int(min($0, Self.bitsPerSecondMax)) }
    }
    self.init(onWire: least("AS"), payload: least("TIAS"))
  }

  /// Whether nothing is to be sent at all (RFC 3264 section 5.1).
  public var isZero: Bool { onWire == 0 || payload == 0 }
  /// The least of both, as if headers took nothing; nil where neither is said.
  public var least: Int? { [onWire, payload].compactMap { $0 }.min() }
}
