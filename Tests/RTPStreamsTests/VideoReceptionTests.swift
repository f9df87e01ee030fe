import EncodedMedia
import RTP
import RTPStreams
import TestSupport
import Testing
import Timing

private func packets(_ codec: Codec, frames: Range<Int>, keyframes: Set<Int> = [0], sizes: [Int] = [1000]) throws
  -> [(frame: Int, packets: [[UInt8]])]
{
  var sender = Sender(codec, firstSequence: 0x7FF0)
  return try frames.map { number in
    let size = sizes[number % sizes.count]
    return (number, try sender.send(videoFrame(codec, number, isKeyframe: keyframes.contains(number), size: size)))
  }
}

struct VideoReceptionTests {
  @Test(arguments: [Codec.vp8, .h264]) func framesInOrderComeOutAsTheyWentIn(_ codec: Codec) throws {
    var receiver = Receiver(codec)
    for (number, packets) in try packets(codec, frames: 0..<50, sizes: [1, 150, 1000, 5000]) {
      for packet in packets { receiver.receive(packet, at: milliseconds(number * 33)) }
      let got = receiver.frames.last?.payload.bytes
      holds(receiver.frames.count == number + 1)
      #expect(got == videoFrame(codec, number, isKeyframe: number == 0, size: [1, 150, 1000, 5000][number % 4]).payload.bytes)
    }
    let frames = receiver.frames
    #expect(frames.map(\.isKeyframe) == [true] + Array(repeating: false, count: 49))
    #expect(frames.allSatisfy { !$0.followsGap })
    holds(receiver.stream.nextDeadline == nil)
  }

  @Test(arguments: [Codec.vp8, .h264]) func reorderingAndDuplicationLoseNothing(_ codec: Codec) throws {
    for seed in 0..<60 as Range<UInt64> {
      var random = SeededRandom(seed: seed)
      var arriving = try packets(codec, frames: 0..<40, keyframes: [0, 20]).flatMap(\.packets)
      for packet in arriving where random.next() % 10 == 0 { arriving.append(packet) }
      // Each packet moves by up to twelve places.
      let order = arriving.indices.map { (place: $0 + Int(random.next() % 12), packet: arriving[$0]) }.sorted {
        $0.place < $1.place
      }
      var receiver = Receiver(codec)
      for (index, arrival) in order.enumerated() { receiver.receive(arrival.packet, at: milliseconds(index / 4)) }
      let frames = receiver.frames
      #expect(frames.count == 40)
      for (number, frame) in frames.enumerated() {
        #expect(frame.payload.bytes == videoFrame(codec, number, isKeyframe: number % 20 == 0).payload.bytes)
      }
    }
  }

  @Test(arguments: [Codec.vp8, .h264]) func afterAnUnrepairedLossNothingComesUntilAKeyframe(_ codec: Codec) throws {
    for seed in 0..<40 as Range<UInt64> {
      var random = SeededRandom(seed: 100 + seed)
      let sent = try packets(codec, frames: 0..<60, keyframes: [0, 40])
      let lostFrame = Int(1 + random.next() % 15)
      let lostPacket = Int(random.next() % UInt64(sent[lostFrame].packets.count))
      var receiver = Receiver(codec)
      var asked = false
      for (number, packets) in sent {
        let now = milliseconds(number * 33)
        for (index, packet) in packets.enumerated() where !(number == lostFrame && index == lostPacket) {
          receiver.receive(packet, at: now)
        }
        receiver.handleTimeout(at: now)
        if receiver.feedback(at: now).wantsKeyframe { asked = true }
      }
      let frames = receiver.frames
      #expect(frames.count == lostFrame + 20)
      #expect(asked)
      #expect(frames[lostFrame].isKeyframe && frames[lostFrame].followsGap)
      #expect(frames.filter(\.followsGap).count == 1)
      #expect(frames[lostFrame].payload.bytes == videoFrame(codec, 40, isKeyframe: true).payload.bytes)
      holds(!receiver.stream.hasFeedback(at: milliseconds(100_000)))
    }
  }

