/// Numbers for everything an offer of ours names: payload types, one of each across all lines (RFC 8843 section 9.1), and ids
/// of header extensions. The same capabilities always get the same numbers.
struct PayloadTypeTable: Sendable {
  struct Types: Sendable {
    var codec: UInt8
    var retransmission: UInt8?
    var redundancy: UInt8?
  }

  private var types: [CodecCapability: Types] = [:]
  /// Of blocks and parity, the same on every line.
  private(set) var protection: ProtectionPayloadTypes?
  private(set) var extensionIDs: [String: UInt8] = [:]

  init(_ capabilities: MediaCapabilities) {
    // Dynamic payload types, then those RFC 5761 section 4 leaves free beside RTCP.
    var free = Array(96...127) + Array(35...63) as [UInt8]
    for capability in capabilities.audio + capabilities.video where types[capability] == nil {
      guard let codec = Self.staticType(capability) ?? Self.take(&free) else { continue }
      types[capability] = Types(
        codec: codec, retransmission: capability.retransmission ? Self.take(&free) : nil,
        redundancy: capability.redundancy ? Self.take(&free) : nil)
    }
    if capabilities.video.contains(where: \.protection), let block = Self.take(&free), let parity = Self.take(&free) {
      protection = ProtectionPayloadTypes(block: block, parity: parity)
    }
    var id: UInt8 = 1
    for uri in capabilities.audioExtensions + capabilities.videoExtensions where extensionIDs[uri] == nil {
      guard id <= min(capabilities.extensionIDMax, 14) else { break }
      extensionIDs[uri] = id
      id += 1
    }
  }

  subscript(capability: CodecCapability) -> Types? { types[capability] }

  private static func take(_ free: inout [UInt8]) -> UInt8? { free.isEmpty ? nil : free.removeFirst() }

  private static func staticType(_ capability: CodecCapability) -> UInt8? {
    ([0, 8, 9] as [UInt8]).first { RTPMap.staticAssignment(of: $0).map { capability.matches($0) } ?? false }
  }
}
