import Bytes

/// The size a sequence parameter set gives its pictures (ITU-T H.264 section 7.3.2.1.1).
public enum H264SequenceParameters {
  /// Of the first sequence parameter set in a byte stream (annex B).
  static func firstSize(inByteStream bytes: Span<UInt8>) -> PictureSize? {
    var at = 0
    while at &+ 4 < bytes.count {
      if bytes[at] == 0, bytes[at &+ 1] == 0, bytes[at &+ 2] == 1 {
        if bytes[at &+ 3] & 0x1F == 7 { return size(bytes.extracting((at &+ 4)..<bytes.count)) }
        at &+= 3
      } else {
        at &+= 1
      }
    }
    return nil
  }

  /// - Parameter unit: behind the first byte of its unit; may go on behind its end.
  private static func size(_ unit: Span<UInt8>) -> PictureSize? {
    // Sets are short; what stands behind the end of this one is never read as part of it.
    let raw = withoutEmulationPrevention(unit, limit: 512)
    var bits = BitReader(raw.span)
    guard let profile = bits.read(8), bits.skip(16), bits.readExponentialGolomb() != nil else { return nil }
    var chromaFormat: UInt32 = 1
    if [100, 110, 122, 244, 44, 83, 86, 118, 128].contains(profile) {
      guard let format = skipHighProfile(&bits) else { return nil }
      chromaFormat = format
    }
    guard skipOrder(&bits), bits.readExponentialGolomb() != nil, bits.skip(1), let width = bits.readExponentialGolomb(),
      let height = bits.readExponentialGolomb(), let isFrameOnly = bits.readFlag(), width < 1024, height < 1024
    else { return nil }
    if !isFrameOnly { guard bits.skip(1) else { return nil } }
    guard bits.skip(1), let isCropped = bits.readFlag() else { return nil }
    var size = PictureSize(width: (Int(width) &+ 1) &* 16, height: (Int(height) &+ 1) &* (isFrameOnly ? 16 : 32))
    guard isCropped else { return size }
    guard let left = bits.readExponentialGolomb(), let right = bits.readExponentialGolomb(),
      let top = bits.readExponentialGolomb(), let bottom = bits.readExponentialGolomb()
    else { return nil }
    let unitX: Int = chromaFormat == 1 || chromaFormat == 2 ? 2 : 1
    let unitY: Int = (chromaFormat == 1 ? 2 : 1) &* (isFrameOnly ? 1 : 2)
    let (columns, lines) = (Int(left) &+ Int(right), Int(top) &+ Int(bottom))
    size.width = size.width &- columns &* unitX
    size.height = size.height &- lines &* unitY
    return size.width > 0 && size.height > 0 ? size : nil
  }

  /// chroma_format_idc and what follows it in the high profiles.
  private static func skipHighProfile(_ bits: inout BitReader) -> UInt32? {
    guard let format = bits.readExponentialGolomb(), format <= 3 else { return nil }
    if format == 3 { guard bits.skip(1) else { return nil } }
    guard bits.readExponentialGolomb() != nil, bits.readExponentialGolomb() != nil, bits.skip(1),
      let hasScaling = bits.readFlag()
    else { return nil }
    guard hasScaling else { return format }
    for list in 0..<(format == 3 ? 12 : 8) {
      guard let isPresent = bits.readFlag() else { return nil }
      if isPresent { guard skipScalingList(&bits, count: list < 6 ? 16 : 64) else { return nil } }
    }
    return format
  }

  private static func skipScalingList(_ bits: inout BitReader, count: Int) -> Bool {
    var (last, next) = (8, 8)
    for _ in 0..<count {
      if next != 0 {
        guard let delta = bits.readSignedExponentialGolomb() else { return false }
        next = (last &+ delta) & 0xFF
      }
      if next != 0 { last = next }
    }
    return true
  }

  /// log2_max_frame_num and picture order count.
  private static func skipOrder(_ bits: inout BitReader) -> Bool {
    guard bits.readExponentialGolomb() != nil, let type = bits.readExponentialGolomb() else { return false }
    if type == 0 { return bits.readExponentialGolomb() != nil }
    guard type == 1 else { return type == 2 }
    guard bits.skip(1), bits.readSignedExponentialGolomb() != nil, bits.readSignedExponentialGolomb() != nil,
      let count = bits.readExponentialGolomb(), count <= 255
    else { return false }
    for _ in 0..<count { guard bits.readSignedExponentialGolomb() != nil else { return false } }
    return true
  }

  private static func withoutEmulationPrevention(_ unit: Span<UInt8>, limit: Int) -> [UInt8] {
    var raw: [UInt8] = []
    var zeros = 0
    for index in 0..<min(unit.count, limit) {
      let byte = unit[index]
      if zeros >= 2, byte == 3 {
        zeros = 0
        continue
      }
      // The next unit's start code.
      if zeros >= 2, byte == 1 { break }
      zeros = byte == 0 ? zeros &+ 1 : 0
      raw.append(byte)
    }
    return raw
  }
}
