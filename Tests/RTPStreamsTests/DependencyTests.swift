import EncodedMedia
import RTP
import RTPStreams
import TestSupport
import Testing
import Timing

/// A sender who tells in each packet what its frame builds on; one packet a frame.
private struct Describer {
  /// Whether layers are spatial (two, the upper builds on the lower in every picture) or temporal (two, the upper discardable).
  let isSpatial: Bool
  private(set) var number = 0

  init(isSpatial: Bool) { self.isSpatial = isSpatial }

  /// The descriptor of the next frame; `layer` 1 is the upper one.
  mutating func next(layer: Int, isKey: Bool = false, startsKeyframe: Bool = false) -> [UInt8] {
    var bits = BitWriter()
    bits.write(0b11, 2)
    bits.write(isSpatial ? layer * 2 + (isKey ? 0 : 1) : isKey ? 0 : layer + 1, 6)
    bits.write(number & 0xFFFF, 16)
    if startsKeyframe { isSpatial ? writeSpatial(&bits) : writeTemporal(&bits) }
    number += 1
    return bits.bytes
  }

  private func write(
    _ bits: inout BitWriter, layers: [Int], indications: [[Int]], references: [[Int]], protecting: [Int], chains: [[Int]]
  ) {
    bits.write(0b10000, 5)
    bits.write(0, 6)
    bits.write(1, 5)
    for next in layers { bits.write(next, 2) }
    for row in indications { for each in row { bits.write(each, 2) } }
    for row in references {
      for distance in row {
        bits.write(1, 1)
        bits.write(distance - 1, 4)
      }
      bits.write(0, 1)
    }
    // ns(3): 1 is "10", 2 is "11".
    let count = chains[0].count
    bits.write(count == 1 ? 0b10 : 0b11, 2)
    if count > 1 { for each in protecting { bits.write(each, 1) } }
    for row in chains { for each in row { bits.write(each, 4) } }
  }

  private func writeTemporal(_ bits: inout BitWriter) {
    write(
      &bits, layers: [0, 1, 3], indications: [[2, 2], [2, 2], [0, 1]], references: [[], [2], [1]], protecting: [0, 0],
      chains: [[0], [2], [1]])
    bits.write(0, 1)
  }

  private func writeSpatial(_ bits: inout BitWriter) {
    write(
      &bits, layers: [0, 2, 0, 3], indications: [[2, 2], [2, 3], [0, 2], [0, 3]], references: [[], [2], [1], [1, 2]],
      protecting: [0, 1], chains: [[0, 0], [2, 1], [1, 1], [1, 1]])
    bits.write(1, 1)
    for side in [320, 180, 640, 360] { bits.write(side - 1, 16) }
  }
}

@Suite struct DependencyTests {
  private struct Packet {
    var payload: [UInt8]
    var descriptor: [UInt8]
    var marker = true
    var picture: UInt32
  }

  private struct Outcome {
    var frames: [EncodedFrame] = []
    var needsKeyframe: [Bool] = []
  }

  private func assemble(_ packets: [Packet], _ codec: Codec, losing lost: Set<Int> = []) -> Outcome {
    var assembler = VideoFrameAssembler(patience: .milliseconds(50))
    var pool = FrameBufferPool(capacity: 8, bytesReserved: 1024)
    var outcome = Outcome()
    for (index, packet) in packets.enumerated() {
      let now = Instant.zero + .milliseconds(Int64(index) * 33)
      if !lost.contains(index) {
        assembler.receive(
          sequence: Int64(index), timestamp: RTPTimestamp(packet.picture), marker: packet.marker, codec: codec, rotation: nil,
          payload: packet.payload.span, descriptor: packet.descriptor.span, at: now, pool: &pool, frames: &outcome.frames)
      }
      assembler.handleTimeout(at: now, pool: &pool, frames: &outcome.frames)
      outcome.needsKeyframe.append(assembler.needsKeyframe)
    }
    assembler.handleTimeout(at: .zero + .seconds(600), pool: &pool, frames: &outcome.frames)
    return outcome
  }

