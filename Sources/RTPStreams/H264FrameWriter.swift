import EncodedMedia
import RTP

/// Turns the payloads of one H.264 access unit into a byte stream (RFC 6184 section 5, ITU-T H.264 annex B).
struct H264FrameWriter {
  private(set) var isKeyframe = false
  /// A payload was malformed, or the pieces of a unit were not whole.
  private(set) var isDamaged = false
  private var hasSequenceParameters = false
  private var isWithinFragments = false
  /// Where the access unit began, for parameter sets that have to come before it.
  private let start: Int

  init(_ bytes: [UInt8]) { self.start = bytes.count }

  mutating func append(_ payload: Span<UInt8>, to bytes: inout [UInt8], _ sets: inout H264ParameterSets) {
    switch H264Payload(payload) {
    case nil: isDamaged = true
    case .singleUnit(let unit)?: appendUnit(unit, to: &bytes, &sets)
    case .aggregate(var units)?:
      var isEmpty = true
      while let unit = units.next() {
        appendUnit(unit, to: &bytes, &sets)
        isEmpty = false
      }
      if isEmpty { isDamaged = true }
    case .fragment(let header, let isFirst, let isLast, let piece)?:
      if isFirst == isWithinFragments { isDamaged = true }
      if isFirst {
        begin(H264Unit.type(header), &bytes)
        bytes.append(header)
      }
      bytes.append(contentsOf: piece)
      isWithinFragments = !isLast
    }
  }

  private mutating func appendUnit(_ unit: Span<UInt8>, to bytes: inout [UInt8], _ sets: inout H264ParameterSets) {
    if isWithinFragments { isDamaged = true }
    let type = H264Unit.type(unit[0])
    // Delimiters say nothing that the frame's end does not, and would stand behind parameter sets put before it.
    guard type != H264Unit.accessUnitDelimiter else { return }
    sets.remember(unit)
    begin(type, &bytes)
    bytes.append(contentsOf: unit)
  }

  private mutating func begin(_ type: UInt8, _ bytes: inout [UInt8]) {
    if type == H264Unit.instantaneousRefresh { isKeyframe = true }
    if type == H264Unit.sequenceParameters { hasSequenceParameters = true }
    bytes.append(0)
    bytes.append(0)
    bytes.append(0)
    bytes.append(1)
  }

  /// Ends the access unit: a keyframe without parameter sets gets those that are kept.
  mutating func finish(_ bytes: inout [UInt8], _ sets: H264ParameterSets) {
    if isWithinFragments { isDamaged = true }
    guard isKeyframe, !hasSequenceParameters else { return }
    guard sets.isComplete else {
      isDamaged = true
      return
    }
    var whole: [UInt8] = []
    sets.append(to: &whole)
    bytes.insert(contentsOf: whole, at: start)
  }

  /// Whether a payload says that its access unit is a keyframe: it holds a sequence parameter set or a slice of one.
  static func announcesKeyframe(_ payload: Span<UInt8>) -> Bool {
    switch H264Payload(payload) {
    case nil: return false
    case .singleUnit(let unit)?: return isKey(unit[0])
    case .aggregate(var units)?:
      while let unit = units.next() { if isKey(unit[0]) { return true } }
      return false
    case .fragment(let header, _, _, _)?: return isKey(header)
    }
  }

  private static func isKey(_ firstByte: UInt8) -> Bool {
    let type = H264Unit.type(firstByte)
    return type == H264Unit.instantaneousRefresh || type == H264Unit.sequenceParameters
  }
}