  @Test(arguments: [Codec.vp8, .h264]) func noFrameEverComesWithoutTheOneItFollows(_ codec: Codec) throws {
    var gaps = 0
    var total = 0
    for seed in 0..<60 as Range<UInt64> {
      var random = SeededRandom(seed: 900 + seed)
      let keyframes = Set((0..<200).filter { $0 == 0 || random.next() % 12 == 0 })
      var arriving: [(at: Int, packet: [UInt8])] = []
      for (number, packets) in try packets(codec, frames: 0..<200, keyframes: keyframes, sizes: [100, 900, 400]) {
        for packet in packets where random.next() % 60 != 0 {
          arriving.append((number * 33 + Int(random.next() % 50), packet))
          if random.next() % 20 == 0 { arriving.append((number * 33 + Int(random.next() % 900), packet)) }
        }
      }
      arriving.sort { $0.at < $1.at }
      var receiver = Receiver(codec)
      for arrival in arriving {
        receiver.handleTimeout(at: milliseconds(arrival.at))
        receiver.receive(arrival.packet, at: milliseconds(arrival.at))
      }
      let frames = receiver.frames
      total += frames.count
      for (before, after) in zip(frames, frames.dropFirst()) {
        let step = after.timestamp.distance(from: before.timestamp)
        holds(step >= 3000)
        holds(step == 3000 || after.isKeyframe && after.followsGap)
        if after.followsGap { gaps += 1 }
      }
      // Every frame is whole: its bytes are those of some frame that was sent.
      for frame in frames {
        let number = frame.timestamp.distance(from: frames[0].timestamp) / 3000
        let matches = (0..<200).contains {
          frame.payload.bytes
            == videoFrame(codec, $0, isKeyframe: keyframes.contains($0), size: [100, 900, 400][$0 % 3]).payload.bytes
        }
        if number % 20 == 0 { holds(matches) }
      }
    }
    #expect(gaps > 100)
    #expect(total > 2000)
  }

  @Test func aKeyframeBehindAGapIsTakenSoon() throws {
    let sent = try packets(.vp8, frames: 0..<4, keyframes: [0, 2])
    var receiver = Receiver(.vp8)
    for (number, packets) in sent where number != 1 {
      for packet in packets { receiver.receive(packet, at: milliseconds(number)) }
    }
    holds(receiver.frames.count == 1)
    receiver.handleTimeout(at: milliseconds(62))
    let frames = receiver.frames
    #expect(frames.map(\.isKeyframe) == [true, true, false])
    #expect(frames.map(\.followsGap) == [false, true, false])
  }

  @Test func steadyReceptionAllocatesNothing() throws {
    let sent = try packets(.vp8, frames: 0..<300)
    var receiver = Receiver(.vp8)
    receiver.frames.reserveCapacity(4)
    func run(_ range: Range<Int>) {
      for number in range {
        for packet in sent[number].packets { receiver.receive(packet, at: milliseconds(number * 33)) }
        receiver.handleTimeout(at: milliseconds(number * 33))
        receiver.frames.removeAll(keepingCapacity: true)
      }
    }
    run(0..<100)
    let count = allocations { run(100..<300) }
    holds(receiver.stream.counters.frames == 300)
    #expect(count == 0)
  }

  @Test(arguments: [Codec.vp8, .h264]) func nothingComesBeforeTheFirstKeyframeAndItIsAskedFor(_ codec: Codec) throws {
    var receiver = Receiver(codec)
    for (number, packets) in try packets(codec, frames: 0..<10, keyframes: [6]) {
      for packet in packets { receiver.receive(packet, at: milliseconds(number)) }
      let wants = receiver.feedback(at: milliseconds(number)).wantsKeyframe
      #expect(wants == (number == 0))
    }
    holds(receiver.frames.count == 4)
    holds(receiver.frames[0].isKeyframe)
  }

