import Bytes
import CongestionControl
import RTP
import TestSupport
import Testing
import Timing

/// An encoder with three temporal layers in the usual pattern of four.
private struct Encoder {
  let source: Int
  let offset: UInt32
  var baseIndex: UInt8
  var number = 0

  mutating func frame(at time: Instant, isKeyframe: Bool, packets: Int) -> ForwardableFrame {
    if isKeyframe { number = 0 }
    let layer: UInt8 = [0, 2, 1, 2][number % 4]
    if layer == 0 { baseIndex &+= 1 }
    defer { number += 1 }
    let ticks = UInt32(truncatingIfNeeded: (time - .zero).ticks(at: 90_000))
    return ForwardableFrame(
      source: source, timestamp: RTPTimestamp(ticks &+ offset), time: time, packetCount: packets, isKeyframe: isKeyframe,
      temporalLayer: layer, isLayerSync: number % 8 == 2 || number % 8 == 1, temporalBaseIndex: baseIndex)
  }
}

@Test(arguments: 0..<40 as Range<UInt64>)
func whateverIsForwardedIsOneStreamWithoutGaps(seed: UInt64) {
  var random = SeededRandom(seed: seed)
  // Close to where each count wraps, so that every run wraps.
  var rewriter = ForwardingRewriter(
    firstSequence: 0x7FF0, timestampOffset: .max - 90_000, firstPictureID: 0x7FF0, firstBaseIndex: 250)
  var encoders = (0..<3).map { Encoder(source: $0, offset: random.next(), baseIndex: random.next()) }
  rewriter.switchSource(to: 0)
  var last: ForwardedFrame?
  var lastPackets = 0
  var lastTime = Instant.zero
  var sources: Set<Int> = []
  for tick in 1...2_000 {
    let time = Instant(nanoseconds: Int64(tick) * 33_333_333)
    if random.next() % 50 == 0 { rewriter.switchSource(to: Int(random.next() % 3)) }
    if random.next() % 30 == 0 { rewriter.layersMax = Int(random.next() % 3) + 1 }
    for index in encoders.indices {
      let isKeyframe = tick == 1 || random.next() % 40 == 0
      let frame = encoders[index].frame(at: time, isKeyframe: isKeyframe, packets: Int(random.next() % 40) + 1)
      guard let forwarded = rewriter.forward(frame) else { continue }
      sources.insert(index)
      if let last {
        #expect(forwarded.firstSequence == last.firstSequence + Int64(lastPackets))
        #expect(forwarded.pictureID == (last.pictureID + 1) & 0x7FFF)
        #expect(forwarded.temporalBaseIndex == last.temporalBaseIndex &+ (frame.temporalLayer == 0 ? 1 : 0))
        let ticks = Int((time - lastTime).ticks(at: 90_000))
        #expect(abs(forwarded.timestamp.distance(from: last.timestamp) - ticks) <= 4)
      }
      (last, lastPackets, lastTime) = (forwarded, frame.packetCount, time)
    }
  }
  #expect(sources == [0, 1, 2])
}

@Test func aSourceBeginsWithItsKeyframeAndTheOldOneGoesOnUntilThen() {
  var rewriter = ForwardingRewriter(firstSequence: 1, timestampOffset: 0, firstPictureID: 1, firstBaseIndex: 1)
  var (old, new) = (Encoder(source: 0, offset: 5, baseIndex: 9), Encoder(source: 1, offset: 77, baseIndex: 3))
  func time(_ number: Int64) -> Instant { .zero + .milliseconds(33 * number) }
  rewriter.switchSource(to: 0)
  let delta = old.frame(at: time(0), isKeyframe: false, packets: 1)
  #expect(rewriter.forward(delta) == nil)
  let key = old.frame(at: time(1), isKeyframe: true, packets: 1)
  #expect(rewriter.forward(key) != nil)
  rewriter.switchSource(to: 1)
  let early = new.frame(at: time(2), isKeyframe: false, packets: 1)
  #expect(rewriter.forward(early) == nil)
  let still = old.frame(at: time(2), isKeyframe: false, packets: 1)
  #expect(rewriter.forward(still) != nil)
  let switching = new.frame(at: time(3), isKeyframe: true, packets: 1)
  #expect(rewriter.forward(switching) != nil)
  #expect(rewriter.source == 1)
  let late = old.frame(at: time(3), isKeyframe: true, packets: 1)
  #expect(rewriter.forward(late) == nil)
}

