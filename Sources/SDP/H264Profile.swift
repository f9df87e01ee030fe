/// The H.264 profiles that are told apart (RFC 6184 section 8.1).
public enum H264Profile: Hashable, Sendable, CaseIterable {
  case constrainedBaseline, baseline, main, constrainedHigh, high
}

/// `profile-level-id`: profile, constraint flags and level as six hexadecimal digits.
public struct H264ProfileLevel: Hashable, Sendable {
  /// What the bytes mean.
  public var profile: H264Profile
  /// The first two bytes as written.
  public var profileIDC: UInt8
  /// The second byte: constraint flags.
  public var constraints: UInt8
  /// Ten times the level number: 0x1F is level 3.1.
  public var level: UInt8

  public init(profile: H264Profile, level: UInt8) {
    self.profile = profile
    self.level = level
    (profileIDC, constraints) =
      switch profile {
      case .constrainedBaseline: (0x42, 0xE0)
      case .baseline: (0x42, 0x00)
      case .main: (0x4D, 0x00)
      case .constrainedHigh: (0x64, 0x0C)
      case .high: (0x64, 0x00)
      }
  }

  /// nil for anything but six hexadecimal digits of a profile we know.
  public init?(_ text: String) {
    let digits = text.utf8.compactMap { $0.hexadecimalValue }
    guard digits.count == 6, text.utf8.count == 6 else { return nil }
    profileIDC = digits[0] << 4 | digits[1]
    constraints = digits[2] << 4 | digits[3]
    level = digits[4] << 4 | digits[5]
    // Table 5 of RFC 6184: which flags turn one profile into another.
    switch profileIDC {
    case 0x42: profile = constraints & 0x40 != 0 ? .constrainedBaseline : .baseline
    case 0x4D: profile = constraints & 0x80 != 0 ? .constrainedBaseline : .main
    case 0x58: profile = constraints & 0xC0 == 0xC0 ? .constrainedBaseline : .baseline
    case 0x64: profile = constraints & 0x0C == 0x0C ? .constrainedHigh : .high
    default: return nil
    }
    // Extended profile without the flags of a baseline stream may hold slices nobody here decodes.
    if profileIDC == 0x58, constraints & 0x80 == 0 { return nil }
  }

  /// Six lower-case hexadecimal digits.
  public var text: String {
    let hexadecimal = Array("0123456789abcdef".utf8)
    let digits = [profileIDC, constraints, level].flatMap { [hexadecimal[Int($0 >> 4)], hexadecimal[Int($0 & 15)]] }
    return String(decoding: digits, as: UTF8.self)
  }

  /// What a stream without `profile-level-id` is (RFC 6184 section 8.1): Baseline, level 1.
  static let whenNotSaid = H264ProfileLevel(profile: .baseline, level: 0x0A)
}