  @Test func h264KeyframesWithoutParameterSetsGetThoseThatWereSeen() {
    var receiver = Receiver(.h264)
    // SPS, PPS and a slice, then an instantaneous refresh alone.
    receiver.receive(packet(sequence: 1, timestamp: 1, [0x67, 0x42, 0, 0x1F, 0x88]), at: .zero)
    receiver.receive(packet(sequence: 2, timestamp: 1, [0x68, 0xC8]), at: .zero)
    receiver.receive(packet(sequence: 3, timestamp: 1, marker: true, [0x65, 0x88, 1]), at: .zero)
    receiver.receive(packet(sequence: 4, timestamp: 2, marker: true, [0x65, 0x88, 2]), at: .zero)
    let frames = receiver.frames
    #expect(frames.count == 2)
    #expect(
      frames.last?.payload.bytes == [
        0, 0, 0, 1, 0x67, 0x42, 0, 0x1F, 0x88, 0, 0, 0, 1, 0x68, 0xC8, 0, 0, 0, 1, 0x65, 0x88, 2,
      ])
  }

  @Test func aSenderThatForgetsMarkersIsUnderstoodByItsTimestamps() {
    var receiver = Receiver(.vp8)
    let key: [UInt8] = [0x10, 0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0xE0, 0x01]
    receiver.receive(packet(sequence: 1, timestamp: 1, key), at: .zero)
    receiver.receive(packet(sequence: 2, timestamp: 2, [0x10, 0x11, 0, 0]), at: .zero)
    receiver.receive(packet(sequence: 3, timestamp: 3, [0x10, 0x11, 0, 0]), at: .zero)
    holds(receiver.frames.count == 2)
  }

  @Test func paddingBetweenFramesIsSteppedOver() {
    var receiver = Receiver(.vp8)
    let key: [UInt8] = [0x10, 0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0xE0, 0x01]
    receiver.receive(packet(sequence: 1, timestamp: 1, marker: true, key), at: .zero)
    receiver.receive(packet(sequence: 2, timestamp: 1, []), at: .zero)
    receiver.receive(packet(sequence: 3, timestamp: 1, marker: true, []), at: .zero)
    receiver.receive(packet(sequence: 4, timestamp: 2, marker: true, [0x10, 0x11, 0, 0]), at: .zero)
    let frames = receiver.frames
    #expect(frames.map(\.sequence) == [1, 4])
    #expect(frames.allSatisfy { !$0.followsGap })
  }

  @Test func theRotationStaysUntilItIsChanged() {
    var receiver = Receiver(.vp8)
    let key: [UInt8] = [0x10, 0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0xE0, 0x01]
    var extensions = HeaderExtensions()
    extensions.rotation = .clockwise90
    receiver.receive(packet(sequence: 1, timestamp: 1, marker: true, extensions: extensions, key), at: .zero)
    receiver.receive(packet(sequence: 2, timestamp: 2, marker: true, [0x10, 0x11, 0, 0]), at: .zero)
    extensions.rotation = Rotation.none
    receiver.receive(packet(sequence: 3, timestamp: 3, marker: true, extensions: extensions, [0x10, 0x11, 0, 0]), at: .zero)
    let rotations = receiver.frames.map(\.rotation)
    #expect(rotations == [.clockwise90, .clockwise90, .none])
  }

  @Test func aLateBeginningOfADroppedKeyframeDoesNotTurnTimeBack() throws {
    let sent = try packets(.vp8, frames: 0..<4, keyframes: [0, 1])
    var receiver = Receiver(.vp8)
    for packet in sent[0].packets { receiver.receive(packet, at: .zero) }
    for packet in sent[1].packets.dropFirst() { receiver.receive(packet, at: .zero) }
    receiver.handleTimeout(at: milliseconds(1000))
    receiver.receive(sent[1].packets[0], at: milliseconds(1001))
    receiver.handleTimeout(at: milliseconds(3000))
    holds(receiver.frames.count == 1)
    holds(receiver.feedback(at: milliseconds(3000)).wantsKeyframe)
  }

  @Test func aFrameOfMorePacketsThanAreKeptIsDroppedNotHeld() {
    var receiver = Receiver(.vp8)
    let key: [UInt8] = [0x10, 0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0xE0, 0x01]
    receiver.receive(packet(sequence: 0, timestamp: 1, key), at: .zero)
    for sequence in 1..<2000 as Range<UInt16> {
      receiver.receive(packet(sequence: sequence, timestamp: 1, [0, 1, 2]), at: .zero)
    }
    receiver.receive(packet(sequence: 2000, timestamp: 2, marker: true, key), at: .zero)
    let frames = receiver.frames
    #expect(frames.count == 1)
    #expect(frames.first?.timestamp == RTPTimestamp(2))
  }

  @Test(arguments: [Codec.vp8, .h264, .opus]) func randomPacketsAreHarmless(_ codec: Codec) {
    var random = SeededRandom(seed: 77)
    var receiver = Receiver(codec)
    var sequence: UInt16 = 0
    for round in 0..<100_000 {
      let bits = random.next()
      sequence = bits % 500 == 0 ? UInt16(truncatingIfNeeded: bits >> 16) : sequence &+ UInt16(bits % 4)
      var payload = (0..<Int(random.next() % 16)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      if let first = payload.first { payload[0] = [0x10, 0x67, 0x7C, 0x78, 0x65, first][Int(bits >> 40 % 6)] }
      let isRepair = bits >> 50 % 8 == 0
      let bytes = packet(
        sequence: sequence, timestamp: UInt32(round / 5), payloadType: isRepair ? 97 : 96,
        source: isRepair ? repairSource : mediaSource, marker: bits >> 60 % 3 == 0, payload)
      receiver.receive(bytes, at: milliseconds(round))
      if round % 16 == 0 {
        receiver.handleTimeout(at: milliseconds(round))
        _ = receiver.feedback(at: milliseconds(round))
      }
      receiver.frames.removeAll(keepingCapacity: true)
    }
    holds(receiver.stream.statistics.packetCount > 10_000)
  }
}
