import SDP
import TestSupport
import Testing

/// No bytes reach a trap: read, answered and printed, whatever they are.
struct RobustnessTests {
  /// Reads bytes; what is a description is printed, read again, and answered.
  private func exercise(_ bytes: [UInt8]) throws {
    guard let description = try? SessionDescription(parsing: bytes) else { return }
    #expect(try SessionDescription(parsing: description.text) == description)
    var answerer = Sample.answerer()
    guard let answer = try? answerer.answer(to: description, local: Sample.local, sources: Sample.source) else { return }
    #expect(answer.description.media.count == description.media.count)
    _ = try? answerer.answer(to: description, local: Sample.local, sources: Sample.source)
  }

  @Test(arguments: Fixture.allCases)
  func everyTruncationOfAnOfferIsReadOrRefused(_ fixture: Fixture) throws {
    let bytes = fixture.bytes
    for count in bytes.indices {
      let truncated = Array(bytes[..<count])
      // Whole lines are answered too; a cut inside a line changes that line only.
      if truncated.last == 0x0A || count % 16 == 0 {
        try exercise(truncated)
      } else {
        _ = try? SessionDescription(parsing: truncated)
      }
    }
  }

  @Test(arguments: Fixture.allCases)
  func randomChangesOfAnOfferAreReadOrRefused(_ fixture: Fixture) throws {
    var random = SeededRandom(seed: UInt64(fixture.rawValue.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) }))
    let original = fixture.bytes
    for _ in 0..<400 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, &random) }
      try exercise(bytes)
    }
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
    guard let index = bytes.indices.randomElement(using: &random) else { return }
    let interesting = Array("0123456789-:;,=/ ~*\r\n\0\u{e9}am".utf8)
    switch Int.random(in: 0..<5, using: &random) {
    case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
    case 1: bytes[index] = interesting.randomElement(using: &random) ?? 0
    case 2: bytes.remove(at: index)
    case 3: bytes.insert(contentsOf: Array("99999999999999999999".utf8), at: index)
    default:
      var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
      let from = Int.random(in: lines.indices, using: &random)
      lines.insert(lines[from], at: Int.random(in: lines.indices, using: &random))
      bytes = Array(lines.joined(separator: [0x0A]))
    }
  }

  @Test func randomBytesAreRefused() {
    var random = SeededRandom(seed: 8866)
    for length in 0..<300 {
      let bytes = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      #expect(throws: SDPError.self) { try SessionDescription(parsing: bytes) }
      _ = try? TrickleFragment(parsing: bytes)
    }
  }

  @Test func answersOfChangedTextNeverTrapTheOfferer() throws {
    var offerer = Offerer(sessionID: 1, capabilities: .mixer)
    let offer = offerer.offer([OfferedMedia(.audio, .recvonly), OfferedMedia(.video, .recvonly)], local: Sample.local)
    var answerer = Sample.answerer(.viewer)
    let text = try answerer.answer(to: offer, local: Sample.local, sources: Sample.source).description.text
    var random = SeededRandom(seed: 3264)
    for _ in 0..<2_000 {
      var bytes = Array(text.utf8)
      mutate(&bytes, &random)
      guard let answer = try? SessionDescription(parsing: bytes) else { continue }
      var copy = offerer
      _ = try? copy.apply(answer)
    }
  }
}
