import Bytes
import TestSupport
import Testing

@Test func readingPastTheEndAnswersNilAndStays() {
  let bytes: [UInt8] = [1, 2, 3]
  var reader = ByteReader(bytes.span)
  let word = reader.readUInt32()
  #expect(word == nil)
  let half = reader.readUInt16()
  #expect(half == 0x0102)
  let tooMuch = reader.readBytes(2) == nil
  let negative = reader.readBytes(-1) == nil
  #expect(tooMuch && negative)
  let last = reader.readUInt8()
  let none = reader.readUInt8()
  #expect(last == 3 && none == nil)
}

@Test func fieldsAreBigEndianBothWays() {
  var bytes = [UInt8](repeating: 0xAA, count: 24)
  var span = bytes.mutableSpan
  var writer = ByteWriter(span._mutatingExtracting(0..<18))
  writer.write(UInt8(0x01))
  writer.write(UInt16(0x0203))
  writer.writeUInt24(0xFF04_0506)
  writer.write(UInt32(0x0708_090A))
  writer.write(UInt64(0x0B0C_0D0E_0F10_1112))
  let (count, overflowed) = (writer.count, writer.overflowed)
  #expect(count == 18 && !overflowed)
  #expect(Array(bytes[0..<18]) == Array(1...18))
  #expect(bytes[18] == 0xAA)
  var reader = ByteReader(bytes.span)
  let skipped = reader.skip(3)
  #expect(skipped)
  let values = (reader.readUInt24(), reader.readUInt32(), reader.readUInt64())
  #expect(values.0 == 0x040506 && values.1 == 0x0708_090A && values.2 == 0x0B0C_0D0E_0F10_1112)
}

@Test func aWriteThatDoesNotFitWritesNothing() {
  var bytes = [UInt8](repeating: 0xAA, count: 5)
  var writer = ByteWriter(bytes.mutableSpan)
  writer.write(UInt32(1))
  writer.write(UInt16(2))
  writer.write(UInt64(3))
  writer.write([1, 2, 3])
  let (count, overflowed) = (writer.count, writer.overflowed)
  #expect(count == 4 && overflowed)
  #expect(bytes[4] == 0xAA)
}

@Test func arenaPacketsLieBackToBackAndAFullArenaRefuses() {
  var arena = PacketArena(capacity: 100)
  let first = arena.append(capacity: 60) { span in
    span[0] = 7
    return 40
  }
  let second = arena.append(capacity: 60) { span in
    span[0] = 8
    return 60
  }
  let third = arena.append(capacity: 1) { _ in 1 }
  let refused = arena.refused
  #expect(first == 0..<40 && second == 40..<100 && third == nil && refused == 1)
  let byte = arena.packet(40..<100)[0]
  #expect(byte == 8)
  arena.removeAll()
  let givenUp = arena.append(capacity: 10) { _ in nil }
  let tooLong = arena.append(capacity: 10) { _ in 11 }
  let count = arena.count
  #expect(givenUp == nil && tooLong == nil && count == 0)
}

@Test func anArenaInUseAllocatesNothing() {
  var arena = PacketArena()
  let count = allocations {
    for _ in 0..<100 {
      arena.removeAll()
      for _ in 0..<50 {
        _ = arena.append(capacity: 1500) { span in
          span[0] = 1
          return 1200
        }
      }
    }
  }
  #expect(count == 0)
}
