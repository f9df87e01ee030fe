import EncodedMedia
import RTP
import RTPStreams
import TestSupport
import Testing
import Timing

/// VP8 in three temporal layers, of which packets are lost for good: what builds on nothing lost goes on without a keyframe.
@Suite struct TemporalLossTests {
  private static let layers: [UInt8] = [0, 2, 1, 2]

  /// Frame by frame, four to each of the base.
  private static func frame(_ number: Int, isKeyframe: Bool = false) -> EncodedFrame {
    var frame = videoFrame(.vp8, number, isKeyframe: isKeyframe, size: 300)
    frame.temporal = TemporalPosition(
      layer: layers[number % 4], isLayerSync: number % 4 == 1 || number % 4 == 2,
      baseIndex: UInt8(truncatingIfNeeded: 250 + number / 4))
    return frame
  }

  /// The frames that one builds on, as `TemporalPattern` has it.
  private static func references(of number: Int) -> [Int] {
    switch number % 4 {
    case 0: [number - 4]
    case 3: [number - 3, number - 1]
    default: [number - number % 4]
    }
  }

  /// What is received of so many frames a thirtieth of a second apart, and whether a keyframe was asked for.
  private func receive(
    _ count: Int, keyframes: Set<Int> = [0], loses: (_ frame: Int, _ packet: Int) -> Bool
  ) throws -> (frames: [Int], gaps: [Int], asked: Bool) {
    var sender = Sender(.vp8, firstSequence: 0xFFF0)
    var receiver = Receiver(.vp8)
    var asked = false
    for number in 0..<count {
      let now = milliseconds(number * 33)
      for (index, packet) in try sender.send(Self.frame(number, isKeyframe: keyframes.contains(number))).enumerated()
      where !loses(number, index) {
        receiver.receive(packet, at: now)
      }
      for step in 0..<4 { receiver.handleTimeout(at: milliseconds(number * 33 + step * 8)) }
      if receiver.feedback(at: now).wantsKeyframe { asked = true }
    }
    let frames = receiver.frames
    let first = frames.first?.timestamp ?? RTPTimestamp(0)
    let numbers = frames.map { Int($0.timestamp.distance(from: first)) / 3000 }
    return (numbers, zip(numbers, frames).filter(\.1.followsGap).map(\.0), asked)
  }

  @Test func aLossInTheTopLayerTakesNothingElse() throws {
    for packet in 0..<2 {
      let (frames, gaps, asked) = try receive(40) { $0 == 11 && $1 == packet }
      #expect(frames == (0..<40).filter { $0 != 11 } && gaps.isEmpty && !asked)
    }
    // The next frame of the layer may build on it, as far as is told, unless it says otherwise.
    let (frames, gaps, asked) = try receive(40) { number, _ in number == 9 }
    #expect(frames == (0..<40).filter { $0 != 9 && $0 != 11 } && gaps.isEmpty && !asked)
  }

  @Test func whatBuildsOnALostFrameOfTheMiddleLayerIsPassedOver() throws {
    let (frames, gaps, asked) = try receive(40) { number, _ in number == 10 }
    #expect(frames == (0..<40).filter { $0 != 10 && $0 != 11 } && gaps.isEmpty && !asked)
  }

  @Test func aLostBaseFrameIsNotGoneOnFrom() throws {
    let (frames, gaps, asked) = try receive(60, keyframes: [0, 40]) { number, _ in number == 12 }
    #expect(frames == Array(0..<12) + Array(40..<60) && gaps == [40] && asked)
  }

  @Test func theWaitForAPacketOfAnUpperLayerIsShort() throws {
    var sender = Sender(.vp8)
    var receiver = Receiver(.vp8)
    for number in 0..<6 {
      for packet in try sender.send(Self.frame(number, isKeyframe: number == 0)) where number != 3 {
        receiver.receive(packet, at: milliseconds(number * 10))
      }
    }
    holds(receiver.frames.count == 3)
    receiver.handleTimeout(at: milliseconds(99))
    holds(receiver.frames.count == 3)
    receiver.handleTimeout(at: milliseconds(100))
    holds(receiver.frames.count == 5)
  }

