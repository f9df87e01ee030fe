import Testing
import WebRTCTransport

@Suite struct ParityShareTests {
  @Test func parityTakesItsShareOfWhatIsSentOfLate() {
    var parity = ParityShare()
    for index in 0..<200 {
      parity.countPicture(1_000)
      guard index % 5 == 0 else { continue }
      parity.countPicture(1_000)
      parity.count(1_000)
    }
    #expect(abs(parity.share - 0.2) < 0.04, "\(parity.share)")
  }

  @Test func whatOnceHadParityIsWithoutItInTheEnd() {
    var parity = ParityShare()
    parity.count(1_000)
    for _ in 0..<2_000 { parity.countPicture(1_000) }
    #expect(parity.share == 0)
  }
}
