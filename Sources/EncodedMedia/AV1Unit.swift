import Bytes

/// The units an AV1 stream is made of (AV1 bitstream specification section 5.3), as far as transport looks at them.
public struct AV1Unit: Hashable, Sendable {
  public static let sequenceHeader: UInt8 = 1
  public static let temporalDelimiter: UInt8 = 2
  public static let frameHeader: UInt8 = 3
  public static let tileGroup: UInt8 = 4
  public static let frame: UInt8 = 6
  public static let redundantFrameHeader: UInt8 = 7
  public static let tileList: UInt8 = 8
  public static let padding: UInt8 = 15

  /// obu_type.
  public var type: UInt8
  /// The first byte as it is written.
  public var firstByte: UInt8
  /// obu_extension_header(): layers; nil where there is none.
  public var extensionByte: UInt8?
  /// Where the payload lies in the bytes the unit was read from.
  public var payload: Range<Int>
  /// Bytes of the unit, header included.
  public var size: Int

  /// Reads the unit that `bytes` begin with; without a size of its own it goes on to their end.
  ///
  /// - Returns: nil where it goes on beyond them, and where the forbidden bit is set.
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count > 0, bytes[0] & 0x80 == 0 else { return nil }
    firstByte = bytes[0]
    type = firstByte >> 3 & 15
    var at = 1
    if firstByte & 4 != 0 {
      guard bytes.count > 1 else { return nil }
      extensionByte = bytes[1]
      at = 2
    }
    var end = bytes.count
    if firstByte & 2 != 0 {
      guard let length = LEB128.read(bytes, at: &at), length <= bytes.count &- at else { return nil }
      end = at &+ length
    }
    payload = at..<end
    size = end
  }

  /// obu_type of units that are a frame or part of one.
  private var isOfFrame: Bool {
    switch type {
    case Self.frameHeader, Self.tileGroup, Self.frame, Self.redundantFrameHeader: true
    default: false
    }
  }

  /// The spatial layer of a frame's unit; nil for units of no layer.
  private var spatialLayer: UInt8? { extensionByte.map { $0 >> 3 & 3 } ?? (isOfFrame ? 0 : nil) }

  /// Appends the units of a temporal unit that are of no layer or of one that is kept.
  ///
  /// - Parameter unit: units with their sizes.
  public static func append(_ unit: Span<UInt8>, keeping layers: SpatialLayers, to out: inout [UInt8]) {
    var rest = unit
    while !rest.isEmpty, let unit = AV1Unit(rest) {
      if unit.spatialLayer.map({ layers.keeps(layer: $0) }) ?? true { out.append(contentsOf: rest.extracting(0..<unit.size)) }
      rest = rest.extracting(unit.size..<rest.count)
    }
  }

  /// Appends the unit with a size, as files and decoders want it.
  public func append(from bytes: Span<UInt8>, to out: inout [UInt8]) {
    out.append(firstByte | 2)
    if let extensionByte { out.append(extensionByte) }
    LEB128.append(payload.count, to: &out)
    out.append(contentsOf: bytes.extracting(payload))
  }
}

/// Numbers of seven bits a byte, lowest first (AV1 bitstream specification section 4.10.5).
public enum LEB128 {
  /// - Returns: nil where the bytes end within it, and for what needs more than 28 bits.
  public static func read(_ bytes: Span<UInt8>, at offset: inout Int) -> Int? {
    var value = 0
    for index in 0..<8 {
      guard offset >= 0, offset < bytes.count else { return nil }
      let byte = bytes[offset]
      offset &+= 1
      if index < 4 { value |= Int(byte & 0x7F) << (7 &* index) } else if byte & 0x7F != 0 { return nil }
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }

  /// - Parameter value: 0 or more.
  public static func append(_ value: Int, to bytes: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }
}

/// The size a sequence header gives its pictures (AV1 bitstream specification section 5.5).
public enum AV1SequenceHeader {
  /// Of the first sequence header in a temporal unit whose units have sizes.
  static func firstSize(in bytes: Span<UInt8>) -> PictureSize? {
    var rest = bytes
    while let unit = AV1Unit(rest) {
      if unit.type == AV1Unit.sequenceHeader { return size(rest.extracting(unit.payload)) }
      rest = rest.extracting(unit.size..<rest.count)
    }
    return nil
  }

  private static func size(_ payload: Span<UInt8>) -> PictureSize? {
    var bits = BitReader(payload)
    guard bits.skip(4), let isReduced = bits.readFlag() else { return nil }
    if isReduced {
      guard bits.skip(5) else { return nil }
    } else {
      guard skipOperatingPoints(&bits) else { return nil }
    }
    guard let widthBits = bits.read(4), let heightBits = bits.read(4), let width = bits.read(Int(widthBits) &+ 1),
      let height = bits.read(Int(heightBits) &+ 1)
    else { return nil }
    return PictureSize(width: Int(width) &+ 1, height: Int(height) &+ 1)
  }

  private static func skipOperatingPoints(_ bits: inout BitReader) -> Bool {
    var delayBits: Int?
    guard let hasTiming = bits.readFlag() else { return false }
    if hasTiming {
      guard bits.skip(64), let isEqual = bits.readFlag() else { return false }
      if isEqual { guard bits.readExponentialGolomb() != nil else { return false } }
      guard let hasModel = bits.readFlag() else { return false }
      if hasModel {
        guard let length = bits.read(5), bits.skip(32 + 5 + 5) else { return false }
        delayBits = Int(length) &+ 1
      }
    }
    guard let hasDisplayDelay = bits.readFlag(), let points = bits.read(5) else { return false }
    for _ in 0...points {
      guard bits.skip(12), let level = bits.read(5) else { return false }
      if level > 7 { guard bits.skip(1) else { return false } }
      if let delayBits {
        guard let isPresent = bits.readFlag(), !isPresent || bits.skip(2 &* delayBits &+ 1) else { return false }
      }
      if hasDisplayDelay {
        guard let isPresent = bits.readFlag(), !isPresent || bits.skip(4) else { return false }
      }
    }
    return true
  }
}