@Test func aLayerBeginsWithItsSyncFrameOnly() {
  var rewriter = ForwardingRewriter(firstSequence: 1, timestampOffset: 0, firstPictureID: 1, firstBaseIndex: 1)
  rewriter.switchSource(to: 0)
  rewriter.layersMax = 1
  func frame(_ layer: UInt8, sync: Bool = false, key: Bool = false, base: UInt8) -> ForwardableFrame {
    ForwardableFrame(
      source: 0, timestamp: RTPTimestamp(0), time: .zero, packetCount: 1, isKeyframe: key, temporalLayer: layer,
      isLayerSync: sync, temporalBaseIndex: base)
  }
  #expect(rewriter.forward(frame(0, key: true, base: 1)) != nil)
  #expect(rewriter.forward(frame(1, sync: true, base: 1)) == nil)
  rewriter.layersMax = 2
  #expect(rewriter.forward(frame(1, base: 1)) == nil, "refers to a frame that was left out")
  #expect(rewriter.forward(frame(1, sync: true, base: 9)) == nil, "of a base layer frame that was left out")
  #expect(rewriter.forward(frame(1, sync: true, base: 1)) != nil)
  #expect(rewriter.forward(frame(1, base: 1)) != nil)
  #expect(rewriter.forward(frame(2, sync: true, base: 1)) == nil, "more than is wanted")
}

@Test(arguments: [(false, UInt16(5)), (true, 0x1234), (true, 0x7FFF)])
func descriptorsKeepTheirLengthAndGetTheForwardedNumbers(isLong: Bool, id: UInt16) {
  for hasIndex in [false, true] {
    var descriptor = VP8Descriptor()
    descriptor.pictureID = id
    descriptor.hasLongPictureID = isLong
    descriptor.temporalBaseIndex = hasIndex ? 200 : nil
    descriptor.temporalLayer = 1
    descriptor.isLayerSync = true
    descriptor.startsPartition = true
    var descriptorBytes = [UInt8](repeating: 0, count: 8)
    var writer = ByteWriter(descriptorBytes.mutableSpan)
    descriptor.write(to: &writer)
    let size = writer.count
    var bytes: [UInt8] = [0xAA, 0xAA, 0xAA] + descriptorBytes[0..<size] + [UInt8](repeating: 0xAA, count: 13 - size)
    let place = ForwardedFrame(firstSequence: 1, timestamp: RTPTimestamp(0), pictureID: 0x4ABC, temporalBaseIndex: 17)
    var span = bytes.mutableSpan
    let isDone = VP8Descriptor.rewrite(&span, payload: 3, size: size, for: place)
    #expect(isDone)
    var reader = ByteReader(bytes.span.extracting(3..<16))
    let result = VP8Descriptor(&reader)
    var expected = descriptor
    expected.pictureID = isLong ? 0x4ABC : 0x3C
    expected.temporalBaseIndex = hasIndex ? 17 : nil
    #expect(result == expected)
    #expect(bytes[2] == 0xAA && bytes[3 + size] == 0xAA)
  }
}

@Test func descriptorsThatEndEarlyAreLeftAlone() {
  var random = SeededRandom(seed: 4)
  let place = ForwardedFrame(firstSequence: 1, timestamp: RTPTimestamp(0), pictureID: 0x4ABC, temporalBaseIndex: 17)
  for _ in 0..<20_000 {
    var bytes = (0..<8).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let size = Int(random.next() % 10)
    let before = bytes
    var reader = ByteReader(bytes.span.extracting(0..<min(size, 8)))
    let isWhole = VP8Descriptor(&reader) != nil
    var span = bytes.mutableSpan
    let isDone = VP8Descriptor.rewrite(&span, payload: 0, size: size, for: place)
    #expect(isDone == (isWhole && size <= 8))
    if !isDone { #expect(bytes == before) }
  }
}
