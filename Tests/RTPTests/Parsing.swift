import EncodedMedia
import RTP
import TestSupport

// Parsers over arrays: what spans are made of may not stand inside an expectation.

func parseHeader(_ packet: [UInt8]) -> RTPHeader? { RTPHeader(parsing: packet.span) }

func parseVP8(_ frame: [UInt8]) -> VP8FrameHeader? { VP8FrameHeader(frame.span) }

func isH264Payload(_ payload: [UInt8]) -> Bool {
  switch H264Payload(payload.span) {
  case nil: false
  default: true
  }
}

func randomBytes(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
  (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

func array(_ bytes: Span<UInt8>) -> [UInt8] {
  var copy: [UInt8] = []
  for index in 0..<bytes.count { copy.append(bytes[index]) }
  return copy
}
