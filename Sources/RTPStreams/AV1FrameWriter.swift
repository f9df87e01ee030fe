import EncodedMedia
import RTP

/// Turns the payloads of one AV1 temporal unit into units with sizes, as decoders want them.
struct AV1FrameWriter {
  /// A sequence header was in it: decoding can start here.
  private(set) var isKeyframe = false
  /// A payload was malformed, or the pieces of a unit were not whole.
  private(set) var isDamaged = false
  private var isEmpty = true
  /// A unit whose end has not come.
  private var open: [UInt8] = []
  private var isOpen = false
  private var isFirstPayload = true

  mutating func append(_ payload: Span<UInt8>, to bytes: inout [UInt8]) {
    guard var reader = AV1PayloadReader(payload), reader.continues == isOpen else {
      isDamaged = true
      return
    }
    if isFirstPayload {
      isFirstPayload = false
      isKeyframe = reader.startsSequence
    }
    while let element = reader.next() {
      let goesOn = !reader.hasMore && reader.isContinued
      if isOpen || goesOn {
        open.append(contentsOf: element)
        isOpen = goesOn
        guard !goesOn else { continue }
        let whole = open
        appendUnit(whole.span, to: &bytes)
        open.removeAll()
      } else {
        appendUnit(element, to: &bytes)
      }
    }
    if reader.isMalformed { isDamaged = true }
  }

  private mutating func appendUnit(_ element: Span<UInt8>, to bytes: inout [UInt8]) {
    // An element of no bytes is allowed and says nothing.
    guard !element.isEmpty else { return }
    guard let unit = AV1Unit(element) else {
      isDamaged = true
      return
    }
    switch unit.type {
    // What has no place in RTP, or says nothing.
    case AV1Unit.temporalDelimiter, AV1Unit.tileList, AV1Unit.padding: return
    default:
      unit.append(from: element, to: &bytes)
      isEmpty = false
    }
  }

  mutating func finish(_ bytes: [UInt8]) {
    if isOpen || isEmpty { isDamaged = true }
    // Whoever says that a sequence begins and does not tell its size begins nothing that can be decoded.
    if isKeyframe, PictureSize(ofKeyframe: bytes.span, codec: .av1) == nil { isDamaged = true }
  }
}
