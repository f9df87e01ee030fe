import Testing
import Timing

@Test func sequenceNumbersCompareTheShorterWayRound() {
  #expect(SequenceNumber(2).distance(from: SequenceNumber(65_534)) == 4)
  #expect(SequenceNumber(65_534).distance(from: SequenceNumber(2)) == -4)
  #expect(SequenceNumber(65_535) + 2 == SequenceNumber(1))
}

@Test func unwrappingCountsOnThroughWrapsAndReordering() {
  var unwrapper = SequenceUnwrapper()
  #expect(unwrapper.unwrap(SequenceNumber(65_534)) == 65_534)
  #expect(unwrapper.unwrap(SequenceNumber(1)) == 65_537)
  #expect(unwrapper.unwrap(SequenceNumber(65_535)) == 65_535)
  #expect(unwrapper.highest == 65_537)
  for step in 1...200_000 {
    #expect(unwrapper.unwrap(SequenceNumber(UInt16(truncatingIfNeeded: 1 + step))) == 65_537 + Int64(step))
  }
}

@Test func packetsBeforeTheFirstGetNegativeNumbers() {
  var unwrapper = SequenceUnwrapper()
  #expect(unwrapper.unwrap(SequenceNumber(0)) == 0)
  #expect(unwrapper.unwrap(SequenceNumber(65_535)) == -1)
}

@Test func timestampsUnwrapNearestToTheLast() {
  var unwrapper = TimestampUnwrapper()
  #expect(unwrapper.unwrap(RTPTimestamp(0xFFFF_FF00)) == 0xFFFF_FF00)
  #expect(unwrapper.unwrap(RTPTimestamp(0x100)) == 0x1_0000_0100)
  #expect(unwrapper.unwrap(RTPTimestamp(0xFFFF_FFFF)) == 0xFFFF_FFFF)
}
