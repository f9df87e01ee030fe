import CVPX
import EncodedMedia

/// Which frames build on which, so that upper temporal layers can be left out. The base layer alone is in the last-frame buffer;
/// the middle one of three is in the golden buffer, until the next base frame.
///
///     2 layers:      1   1   1         3 layers:      2   2   2   2      from below: every frame builds on the base frame before
///                  0   0   0                            1       1        it, the second of each pair of 2 on the 1 before it too
///                                                     0       0
///
/// Nothing builds on a frame of the top layer. Entropy tables go on in the base layer only.
struct TemporalPattern {
  /// What the library is told of a frame.
  struct Step {
    var position: TemporalPosition
    var flags: vpx_enc_frame_flags_t
  }

  /// 1 to 3.
  let layerCount: Int
  /// Whether most of the picture is a shared screen.
  var isScreen = false
  private var place = 0
  private var baseIndex: UInt8 = 0

  init(layerCount: Int) { self.layerCount = min(max(layerCount, 1), 3) }

  /// The layer of each frame, over and over.
  var layers: [UInt8] {
    switch layerCount {
    case 2: [0, 1]
    case 3: [0, 2, 1, 2]
    default: [0]
    }
  }

  /// One frame in so many is of this layer or below.
  func rateDivisor(of layer: Int) -> Int { 1 << max(layerCount - 1 - layer, 0) }

  /// What the layers up to this one may take of the bit rate: less for each frame the higher its layer, since little builds on it.
  /// Of a screen, upper layers have nothing to show but what moves beside it.
  func share(upTo layer: Int) -> Double {
    switch (layerCount, layer) {
    case (2, 0): 0.6
    case (3, 0): isScreen ? 0.6 : 0.4
    case (3, 1): isScreen ? 0.7 : 0.6
    default: 1
    }
  }

  var isBaseNext: Bool { layers[place] == 0 }

  /// Begins anew with a base frame, which may come at any place.
  mutating func restart() { place = 0 }

  /// The next frame; a keyframe begins the pattern anew.
  mutating func next(asKeyframe: Bool) -> Step {
    let layers = layers
    if asKeyframe { place = 0 }
    let layer = layers[place]
    let isSecondOfTop = place == 3
    place = (place + 1) % layers.count
    if layer == 0 { baseIndex &+= 1 }
    // In one layer the library has its own way with the buffers.
    let flags: vpx_enc_frame_flags_t
    switch (layerCount, layer) {
    case (1, _): flags = 0
    case (_, 0): flags = tutti_vpx_base_layer_flags
    case (3, 1): flags = tutti_vpx_middle_layer_flags
    default: flags = isSecondOfTop ? tutti_vpx_second_top_layer_flags : tutti_vpx_top_layer_flags
    }
    return Step(
      position: TemporalPosition(layer: layer, isLayerSync: layer > 0 && !isSecondOfTop, baseIndex: baseIndex), flags: flags)
  }
}
