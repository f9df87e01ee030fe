import EncodedMedia
import Timing

/// Which spatial layers of a picture stream are decoded: the smallest that fills the largest tile, and what it builds on.
///
/// A layer that was left out is taken up again where its frame builds on nothing earlier (RFC 9628 section 4.2, P), which for most
/// senders is at a keyframe; so one is asked for, and what is decoded meanwhile goes on. Lower layers on which nothing shown builds
/// are left out too.
struct SpatialChoice: Sendable {
  /// Width times height of the largest tile; nil to take the highest layer.
  var wantedPixels: Int?
  /// The highest layer decoded of the newest picture; nil before the first.
  private(set) var shown: UInt8?
  /// Layers of which everything was decoded since a frame that builds on nothing earlier: bit n is layer n.
  private var open: UInt8 = 0
  /// Width times height of each layer's pictures; 0 before they were told.
  private var pixels: [8 of Int] = .init(repeating: 0)
  /// When each layer's newest frame came.
  private var lastFrames: [8 of Instant?] = .init(repeating: nil)

  /// A layer that has been silent for so long is paused.
  private static let pauseAfter = Interval.seconds(1)

  /// What is to become of a picture, apart from the layers it keeps.
  struct Outcome: Equatable {
    /// Whether there is anything of it to decode.
    var isTaken: Bool
    /// Whether the layer wanted can be had from a keyframe on only.
    var wantsKeyframe: Bool
  }

  /// Notes in the frame which of its layers to decode.
  mutating func choose(_ frame: inout EncodedFrame) -> Outcome {
    guard var layers = frame.spatial, layers.count > 0 else { return Outcome(isTaken: true, wantsKeyframe: false) }
    note(frame, layers)
    if frame.isKeyframe { open = 0 }
    let wanted = wantedLayer(at: frame.time)
    let decodable = decodableLayers(layers)
    guard let top = highest(of: decodable, upTo: wanted) else { return Outcome(isTaken: false, wantsKeyframe: true) }
    layers.kept = frame.isKeyframe ? decodable & Self.layers(upTo: top) : needed(for: top, layers, decodable)
    for index in 0..<layers.count { settle(layers[index], isKept: layers.keeps(index), frame.temporal) }
    shown = top
    frame.spatial = layers
    var isThere = false
    for index in 0..<layers.count where layers[index].layer == wanted { isThere = true }
    return Outcome(isTaken: true, wantsKeyframe: isThere && top != wanted)
  }

  private mutating func note(_ frame: EncodedFrame, _ layers: SpatialLayers) {
    if frame.isKeyframe { pixels = .init(repeating: 0) }
    var tellsSize = frame.isKeyframe
    for index in 0..<layers.count {
      lastFrames[Int(layers[index].layer)] = frame.time
      if let told = layers.pixels(index) { pixels[Int(layers[index].layer)] = told }
      if !layers[index].buildsOnEarlier { tellsSize = true }
    }
    guard tellsSize, frame.codec == .vp9 else { return }
    let bytes = frame.payload.bytes
    var index = 0
    VP9Superframe.forEachFrame(bytes.span) { part in
      if index < layers.count, let size = VP9FrameHeader(part)?.size {
        pixels[Int(layers[index].layer)] = size.width &* size.height
      }
      index &+= 1
    }
  }

  /// The smallest layer that fills the tile, of those that are being sent; with something in between, so that nobody goes back and
  /// forth.
  private func wantedLayer(at now: Instant) -> UInt8 {
    var largest: UInt8 = 0
    var smallest: UInt8?
    for layer in UInt8(0)..<8 {
      guard let last = lastFrames[Int(layer)], now - last <= Self.pauseAfter else { continue }
      largest = layer
      if smallest == nil, let wantedPixels, pixels[Int(layer)] >= wantedPixels { smallest = layer }
    }
    guard let shown, shown <= largest, let wantedPixels, Double(pixels[Int(shown)]) >= Double(wantedPixels) * 0.8 else {
      return smallest ?? largest
    }
    return min(smallest ?? shown, shown)
  }

  /// The layers of a picture whose frames build on nothing that was left out.
  private func decodableLayers(_ layers: SpatialLayers) -> UInt8 {
    var decodable: UInt8 = 0
    for index in 0..<layers.count {
      let frame = layers[index]
      let hasEarlier = !frame.buildsOnEarlier || open & 1 << frame.layer != 0
      let hasLower = !frame.buildsOnLower || frame.layer > 0 && decodable & 1 << (frame.layer &- 1) != 0
      if hasEarlier, hasLower { decodable |= 1 << frame.layer }
    }
    return decodable
  }

  /// The highest of some layers up to one, else the lowest above it.
  private func highest(of layers: UInt8, upTo limit: UInt8) -> UInt8? {
    guard layers != 0 else { return nil }
    let below = layers & Self.layers(upTo: limit)
    return below != 0 ? 7 &- UInt8(below.leadingZeroBitCount) : UInt8(layers.trailingZeroBitCount)
  }

  /// A layer, what it builds on in this picture, and what it may build on later.
  private func needed(for top: UInt8, _ layers: SpatialLayers, _ decodable: UInt8) -> UInt8 {
    var needed: UInt8 = 0
    var lower = false
    var index = layers.count
    while index > 0 {
      index &-= 1
      let frame = layers[index]
      guard frame.layer <= top else { continue }
      if frame.layer == top || lower || !frame.isNotForUpper { needed |= 1 << frame.layer }
      if frame.layer == top || lower { lower = frame.buildsOnLower }
    }
    return needed & decodable
  }

  /// Keeps account of a layer by what became of its frame.
  private mutating func settle(_ frame: SpatialLayers.Frame, isKept: Bool, _ temporal: TemporalPosition?) {
    if !isKept {
      open &= ~(1 << frame.layer)
    } else if !frame.buildsOnEarlier, temporal?.layer ?? 0 == 0 {
      // Of an upper temporal layer it would be no beginning: the base goes on from before it.
      open |= 1 << frame.layer
    }
  }

  private static func layers(upTo top: UInt8) -> UInt8 { UInt8(truncatingIfNeeded: (UInt16(2) << UInt16(top)) &- 1) }
}
