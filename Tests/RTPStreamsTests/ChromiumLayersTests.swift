import EncodedMedia
import Foundation
import RTP
import RTPStreams
import Testing
import Timing

/// Three spatial and three temporal layers of AV1 as a browser sends them: what it tells of them in its dependency descriptors.
@Suite struct ChromiumLayersTests {
  private struct Packet {
    var number: Int64
    var timestamp: UInt32
    var marker: Bool
    var descriptor: [UInt8]
    var payload: [UInt8]
  }

  private let packets: [Packet]

  init() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/chromium-av1-l3t3.txt")
    packets = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
      let parts = line.split(separator: " ")
      return Packet(
        number: try #require(Int64(parts[0])), timestamp: try #require(UInt32(parts[1])), marker: parts[2] == "1",
        descriptor: Self.bytes(parts[3]), payload: Self.bytes(parts[4]))
    }
  }

  private static func parse(_ packet: Packet, _ known: DependencyStructure?) -> DependencyDescriptor? {
    let descriptor = packet.descriptor
    return DependencyDescriptor(descriptor.span, known: known)
  }

  private static func bytes(_ text: Substring) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  /// Where pictures begin: the 90 kHz timestamps in their order.
  private var pictures: [UInt32] {
    packets.reduce(into: []) { if $0.last != $1.timestamp { $0.append($1.timestamp) } }
  }

  private struct Outcome {
    var frames: [EncodedFrame] = []
    var needsKeyframe = false
    /// The longest that a picture waited for packets before it, in milliseconds.
    var delay = 0
  }

  private func assemble(layersWanted: UInt8 = .max, losing lost: Set<Int64> = []) -> Outcome {
    var assembler = VideoFrameAssembler(patience: .milliseconds(500))
    assembler.temporalLayersWanted = layersWanted
    var pool = FrameBufferPool(capacity: 8, bytesReserved: 1024)
    var outcome = Outcome()
    for (index, packet) in packets.enumerated() {
      let due = Int(packet.timestamp) / 90
      let next = index + 1 < packets.count ? Int(packets[index + 1].timestamp) / 90 : due + 1000
      for now in due...max(due, next - 1) {
        let before = outcome.frames.count
        let time = Instant.zero + .milliseconds(Int64(now))
        if now == due, !lost.contains(packet.number) {
          assembler.receive(
            sequence: packet.number, timestamp: RTPTimestamp(packet.timestamp), marker: packet.marker, codec: .av1,
            rotation: nil,
            payload: packet.payload.span, descriptor: packet.descriptor.span, at: time, pool: &pool, frames: &outcome.frames)
        }
        assembler.handleTimeout(at: time, pool: &pool, frames: &outcome.frames)
        for frame in outcome.frames[before...] {
          outcome.delay = max(outcome.delay, now - Int(frame.timestamp.distance(from: RTPTimestamp(0))) / 90)
        }
      }
      if assembler.needsKeyframe { outcome.needsKeyframe = true }
    }
    return outcome
  }

  @Test func itsKeyframesTellAllThatWillCome() throws {
    let starts = packets.filter { Self.parse($0, nil) != nil }
    #expect(starts.count == 2)
    for packet in starts {
      let told = try #require(Self.parse(packet, nil))
      let structure = try #require(told.structure)
      #expect(structure.targetCount == 9 && structure.chainCount == 3)
      #expect(structure.targets.map(\.spatialLayer) == [0, 0, 0, 1, 1, 1, 2, 2, 2])
      #expect(structure.targets.map(\.temporalLayer) == [0, 1, 2, 0, 1, 2, 0, 1, 2])
      #expect(structure.sizes.map(\.width) == [320, 640, 1280] && structure.sizes.map(\.height) == [180, 360, 720])
    }
  }

  @Test func everyPacketIsUnderstood() throws {
    var known: DependencyStructure?
    var number: UInt16?
    for packet in packets {
      let told = try #require(Self.parse(packet, known))
      known = told.structure ?? known
      // One packet a frame here.
      #expect(told.startsFrame && told.endsFrame && told.frameNumber == (number ?? 0) &+ 1)
      number = told.frameNumber
      #expect(told.structure != nil || told.dependencies.referenceCount > 0)
    }
  }

  @Test func itsPicturesComeWithTheirLayers() {
    let outcome = assemble()
    #expect(outcome.frames.map { UInt32($0.timestamp.distance(from: RTPTimestamp(0))) } == pictures)
    #expect(!outcome.needsKeyframe && outcome.delay == 0)
    let keyframes = outcome.frames.indices.filter { outcome.frames[$0].isKeyframe }
    #expect(keyframes.first == 0 && keyframes.count == 2)
    #expect(
      outcome.frames.map { $0.spatial?.count } == Array(repeating: 2, count: 4) + Array(repeating: 3, count: pictures.count - 4)
    )
    let layers = outcome.frames.map { $0.temporal?.layer }
    for (index, layer) in layers.enumerated() {
      let place = (index - (keyframes.last { $0 <= index } ?? 0)) % 4
      #expect(layer == [0, 2, 1, 2][place], "picture \(index)")
    }
  }

  /// The numbers of the packets of a picture.
  private func packets(of picture: Int) -> Set<Int64> {
    Set(packets.filter { $0.timestamp == pictures[picture] }.map(\.number))
  }

  @Test func aLostPictureThatNothingBuildsOnTakesNothingElse() {
    // The third temporal layer.
    for lost in [5, 7] {
      let outcome = assemble(losing: packets(of: lost))
      #expect(outcome.frames.count == pictures.count - 1 && !outcome.needsKeyframe && outcome.delay <= 60)
      let unwaited = assemble(layersWanted: 1, losing: packets(of: lost))
      #expect(unwaited.frames.count == pictures.count - 1 && unwaited.delay <= 34)
    }
  }

  @Test func withoutItsBaseNothingGoesOnBeforeAKeyframe() {
    let outcome = assemble(losing: packets(of: 4))
    let keyframe = outcome.frames.lastIndex { $0.isKeyframe }
    #expect(outcome.needsKeyframe && keyframe == 4 && outcome.frames[4].followsGap == false)
  }
}
