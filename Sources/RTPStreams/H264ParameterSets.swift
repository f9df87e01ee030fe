import EncodedMedia
import RTP

/// The newest parameter sets of an H.264 stream, for keyframes that come without them.
struct H264ParameterSets: Sendable {
  private static let startCode: [UInt8] = [0, 0, 0, 1]
  /// Sets longer than this are not kept: real ones have some ten bytes.
  private static let sizeMax = 1024
  private static let countMax = 8

  private var sequenceSets: [[UInt8]] = []
  private var pictureSets: [[UInt8]] = []

  /// Whether a keyframe can be decoded with what is kept.
  var isComplete: Bool { !sequenceSets.isEmpty && !pictureSets.isEmpty }

  /// Keeps a unit that is a parameter set, in place of one with the same id; passes over other units.
  mutating func remember(_ unit: Span<UInt8>) {
    guard unit.count >= 2, unit.count <= Self.sizeMax else { return }
    switch H264Unit.type(unit[0]) {
    case H264Unit.sequenceParameters: Self.keep(unit, idOffset: 4, in: &sequenceSets)
    case H264Unit.pictureParameters: Self.keep(unit, idOffset: 1, in: &pictureSets)
    default: return
    }
  }

  /// The id is an Exp-Golomb number behind the profile and level, or at once (ITU-T H.264 sections 7.3.2.1 and 7.3.2.2). The bits
  /// before the first picture parameter that differs tell ids apart just as well: equal ids begin with equal bits.
  private static func keep(_ unit: Span<UInt8>, idOffset: Int, in sets: inout [[UInt8]]) {
    guard unit.count > idOffset else { return }
    let id = exponentialGolomb(unit, at: idOffset)
    let bytes = [UInt8](unsafeUninitializedCapacity: unit.count) { buffer, count in
      for index in 0..<unit.count { buffer[index] = unit[index] }
      count = unit.count
    }
    if let index = sets.firstIndex(where: { exponentialGolomb($0.span, at: idOffset) == id }) {
      if sets[index] != bytes { sets[index] = bytes }
    } else {
      if sets.count >= countMax { sets.removeFirst() }
      sets.append(bytes)
    }
  }

  /// ue(v) of at most 8 bits of value, which parameter set ids fit in; nil for a longer one.
  private static func exponentialGolomb(_ bytes: Span<UInt8>, at offset: Int) -> Int? {
    var bits: UInt32 = 0
    for index in 0..<4 where offset &+ index < bytes.count {
      bits |= UInt32(bytes[offset &+ index]) << UInt32(24 &- index &* 8)
    }
    let zeros = bits.leadingZeroBitCount
    guard zeros <= 8 else { return nil }
    return Int((bits << UInt32(zeros)) >> UInt32(31 &- zeros)) &- 1
  }

  /// Appends all sets as a byte stream, sequence parameters first.
  func append(to bytes: inout [UInt8]) {
    for set in sequenceSets {
      bytes.append(contentsOf: Self.startCode)
      bytes.append(contentsOf: set)
    }
    for set in pictureSets {
      bytes.append(contentsOf: Self.startCode)
      bytes.append(contentsOf: set)
    }
  }
}
