import EncodedMedia
import TestSupport
import Testing
import Timing

@Test func aBufferComesBackOnlyOnceEverybodyLetGo() {
  var pool = FrameBufferPool(capacity: 4, bytesReserved: 100)
  let first = pool.make { $0.append(1) }
  let second = pool.make { $0.append(2) }
  #expect(first !== second)
  #expect(first.bytes == [1] && second.bytes == [2])
  var firstID: ObjectIdentifier?
  do {
    let third = pool.make { $0.append(3) }
    firstID = ObjectIdentifier(third)
  }
  var again: [ObjectIdentifier] = []
  for _ in 0..<4 { again.append(ObjectIdentifier(pool.make { $0.append(4) })) }
  #expect(again.contains { $0 == firstID })
  #expect(first.bytes == [1] && second.bytes == [2])
}

@Test func aSteadyStreamOfFramesAllocatesNothing() {
  var pool = FrameBufferPool(capacity: 8, bytesReserved: 1500)
  let payload = [UInt8](repeating: 5, count: 1200)
  var held: [FrameBuffer?] = .init(repeating: nil, count: 3)
  for index in 0..<10 { held[index % 3] = pool.make(copying: payload.span) }
  let count = allocations {
    for index in 0..<1000 { held[index % 3] = pool.make(copying: payload.span) }
  }
  #expect(count == 0)
  let misses = pool.misses
  #expect(misses == 0)
}

@Test func aPoolWithEverythingInUseStillServesAndCounts() {
  var pool = FrameBufferPool(capacity: 2, bytesReserved: 10)
  let held = (0..<5).map { index in pool.make { $0.append(UInt8(index)) } }
  #expect(held.map(\.bytes) == [[0], [1], [2], [3], [4]])
  let misses = pool.misses
  #expect(misses == 3)
}

@Test func contributorsBeyondFifteenAreLeftOut() {
  var list = ContributorList()
  for index in 0..<20 { list.append(.init(source: SSRC(UInt32(index)), level: UInt8(index))) }
  #expect(list.count == 15)
  #expect(list[14] == Contributor(source: SSRC(14), level: 14))
}

@Test func payloadsOfAPacketizedFrameCopyWhereTheyFit() {
  let frame = PacketizedFrame(
    codec: .vp8, bytes: [1, 2, 3, 4, 5], ranges: [0..<3, 3..<5], timestamp: RTPTimestamp(0), isKeyframe: true, time: .zero)
  var packet = [UInt8](repeating: 0, count: 4)
  var span = packet.mutableSpan
  let first = frame.copyPayload(0, into: &span, at: 1)
  let tooLong = frame.copyPayload(0, into: &span, at: 2)
  #expect(first == 3 && tooLong == nil)
  #expect(packet == [0, 1, 2, 3])
}
