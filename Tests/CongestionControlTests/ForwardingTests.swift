import CongestionControl
import EncodedMedia
import TestSupport
import Testing
import Timing

private func frame(_ layer: UInt8, sync: Bool = false, key: Bool = false, base: UInt8) -> PacketizedFrame {
  PacketizedFrame(
    codec: .vp8, bytes: [0], ranges: [0..<1], timestamp: RTPTimestamp(0), isKeyframe: key, time: .zero,
    temporal: TemporalPosition(layer: layer, isLayerSync: sync, baseIndex: base))
}

/// What a decoder of three layers needs: each frame with those it refers to, in the pattern 0 2 1 2.
private struct Decoder {
  private var base: Int?
  private var middle: Int?

  /// - Returns: whether the frame with this number could be decoded.
  mutating func take(_ number: Int, layer: UInt8, isKeyframe: Bool) -> Bool {
    let cycle = number / 4
    switch layer {
    case 0:
      let isWhole = isKeyframe || base == cycle - 1
      if isWhole { (base, middle) = (cycle, nil) }
      return isWhole
    case 1:
      let isWhole = base == cycle
      if isWhole { middle = cycle }
      return isWhole
    default: return base == cycle && (number % 4 == 1 || middle == cycle)
    }
  }
}

@Test(arguments: 0..<40 as Range<UInt64>)
func whateverIsForwardedCanBeDecoded(seed: UInt64) {
  var random = SeededRandom(seed: seed)
  var layers = LayerForwarding()
  var decoder = Decoder()
  var counts = [0, 0, 0]
  for number in 0..<4_000 {
    let layer: UInt8 = [0, 2, 1, 2][number % 4]
    let isKeyframe = number == 0 || layer == 0 && random.next() % 40 == 0
    // The middle layer refers to the base alone; the first above it too, the second to both.
    let next = frame(layer, sync: number % 4 == 1 || layer == 1, key: isKeyframe, base: UInt8(truncatingIfNeeded: number / 4))
    if random.next() % 30 == 0 { layers.layersMax = Int(random.next() % 3) + 1 }
    let isRefused = layer > 0 && random.next() % 20 == 0
    guard layers.admits(next), !isRefused else {
      layers.leftOut(next)
      continue
    }
    layers.forwarded(next)
    counts[Int(layer)] += 1
    let isDecoded = decoder.take(number, layer: layer, isKeyframe: isKeyframe)
    #expect(isDecoded, "frame \(number)")
  }
  #expect(counts[0] == 1_000 && counts[1] > 300 && counts[2] > 300)
}

@Test func aLayerBeginsWithItsSyncFrameOnly() {
  var layers = LayerForwarding()
  layers.layersMax = 1
  func forwards(_ frame: PacketizedFrame) -> Bool {
    let isAdmitted = layers.admits(frame)
    if isAdmitted { layers.forwarded(frame) } else { layers.leftOut(frame) }
    return isAdmitted
  }
  let key = forwards(frame(0, key: true, base: 1))
  let above = forwards(frame(1, sync: true, base: 1))
  #expect(key && !above)
  layers.layersMax = 2
  let dangling = forwards(frame(1, base: 1))
  #expect(!dangling, "refers to a frame that was left out")
  let stray = forwards(frame(1, sync: true, base: 9))
  #expect(!stray, "of a base layer frame that was left out")
  let sync = forwards(frame(1, sync: true, base: 1))
  let next = forwards(frame(1, base: 1))
  #expect(sync && next)
  let tooHigh = forwards(frame(2, sync: true, base: 1))
  #expect(!tooHigh, "more than is wanted")
}

@Test func withoutTemporalLayersEverythingIsForwarded() {
  var layers = LayerForwarding()
  layers.layersMax = 1
  let plain = PacketizedFrame(
    codec: .h264, bytes: [0], ranges: [0..<1], timestamp: RTPTimestamp(0), isKeyframe: false, time: .zero)
  #expect(layers.admits(plain))
  layers.forwarded(plain)
  #expect(layers.admits(plain))
}