  /// VP8 frames, 0 1 0 1 by temporal layer, with keyframes where they are wanted.
  private func temporal(_ count: Int, keys: Set<Int> = [0]) -> [Packet] {
    var describer = Describer(isSpatial: false)
    return (0..<count).map { index in
      let isKey = keys.contains(index)
      let media: [UInt8] = isKey ? [0x10, 0, 0, 0x9D, 0x01, 0x2A, 64, 0, 48, 0, UInt8(index)] : [0x11, 0, 0, UInt8(index)]
      return Packet(
        payload: [0x10] + media, descriptor: describer.next(layer: index % 2, isKey: isKey, startsKeyframe: isKey),
        picture: UInt32(index * 3000))
    }
  }

  /// What was written at the end of each frame.
  private func numbers(_ frames: [EncodedFrame]) -> [Int] { frames.map { Int($0.payload.bytes.last ?? 0) } }

  @Test func nobodyMissesAFrameThatNothingBuildsOn() {
    for lost in [3, 5, 11] {
      let outcome = assemble(temporal(20), .vp8, losing: [lost])
      #expect(numbers(outcome.frames) == Array(0..<20).filter { $0 != lost })
      #expect(!outcome.frames.contains { $0.followsGap } && !outcome.needsKeyframe.contains(true))
    }
  }

  /// When each frame is handed out, in milliseconds after it came.
  private func delays(_ packets: [Packet], layersWanted: UInt8, losing lost: Int) -> [Int: Int] {
    var assembler = VideoFrameAssembler(patience: .milliseconds(500))
    assembler.temporalLayersWanted = layersWanted
    var pool = FrameBufferPool(capacity: 8, bytesReserved: 1024)
    var delays: [Int: Int] = [:]
    for (index, packet) in packets.enumerated() {
      var frames: [EncodedFrame] = []
      for step in 0..<33 {
        let now = Instant.zero + .milliseconds(Int64(index * 33 + step))
        if step == 0, index != lost {
          assembler.receive(
            sequence: Int64(index), timestamp: RTPTimestamp(packet.picture), marker: packet.marker, codec: .vp8, rotation: nil,
            payload: packet.payload.span, descriptor: packet.descriptor.span, at: now, pool: &pool, frames: &frames)
        }
        assembler.handleTimeout(at: now, pool: &pool, frames: &frames)
        for number in numbers(frames) where delays[number] == nil { delays[number] = (index - number) * 33 + step }
      }
    }
    return delays
  }

  @Test func theWaitForAFrameThatNothingBuildsOnIsShort() {
    let short = delays(temporal(20), layersWanted: .max, losing: 5)
    #expect(short[6] == 60 && short[7] == 27 && short[8] == 0)
    // What is needed is waited for as long as it may still come.
    #expect(delays(temporal(20), layersWanted: .max, losing: 6)[7] == nil)
    let none = delays(temporal(20), layersWanted: 1, losing: 5)
    #expect(none.count == 19 && none.values.allSatisfy { $0 == 0 })
  }

  @Test func afterALostBaseFrameOnlyAKeyframeGoesOn() {
    let outcome = assemble(temporal(20, keys: [0, 12]), .vp8, losing: [4])
    #expect(numbers(outcome.frames) == [0, 1, 2, 3] + Array(12..<20))
    #expect(outcome.needsKeyframe.firstIndex(of: true) ?? 99 < 9 && outcome.needsKeyframe.last == false)
  }

  @Test func temporalLayersAreToldForEveryCodec() {
    let frames = assemble(temporal(6), .vp8).frames
    #expect(frames.map { $0.temporal?.layer } == [0, 1, 0, 1, 0, 1])
    #expect(frames.map { $0.temporal?.isSwitchingPoint } == [true, true, true, true, true, true])
    #expect(frames.map { $0.temporal?.isLayerSync } == [false, true, false, true, false, true])
    #expect(frames.allSatisfy { $0.spatial == nil })
  }

