import Bytes
import EncodedMedia

/// The kinds of frames of a stream, which of them a receiver needs for what, and how large the pictures are: told with keyframes
/// (template_dependency_structure() of the RTP payload format for AV1, appendix A).
public struct DependencyStructure: Sendable {
  /// What can be chosen to be decoded: the frames up to a spatial and a temporal layer.
  public struct Target: Sendable {
    public fileprivate(set) var spatialLayer: UInt8 = 0
    public fileprivate(set) var temporalLayer: UInt8 = 0
    /// The chain whose frames have all to be there; nil for none.
    public fileprivate(set) var chain: Int?
  }

  private static let templatesMax = 64
  private static let spatialLayersMax: UInt8 = 4
  private static let temporalLayersMax: UInt8 = 8

  public private(set) var targets: [Target] = []
  public private(set) var chainCount = 0
  /// Of each spatial layer; empty where they were not told.
  public private(set) var sizes: [PictureSize] = []
  private var templates: [FrameDependencies] = []
  private var templateIDOffset: UInt8 = 0

  public var targetCount: Int { targets.count }
  /// A bit for each decode target.
  var allTargets: UInt32 { targets.count >= 32 ? .max : (1 << UInt32(targets.count)) &- 1 }

  /// - Returns: nil for one that ends too early, has more layers than 4 by 8 or a frame that builds on more than 8.
  @_lifetime(bits: copy bits)
  init?(_ bits: inout BitReader) {
    guard let offset = bits.read(6), let count = bits.read(5) else { return nil }
    templateIDOffset = UInt8(truncatingIfNeeded: offset)
    targets = Array(repeating: Target(), count: Int(count) &+ 1)
    guard readLayers(&bits) else { return nil }
    for index in templates.indices {
      guard templates[index].readIndications(&bits, count: targets.count) else { return nil }
    }
    for index in templates.indices { guard templates[index].readReferences(&bits) else { return nil } }
    guard readChains(&bits), let hasSizes = bits.readFlag() else { return nil }
    placeTargets()
    if hasSizes { guard readSizes(&bits) else { return nil } }
  }

  /// What a frame with a template's id is before it says otherwise; nil where there is no such template.
  func template(_ id: UInt8) -> FrameDependencies? {
    let index = Int((id &+ 64 &- templateIDOffset) & 63)
    return index < templates.count ? templates[index] : nil
  }

  /// template_layers().
  @_lifetime(bits: copy bits)
  private mutating func readLayers(_ bits: inout BitReader) -> Bool {
    var template = FrameDependencies()
    while templates.count < Self.templatesMax {
      templates.append(template)
      guard let next = bits.read(2) else { return false }
      switch next {
      case 0: continue
      case 1: template.temporalLayer &+= 1
      case 2:
        template.temporalLayer = 0
        template.spatialLayer &+= 1
      default: return true
      }
      guard template.temporalLayer < Self.temporalLayersMax, template.spatialLayer < Self.spatialLayersMax else { return false }
    }
    return false
  }

  /// template_chains().
  @_lifetime(bits: copy bits)
  private mutating func readChains(_ bits: inout BitReader) -> Bool {
    guard let count = Self.readNonSymmetric(&bits, below: UInt32(targets.count) &+ 1) else { return false }
    chainCount = Int(count)
    guard chainCount > 0 else { return true }
    for target in targets.indices {
      guard let chain = Self.readNonSymmetric(&bits, below: count) else { return false }
      targets[target].chain = Int(chain)
    }
    for index in templates.indices {
      guard templates[index].readChains(&bits, count: chainCount, width: 4) else { return false }
    }
    return true
  }

  /// decode_target_layers(): a target's layers are the highest of the frames it needs.
  private mutating func placeTargets() {
    for target in targets.indices {
      for template in templates where template.indication(for: target) != .notPresent {
        targets[target].spatialLayer = max(targets[target].spatialLayer, template.spatialLayer)
        targets[target].temporalLayer = max(targets[target].temporalLayer, template.temporalLayer)
      }
    }
  }

  /// render_resolutions().
  @_lifetime(bits: copy bits)
  private mutating func readSizes(_ bits: inout BitReader) -> Bool {
    for _ in 0...(templates.last?.spatialLayer ?? 0) {
      guard let width = bits.read(16), let height = bits.read(16) else { return false }
      sizes.append(PictureSize(width: Int(width) &+ 1, height: Int(height) &+ 1))
    }
    return true
  }

  /// ns(n): numbers below `limit`, the small ones in a bit less (AV1 bitstream specification section 4.10.7).
  @_lifetime(bits: copy bits)
  private static func readNonSymmetric(_ bits: inout BitReader, below limit: UInt32) -> UInt32? {
    guard limit > 0 else { return nil }
    let width = 32 &- limit.leadingZeroBitCount
    let short = (1 << UInt32(width)) &- limit
    guard let value = bits.read(width &- 1) else { return nil }
    if value < short { return value }
    guard let extra = bits.read(1) else { return nil }
    return (value << 1) &- short &+ extra
  }
}
