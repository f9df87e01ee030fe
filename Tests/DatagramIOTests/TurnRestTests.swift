import DatagramIO
import RealTime
import Testing
import Timing

@Suite struct TurnRestTests {
  private func instant(_ milliseconds: Double) -> Instant { Instant(nanoseconds: Int64(milliseconds * 1_000_000)) }

  @Test func turnsOfSoundAloneComeJustBeforeSoundIsMixed() {
    for (turn, next) in [(0.0, 4.0), (0.9, 4), (3.9, 4), (4, 9), (4.2, 9), (18.99, 19), (19, 24)] {
      #expect(TurnRest.soundTurn(after: instant(turn)) == instant(next), "after \(turn) ms")
    }
  }

  @Test func picturesKeepTurnsNearOneAnotherForASecond() {
    let picture = Instant.zero + .seconds(5)
    #expect(TurnRest.hasSoundAlone(at: picture, lastPicture: nil))
    #expect(!TurnRest.hasSoundAlone(at: picture + .seconds(1), lastPicture: picture))
    #expect(TurnRest.hasSoundAlone(at: picture + .milliseconds(1_001), lastPicture: picture))
  }

  @Test func turnsAreTwoMillisecondsApartWherePicturesPass() throws {
    let rest = try TurnRest(Waker())
    let turn = MonotonicClock.now()
    rest.afterTurn(at: turn, lastPicture: turn)
    #expect(MonotonicClock.now() - turn >= .milliseconds(2))
  }
}
