import EncodedMedia
import Timing

/// Which simulcast layer of a picture stream is decoded: the smallest that fills the largest tile it is shown in; and of its spatial
/// and temporal layers, those that the tile is large enough for.
///
/// A sender short of bandwidth pauses its large layers and brings them back later. Layers change at keyframes only, so that the
/// decoder never sees a frame it cannot start from.
package struct LayerChoice: Sendable {
  /// What is to become of a frame.
  package enum Verdict: Equatable, Sendable {
    case take
    /// Take what the frame keeps, and ask the sender for a keyframe: a layer that is wanted can be had from there on.
    case takeAndRequest
    case drop
    /// Drop it, and ask the sender for a keyframe of its layer: the layer is wanted, or may be.
    case dropAndRequest

    var takes: Bool { self == .take || self == .takeAndRequest }
    var requests: Bool { self == .takeAndRequest || self == .dropAndRequest }
  }

  private struct Layer {
    var index: UInt8
    /// Width times height of its last keyframe; nil before the first, and for codecs whose frames do not tell.
    var pixels: Int?
    var lastFrame: Instant
  }

  /// The layer taken now; nil before the first keyframe of any.
  package private(set) var current: UInt8?
  /// How many temporal layers of it are decoded, from the base up; `.max` for all.
  package var temporalLayersWanted: UInt8 { temporal.layersWanted }
  /// Width times height of the largest tile; nil to take the largest layer that comes.
  package var wantedPixels: Int? {
    didSet {
      temporal.wantedPixels = wantedPixels
      spatial.wantedPixels = wantedPixels
    }
  }
  private var layers: [Layer] = []
  private var temporal = TemporalChoice()
  private var spatial = SpatialChoice()

  /// A layer that has been silent for so long is paused.
  private static let pauseAfter = Interval.seconds(1)
  private static let layersMax = 8

  package init() {}

  /// Judges a frame of a simulcast layer, and notes in it which of its spatial layers are to be decoded.
  package mutating func judge(_ frame: inout EncodedFrame, of index: UInt8) -> Verdict {
    let verdict = choose(frame, of: index)
    guard verdict == .take else { return verdict }
    guard temporal.takes(frame) else { return .drop }
    let outcome = spatial.choose(&frame)
    guard outcome.isTaken else { return .dropAndRequest }
    return outcome.wantsKeyframe ? .takeAndRequest : .take
  }

  private mutating func choose(_ frame: EncodedFrame, of index: UInt8) -> Verdict {
    guard let place = note(frame, of: index) else { return .drop }
    guard let current, current != index else {
      // Before anything is shown whatever comes may be decoded; without a keyframe the decoder asks for one itself.
      self.current = index
      return .take
    }
    guard isBetter(layers[place], than: current, at: frame.time) else { return .drop }
    guard frame.isKeyframe else { return .dropAndRequest }
    self.current = index
    return .take
  }

  private mutating func note(_ frame: EncodedFrame, of index: UInt8) -> Int? {
    let place: Int
    if let known = layers.firstIndex(where: { $0.index == index }) {
      place = known
    } else {
      guard layers.count < Self.layersMax else { return nil }
      layers.append(Layer(index: index, lastFrame: frame.time))
      place = layers.count - 1
    }
    layers[place].lastFrame = frame.time
    if frame.isKeyframe {
      let bytes = frame.payload.bytes
      layers[place].pixels = PictureSize(ofKeyframe: bytes.span, codec: frame.codec).map { $0.width * $0.height }
    }
    return place
  }

  private func isBetter(_ layer: Layer, than current: UInt8, at now: Instant) -> Bool {
    guard let shown = layers.first(where: { $0.index == current }) else { return true }
    if now - shown.lastFrame > Self.pauseAfter { return true }
    guard let pixels = shown.pixels else { return false }
    if isEnough(pixels, of: 0.8) {
      // A smaller one does, if it fills the tile; with something in between, so that nobody goes back and forth.
      return layer.pixels.map { $0 < pixels && wantedPixels != nil && isEnough($0, of: 1) } ?? false
    }
    // A layer whose size is not known yet may be the larger one: its first keyframe will tell.
    return layer.pixels.map { $0 > pixels } ?? true
  }

  private func isEnough(_ pixels: Int, of share: Double) -> Bool {
    wantedPixels.map { Double(pixels) >= Double($0) * share } ?? false
  }
}
