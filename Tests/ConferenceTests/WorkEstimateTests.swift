import Conference
import Testing

@Suite struct WorkEstimateTests {
  @Test func oneThatTookLongNowAndThenIsNotTheRule() {
    let estimate = WorkEstimate(5)
    #expect(estimate.value == 5)
    for taken in [4, 4, 4, 4, 4, 4, 4, 4] as [Int64] { estimate.note(taken) }
    #expect(estimate.value == 4)
    estimate.note(30)
    #expect(estimate.value == 4)
    estimate.note(6)
    #expect(estimate.value == 6, "of the two longest of the last eight it is the shorter")
    for taken in [4, 4, 4, 4, 4, 4, 4] as [Int64] { estimate.note(taken) }
    #expect(estimate.value == 4)
  }

  @Test func whatTakesLongerFromNowOnIsBelievedTheSecondTime() {
    let estimate = WorkEstimate(5)
    estimate.note(9)
    #expect(estimate.value == 5)
    estimate.note(8)
    #expect(estimate.value == 8)
  }

  @Test func theFirstMayBeAnotherMatter() {
    let estimate = WorkEstimate(5, first: 20)
    #expect(estimate.value == 20)
    estimate.note(40)
    #expect(estimate.value == 5)
  }
}
