import Bytes

/// What one frame of one layer builds on, and who needs it (RTP payload format for AV1, appendix A).
public struct FrameDependencies: Sendable {
  /// What a frame is to a decode target.
  public enum Indication: UInt8, Sendable {
    /// Not part of it.
    case notPresent
    /// Part of it, and nothing builds on it.
    case discardable
    /// Part of it, and from here on all of it can be decoded.
    case switching
    /// Part of it, and later frames build on it.
    case required
  }

  public static let referencesMax = 8
  public static let chainsMax = 32
  /// FrameSpatialId: 0 to 3.
  public internal(set) var spatialLayer: UInt8 = 0
  /// FrameTemporalId: 0 to 7.
  public internal(set) var temporalLayer: UInt8 = 0
  /// Two bits a decode target, the first lowest.
  private var indications: UInt64 = 0
  /// How many frames back those built on are: 1 to 4096.
  private var distances: [8 of UInt16] = .init(repeating: 0)
  public private(set) var referenceCount = 0
  private var chains: [32 of UInt8] = .init(repeating: 0)

  public init() {}

  /// What the frame is to a decode target.
  ///
  /// - Parameter target: 0 to 31.
  public func indication(for target: Int) -> Indication {
    guard (0..<32).contains(target) else { return .notPresent }
    return Indication(rawValue: UInt8(truncatingIfNeeded: indications >> UInt64(target &* 2)) & 3) ?? .notPresent
  }

  /// The number of a frame it builds on.
  ///
  /// - Parameter index: 0 ..< `referenceCount`
  public func reference(_ index: Int, of frameNumber: UInt16) -> UInt16 { frameNumber &- distances[index] }

  /// How many frames back the last one of a chain is; 0 where the chain begins here.
  ///
  /// - Parameter chain: 0 to 31.
  public func chainDistance(_ chain: Int) -> UInt16 { (0..<32).contains(chain) ? UInt16(chains[chain]) : 0 }

  @_lifetime(bits: copy bits)
  mutating func readIndications(_ bits: inout BitReader, count: Int) -> Bool {
    indications = 0
    for target in 0..<count {
      guard let indication = bits.read(2) else { return false }
      indications |= UInt64(indication) << UInt64(target &* 2)
    }
    return true
  }

  /// template_fdiffs() of one template.
  @_lifetime(bits: copy bits)
  mutating func readReferences(_ bits: inout BitReader) -> Bool {
    referenceCount = 0
    while true {
      guard let follows = bits.readFlag() else { return false }
      guard follows else { return true }
      guard let distance = bits.read(4), append(distance) else { return false }
    }
  }

  /// frame_fdiffs().
  @_lifetime(bits: copy bits)
  mutating func readOwnReferences(_ bits: inout BitReader) -> Bool {
    referenceCount = 0
    while true {
      guard let size = bits.read(2) else { return false }
      guard size > 0 else { return true }
      guard let distance = bits.read(Int(size) &* 4), append(distance) else { return false }
    }
  }

  private mutating func append(_ distanceMinusOne: UInt32) -> Bool {
    guard referenceCount < Self.referencesMax else { return false }
    distances[referenceCount] = UInt16(truncatingIfNeeded: distanceMinusOne &+ 1)
    referenceCount &+= 1
    return true
  }

  @_lifetime(bits: copy bits)
  mutating func readChains(_ bits: inout BitReader, count: Int, width: Int) -> Bool {
    for chain in 0..<min(count, Self.chainsMax) {
      guard let distance = bits.read(width) else { return false }
      chains[chain] = UInt8(truncatingIfNeeded: distance)
    }
    return true
  }
}
