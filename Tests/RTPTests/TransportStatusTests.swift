import EncodedMedia
import RTP
import TestSupport
import Testing
import Timing

/// Transport-wide feedback on `count` packets from `base` on, with these chunks and deltas.
private func feedback(base: UInt16, count: UInt16, _ chunksAndDeltas: [UInt8]) -> [UInt8] {
  let padding = [UInt8](repeating: 0, count: (4 - chunksAndDeltas.count % 4) % 4)
  let body: [UInt8] =
    [0, 0, 0, 1, 0, 0, 0, 2, UInt8(base >> 8), UInt8(base & 255), UInt8(count >> 8), UInt8(count & 255), 0, 0, 1, 0]
    + chunksAndDeltas + padding
  return [0x8F, 205, UInt8((body.count / 4) >> 8), UInt8(body.count / 4 & 255)] + body
}

/// Its statuses: all of them, or those of `asked` packets from `first` on.
private func statuses(_ datagram: [UInt8], from first: UInt16? = nil, count asked: Int = 0) -> [TransportPacketStatus] {
  var found: [TransportPacketStatus] = []
  var reader = RTCPReader(datagram.span)
  while let packet = reader.next() {
    guard case .transportFeedback(let feedback) = packet else { continue }
    var packets = feedback.packets()
    if let first { packets = feedback.packets(from: SequenceNumber(first), count: asked) }
    while let status = packets.next() { found.append(status) }
  }
  return found
}

/// The symbols of chunks as the draft writes them down, one after another; nil where they are malformed. And the bytes they take.
private func symbols(_ bytes: [UInt8], count: Int) -> (symbols: [UInt16], byteCount: Int)? {
  var found: [UInt16] = []
  var offset = 0
  while found.count < count {
    guard offset + 2 <= bytes.count else { return nil }
    let chunk = UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
    offset += 2
    let these: [UInt16] =
      switch chunk >> 14 {
      case 0, 1: Array(repeating: chunk >> 13 & 3, count: Int(chunk & 0x1FFF))
      case 2: (0..<14).map { chunk >> (13 - $0) & 1 }
      default: (0..<7).map { chunk >> (12 - 2 * $0) & 3 }
      }
    let used = these.prefix(count - found.count)
    guard !used.isEmpty, !used.contains(3) else { return nil }
    found += used
  }
  return (found, offset)
}

/// All that feedback says, read as the draft writes it down.
private func expected(base: UInt16, count: UInt16, _ chunksAndDeltas: [UInt8]) -> [TransportPacketStatus] {
  let padded = chunksAndDeltas + [UInt8](repeating: 0, count: (4 - chunksAndDeltas.count % 4) % 4)
  guard let (symbols, byteCount) = symbols(padded, count: Int(count)) else { return [] }
  var deltas = padded[byteCount...]
  var time = Interval.milliseconds(64)
  var found: [TransportPacketStatus] = []
  for (index, symbol) in symbols.enumerated() {
    guard deltas.count >= Int(symbol) else { break }
    let bytes = deltas.prefix(Int(symbol)).map { Int64($0) }
    deltas = deltas.dropFirst(Int(symbol))
    let ticks = symbol == 2 ? Int64(Int16(truncatingIfNeeded: bytes[0] << 8 | bytes[1])) : bytes.first ?? 0
    time += .microseconds(ticks * 250)
    found.append(
      TransportPacketStatus(
        sequenceNumber: SequenceNumber(base) + index, arrival: symbol == 0 ? nil : time))
  }
  return found
}

@Suite struct TransportStatusTests {
  @Test func feedbackIsReadAsTheDraftWritesItDown() {
    var random = SeededRandom(seed: 11)
    var told = 0
    for _ in 0..<4_000 {
      var bytes: [UInt8] = []
      for _ in 0...Int(random.next() % 6) {
        // Runs are mostly short, so that the deltas reach; some are of thousands.
        let chunk: UInt16 =
          switch random.next() % 5 {
          case 0: UInt16(random.next() % 4) << 13 | UInt16(random.next() % 40)
          case 1: UInt16(random.next() % 0x2000)
          case 2: 0x8000 | UInt16(random.next() % 0x4000)
          // Two-bit symbols, mostly without the reserved one.
          case 3: 0xC000 | UInt16(random.next() % 0x4000) & 0x1555
          default: 0xC000 | UInt16(random.next() % 0x4000)
          }
        bytes += [UInt8(chunk >> 8), UInt8(chunk & 255)]
      }
      bytes += (0..<Int(random.next() % 120)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let (base, count) = (UInt16(truncatingIfNeeded: random.next()), UInt16(random.next() % 400))
      let all = expected(base: base, count: count, bytes)
      let datagram = feedback(base: base, count: count, bytes)
      #expect(statuses(datagram) == all)
      let first = base &+ UInt16(truncatingIfNeeded: Int(random.next() % 800) - 400)
      let asked = Int(random.next() % 300)
      let some = all.filter { Int($0.sequenceNumber.rawValue &- first) < asked }
      #expect(statuses(datagram, from: first, count: asked) == some)
      told += some.count
    }
    #expect(told > 10_000)
  }

  @Test func ofSixtyFiveThousandLostPacketsOnlyThoseAskedForAreTold() {
    let datagram = feedback(base: 100, count: 65_528, Array(repeating: [0x1F, 0xFF], count: 8).flatMap { $0 })
    #expect(datagram.count == 36 && statuses(datagram).count == 65_528)
    #expect(statuses(datagram, from: 0, count: 0).isEmpty)
    let asked = statuses(datagram, from: 40_000, count: 20)
    #expect(asked.map(\.sequenceNumber.rawValue) == Array(40_000..<40_020) && asked.allSatisfy { $0.arrival == nil })
    // Across the wrap, and across the eight numbers that are not reported on.
    #expect(statuses(datagram, from: 65_530, count: 200).count == 192)
  }
}
