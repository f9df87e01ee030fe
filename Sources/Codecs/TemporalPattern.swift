import CVPX
import EncodedMedia

/// Which frames build on which, so that upper temporal layers can be left out. The base layer alone is in the last-frame buffer;
/// the middle one of three is in the golden buffer, until the next base frame.
///
///     2 layers:      1   1   1         3 layers:      2   2   2   2      from below: every frame builds on the base frame before
///                  0   0   0                            1       1        it, but the second of each pair of 2 on the 1 before it:
///                                                     0       0          VP8 on that alone, VP9 on both
///
/// Nothing builds on a frame of the top layer. Entropy tables go on in the base layer only.
struct TemporalPattern {
  /// What the library is told of a frame.
  struct Step {
    var position: TemporalPosition
    var flags: vpx_enc_frame_flags_t
  }

  private let isVP9: Bool
  /// 1 to 3.
  let layerCount: Int
  /// Whether most of the picture is a shared screen.
  var isScreen = false
  private var place = 0
  private var baseIndex: UInt8 = 0

  init(isVP9: Bool, layerCount: Int) {
    self.isVP9 = isVP9
    self.layerCount = min(max(layerCount, 1), 3)
  }

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
  /// A finer base makes the frames that build on it finer too: of cameras in VP8, those of the top layer gain even though they have
  /// fewer bits. Of a screen, upper layers have nothing to show but what moves beside it.
  func share(upTo layer: Int) -> Double {
    switch (layerCount, layer) {
    case (2, 0): 0.6
    case (3, 0): isScreen ? 0.6 : isVP9 ? 0.4 : 0.5
    case (3, 1): isScreen ? 0.7 : isVP9 ? 0.6 : 0.7
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
    default: flags = isSecondOfTop ? secondOfTopFlags : tutti_vpx_top_layer_flags
    }
    return Step(
      position: TemporalPosition(layer: layer, isLayerSync: layer > 0 && !isSecondOfTop, baseIndex: baseIndex), flags: flags)
  }

  private var secondOfTopFlags: vpx_enc_frame_flags_t {
    isVP9 ? tutti_vp9_second_top_layer_flags : tutti_vp8_second_top_layer_flags
  }
}
