import ICE
import TestSupport
import Testing

@Suite struct DemultiplexingTests {
  @Test func everyFirstByteIsOfOneKind() {
    for first in UInt8.min...UInt8.max {
      let expected: DatagramKind =
        switch first {
        case 0...3: .stun
        case 20...63: .dtls
        case 64...79: .turnChannel
        case 128...191: .rtp
        default: .other
        }
      let bytes = [first, 96]
      #expect(DatagramKind(of: bytes.span) == expected)
    }
    let nothing: [UInt8] = []
    #expect(DatagramKind(of: nothing.span) == .other)
    let half: [UInt8] = [0x80]
    #expect(DatagramKind(of: half.span) == .other)
  }

  @Test func payloadTypes64To95AreRTCP() {
    for second in UInt8.min...UInt8.max {
      let bytes = [0x80, second]
      #expect(DatagramKind(of: bytes.span) == ((64...95).contains(second & 127) ? .rtcp : .rtp))
    }
  }

  @Test func aRequestIsRoutedByOurFragment() {
    let request = CheckRequest().encoded()
    let fragment = Array("serverfrag".utf8)
    #expect(peekUsername(request.span) == UfragKey(fragment.span))
    #expect(peekUsername(request.span) != nil)
  }

  @Test func nothingElseIsRouted() {
    #expect(peekUsername(STUNSamples.ipv4Response.span) == nil)
    for name in ["", "nocolon", ":remote", "abc:remote", "ab cd:remote", String(repeating: "u", count: 33) + ":r"] {
      var request = CheckRequest()
      request.username = name
      let bytes = request.encoded()
      #expect(peekUsername(bytes.span) == nil)
    }
    let whole = CheckRequest().encoded()
    for count in 0..<whole.count {
      let part = Array(whole[..<count])
      #expect(peekUsername(part.span) == nil)
    }
  }

  @Test func keysAreEqualExactlyWhenFragmentsAre() {
    var random = SeededRandom(seed: 2)
    let texts = (4...32).flatMap { length in
      (0..<20).map { _ in (0..<length).map { _ in UInt8(ascii: "a") + UInt8.random(in: 0...1, using: &random) } }
    }
    for a in texts {
      for b in texts { #expect((UfragKey(a.span) == UfragKey(b.span)) == (a == b)) }
    }
  }
}

@Suite struct StreamFramingTests {
  @Test func framesAreFoundInWhateverPieces() throws {
    var random = SeededRandom(seed: 9)
    let frames = (0..<200).map { _ in
      (0..<Int.random(in: 1...300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    }
    var stream: [UInt8] = []
    for frame in frames {
      var memory = [UInt8](repeating: 0, count: 302)
      var span = memory.mutableSpan
      let count = try #require(StreamFraming.write(frame.span, into: &span))
      stream += memory[..<count]
      stream += [0, 0]
    }
    for most in [1, 2, 3, 7, 64, 1500, stream.count] {
      var deframer = StreamDeframer(frameLengthMax: 300)
      var found: [[UInt8]] = []
      var offset = 0
      while offset < stream.count {
        let count = min(Int.random(in: 1...most, using: &random), stream.count - offset)
        let piece = Array(stream[offset..<offset + count])
        try deframer.append(piece.span) { frame in found.append(frame.indices.map { frame[$0] }) }
        offset += count
      }
      #expect(found == frames)
    }
  }

  @Test func anOversizedFrameEndsTheStream() {
    var deframer = StreamDeframer(frameLengthMax: 100)
    let bytes: [UInt8] = [0, 1, 7, 0, 101, 1, 2]
    var found = 0
    #expect(throws: StreamDeframer.Failure.oversizedFrame(101)) { try deframer.append(bytes.span) { _ in found += 1 } }
    #expect(found == 1)
    let more: [UInt8] = [0, 1, 7]
    #expect(throws: StreamDeframer.Failure.oversizedFrame(101)) { try deframer.append(more.span) { _ in found += 1 } }
    #expect(found == 1)
  }

  @Test func aDatagramThatDoesNotFitIsNotFramed() {
    var memory = [UInt8](repeating: 0, count: 10)
    var span = memory.mutableSpan
    let nine = [UInt8](repeating: 1, count: 9)
    let refused = StreamFraming.write(nine.span, into: &span)
    #expect(refused == nil)
    #expect(StreamFraming.header(count: 65536) == nil)
    #expect(StreamFraming.header(count: 65535) ?? (0, 0) == (255, 255))
  }
}