  @Test func aSenderWhoNoLongerTellsIsWaitedForWithAKeyframe() {
    var packets = temporal(30, keys: [0, 20])
    for index in 6..<20 { packets[index].descriptor = [] }
    // Nothing lost: nothing changes.
    #expect(numbers(assemble(packets, .vp8).frames) == Array(0..<30))
    let outcome = assemble(packets, .vp8, losing: [5])
    #expect(numbers(outcome.frames) == Array(0..<5) + Array(20..<30))
    #expect(outcome.needsKeyframe[19] && outcome.frames[5].followsGap)
  }

  /// Pictures of two spatial layers of AV1, a packet each.
  private func spatial(_ count: Int, keys: Set<Int> = [0]) -> [Packet] {
    var describer = Describer(isSpatial: true)
    let sequenceHeader: [UInt8] = [0x08, 0x18, 0x15, 0x7F, 0x5E, 0x00]
    return (0..<count * 2).map { index in
      let (picture, layer) = (index / 2, index % 2)
      let isKey = keys.contains(picture)
      var payload: [UInt8] = [0x10, layer == 0 ? 0x30 : 0x34] + (layer == 0 ? [] : [0x08]) + [UInt8(index)]
      if isKey, layer == 0 { payload = [0x28, UInt8(sequenceHeader.count)] + sequenceHeader + [0x30, UInt8(index)] }
      return Packet(
        payload: payload, descriptor: describer.next(layer: layer, isKey: isKey, startsKeyframe: isKey && layer == 0),
        marker: layer == 1, picture: UInt32(picture * 3000))
    }
  }

  @Test func spatialLayersAreToldWithTheirSizes() throws {
    let frames = assemble(spatial(4), .av1).frames
    #expect(frames.count == 4 && frames.map(\.isKeyframe) == [true, false, false, false])
    for (index, frame) in frames.enumerated() {
      let layers = try #require(frame.spatial)
      #expect(layers.count == 2 && frame.temporal == nil)
      #expect(
        layers[0] == .init(layer: 0, buildsOnEarlier: index > 0, buildsOnLower: false, isNotForUpper: false)
          && layers[1] == .init(layer: 1, buildsOnEarlier: index > 0, buildsOnLower: true, isNotForUpper: true))
      #expect(layers.pixels(0) == 320 * 180 && layers.pixels(1) == 640 * 360)
    }
  }

  @Test func theLowerLayerGoesOnWhileTheUpperAwaitsItsKeyframe() throws {
    let outcome = assemble(spatial(20, keys: [0, 15]), .av1, losing: [9])
    #expect(outcome.frames.count == 20)
    for (index, frame) in outcome.frames.enumerated() {
      #expect(frame.spatial?.count == ((4..<15).contains(index) ? 1 : 2), "picture \(index)")
      #expect(!frame.followsGap)
    }
    #expect(outcome.needsKeyframe[20] && !outcome.needsKeyframe[39])
  }

  @Test func withoutItsLowerLayerNothingOfAPictureGoesOn() {
    let outcome = assemble(spatial(20, keys: [0, 15]), .av1, losing: [8])
    #expect(outcome.frames.count == 4 + 5 && outcome.needsKeyframe[20])
  }

  @Test func lossOfAnyKindNeverHandsOutWhatBuildsOnIt() {
    var random = SeededRandom(seed: 5)
    for _ in 0..<200 {
      let keys: Set<Int> = [0, 40, Int(random.next() % 60) / 2 * 2]
      var packets = temporal(100, keys: keys)
      var lost: Set<Int> = []
      for index in packets.indices {
        if random.next() % 12 == 0 { lost.insert(index) }
        if random.next() % 60 == 0, !packets[index].descriptor.isEmpty {
          packets[index].descriptor = randomBytes(Int(random.next() % 30), &random)
        }
      }
      let seen = Set(numbers(assemble(packets, .vp8, losing: lost).frames))
      #expect(seen.isDisjoint(with: lost))
    }
    for _ in 0..<100 {
      let packets = spatial(60, keys: [0, 20, 40])
      let lost = Set(packets.indices.filter { _ in random.next() % 15 == 0 })
      _ = assemble(packets, .av1, losing: lost)
    }
  }

  private func randomBytes(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }
}
