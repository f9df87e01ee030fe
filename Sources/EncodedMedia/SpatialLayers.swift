/// The spatial layers of one picture: a frame of each, behind one another in the payload, lowest first. Of a picture that many see in
/// different sizes each takes as many as he needs (RFC 9628 section 3).
public struct SpatialLayers: Sendable {
  /// What one layer's frame builds on.
  public struct Frame: Hashable, Sendable {
    /// SID: 0 to 7.
    public var layer: UInt8
    /// P: it builds on pictures before this one.
    public var buildsOnEarlier: Bool
    /// D: it builds on the layer below, in this picture.
    public var buildsOnLower: Bool
    /// Z: no frame of a higher layer builds on it, now or later.
    public var isNotForUpper: Bool

    public init(layer: UInt8, buildsOnEarlier: Bool, buildsOnLower: Bool, isNotForUpper: Bool) {
      self.layer = layer & 7
      self.buildsOnEarlier = buildsOnEarlier
      self.buildsOnLower = buildsOnLower
      self.isNotForUpper = isNotForUpper
    }
  }

  public static let capacity = 8
  /// A byte a frame: the layer in the low bits, then what it builds on.
  private var marks: [8 of UInt8] = .init(repeating: 0)
  /// Width times height of each frame in units of 256 pixels; 0 where it is not known.
  private var areas: [8 of UInt16] = .init(repeating: 0)
  /// Frames: 0 to 8.
  public private(set) var count = 0
  /// The layers to be decoded: bit n is layer n. The others' frames are still in the payload.
  public var kept: UInt8 = .max

  public init() {}

  /// Adds a frame behind the others, unless there are 8.
  ///
  /// - Parameter size: nil where the transport does not tell.
  public mutating func append(_ frame: Frame, size: PictureSize? = nil) {
    guard count < Self.capacity else { return }
    if let size { areas[count] = UInt16(clamping: (max(size.width, 0) &* max(size.height, 0) &+ 255) / 256) }
    marks[count] =
      frame.layer | (frame.buildsOnEarlier ? 0x10 : 0) | (frame.buildsOnLower ? 0x20 : 0) | (frame.isNotForUpper ? 0x40 : 0)
    count &+= 1
  }

  /// - Parameter index: 0 ..< `count`
  public subscript(index: Int) -> Frame {
    let mark = marks[index]
    return Frame(
      layer: mark & 7, buildsOnEarlier: mark & 0x10 != 0, buildsOnLower: mark & 0x20 != 0, isNotForUpper: mark & 0x40 != 0)
  }

  /// Width times height of the frame at an index, rounded up to 256 pixels; nil where it is not known.
  public func pixels(_ index: Int) -> Int? { areas[index] > 0 ? Int(areas[index]) &* 256 : nil }

  /// Whether a layer's frames are to be decoded.
  public func keeps(layer: UInt8) -> Bool { kept & 1 << (layer & 7) != 0 }

  /// Whether the frame at an index is to be decoded.
  public func keeps(_ index: Int) -> Bool { index < count && kept & 1 << (marks[index] & 7) != 0 }

  /// Whether any frame is not to be decoded.
  public var leavesOut: Bool {
    for index in 0..<count where !keeps(index) { return true }
    return false
  }
}