  /// When each frame is handed out, in milliseconds after it came, where the receiver decodes only some layers.
  private func delays(
    layersWanted: UInt8, syncs: Bool = true, losing lost: Set<Int>, lostPacket: Int? = nil
  ) throws -> [Int: Int] {
    var sender = Sender(.vp8)
    var receiver = Receiver(.vp8)
    receiver.stream.temporalLayersWanted = layersWanted
    var delays: [Int: Int] = [:]
    for number in 0..<24 {
      var frame = Self.frame(number, isKeyframe: number == 0)
      if !syncs, number > 4 { frame.temporal?.isLayerSync = number % 4 == 1 }
      for (index, packet) in try sender.send(frame).enumerated()
      where !lost.contains(number) || lostPacket != nil && index != lostPacket {
        receiver.receive(packet, at: milliseconds(number * 33))
      }
      for step in 0..<33 {
        receiver.handleTimeout(at: milliseconds(number * 33 + step))
        for frame in receiver.frames {
          let handedOut = Int(frame.timestamp.distance(from: receiver.frames[0].timestamp)) / 3000
          if delays[handedOut] == nil { delays[handedOut] = (number - handedOut) * 33 + step }
        }
      }
    }
    return delays
  }

  @Test func nobodyWaitsForALayerThatIsNotDecoded() throws {
    // With the base alone, whatever is missing between its frames.
    for lost: Set<Int> in [[5], [9, 10], [13, 14, 15]] {
      let delays = try delays(layersWanted: 1, losing: lost)
      for number in stride(from: 0, to: 24, by: 4) { #expect(delays[number] == 0, "\(number) without \(lost)") }
    }
    // With two layers of three, where it is one frame of the third; also when only a part of it is missing.
    for lost in [5, 7, 9, 11] {
      for packet in [nil, 0, 1] {
        let delays = try delays(layersWanted: 2, losing: [lost], lostPacket: packet)
        for number in stride(from: 0, to: 24, by: 2) { #expect(delays[number] == 0, "\(number) without \(lost)") }
      }
    }
  }

  @Test func whoDecodesALayerWaitsForIt() throws {
    // 60 ms from the first packet behind what is missing.
    #expect(try delays(layersWanted: 2, losing: [10])[12] == 27)
    #expect(try delays(layersWanted: 2, losing: [9, 10, 11])[12] == 60)
    #expect(try delays(layersWanted: .max, losing: [9])[10] == 60)
    #expect(try delays(layersWanted: 3, losing: [9])[10] == 60)
  }

  @Test func aGapOfALayerThatIsNotDecodedTakesNothingFromThoseThatAre() throws {
    // The middle layer goes on from frame to frame here.
    let delays = try delays(layersWanted: 2, syncs: false, losing: [9])
    for number in stride(from: 0, to: 24, by: 2) { #expect(delays[number] == 0, "\(number)") }
  }

  @Test func nothingIsHandedOutThatBuildsOnWhatWasNot() throws {
    var (total, asked) = (0, 0)
    for seed in 0..<60 as Range<UInt64> {
      var random = SeededRandom(seed: 4_000 + seed)
      let lost = Set((0..<400).filter { $0 > 0 && random.next() % 25 == 0 })
      let keyframes = Set((0..<400).filter { $0 % 100 == 0 })
      let result = try receive(400, keyframes: keyframes) { number, _ in lost.contains(number) }
      let received = Set(result.frames)
      for number in result.frames where !keyframes.contains(number) {
        holds(Self.references(of: number).allSatisfy { received.contains($0) })
      }
      #expect(result.gaps.allSatisfy { keyframes.contains($0) })
      total += received.count
      asked += result.asked ? 1 : 0
    }
    #expect(total > 60 * 180)
    #expect(asked > 0)
  }

  @Test func aKeyframeIsAskedForWhereAnUpperLayerNeverComesBack() throws {
    var sender = Sender(.vp8)
    var receiver = Receiver(.vp8)
    var asked = false
    for number in 0..<400 {
      var frame = Self.frame(number, isKeyframe: number == 0)
      frame.temporal?.isLayerSync = false
      let now = milliseconds(number * 33)
      for packet in try sender.send(frame) where number != 3 { receiver.receive(packet, at: now) }
      receiver.handleTimeout(at: now)
      if receiver.feedback(at: now).wantsKeyframe { asked = true }
    }
    #expect(asked)
    holds(receiver.frames.count > 95)
  }
}
