/// How thoroughly VP8 looks for the best way to code the frames of its upper temporal layers: less so where they are fine anyway.
///
/// Three frames of four are of these layers, and what one of them lacks the next base frame has. Searched quickly, faces come out as
/// they would otherwise, in four fifths of the time; what moves fast or is full of edges loses half a decibel, and text takes twice its
/// bits. Both show in coarse quantizers long before: then the search is thorough from the next frame on, for a second at least.
package struct SearchEffort {
  /// libvpx's `cpu-used` for frames of the base layer, and for all where the search is thorough.
  package static let thorough = -6
  package static let quick = -10

  package private(set) var isQuick = false
  /// Of the upper layers' frames of late, of libvpx's 64.
  private var quantizer = coarsest

  package init() {}

  private static let coarsest = 63.0
  private static let weight = 1.0 / 16
  /// Quick from below the first on, and until the mean is above the second or one frame above the third.
  private static let quickBelow = 34.0
  private static let thoroughAbove = 38.0
  private static let thoroughAtOnceAbove = 42

  /// - Parameter layer: of the frame that is next.
  package func speed(inLayer layer: UInt8) -> Int { isQuick && layer > 0 ? Self.quick : Self.thorough }

  /// A frame of an upper layer was coded.
  package mutating func note(quantizer coded: Int) {
    quantizer += Self.weight * (Double(coded) - quantizer)
    if !isQuick {
      isQuick = quantizer < Self.quickBelow
    } else if coded > Self.thoroughAtOnceAbove || quantizer > Self.thoroughAbove {
      isQuick = false
      quantizer = Self.coarsest
    }
  }
}
