import Synchronization
import Timing

/// One raw picture: planar YUV 4:2:0, 8 bits, BT.601 limited range (what VP8 and WebRTC's H.264 carry unless told otherwise).
///
/// Three planes in one block of memory: luma of `width` x `height`, then two chroma planes of half the size, rounded up. Strides
/// are in bytes, multiples of 64; every plane starts on a 64-byte boundary, and 64 bytes past the last plane may be read. Below each
/// plane there is room for the rest of its last macroblocks, so that codecs may write these whole.
public final class Picture: @unchecked Sendable {
  // Unchecked because planes are writable: a picture is written by whoever took it from its pool and only read once handed on.
  public let width: Int
  public let height: Int
  /// Bytes from one row to the next, for luma and for each chroma plane.
  public let lumaStride: Int
  public let chromaStride: Int
  private let memory: UnsafeMutableRawPointer

  public var chromaWidth: Int { (width + 1) / 2 }
  public var chromaHeight: Int { (height + 1) / 2 }
  /// Rows there is memory for.
  public var lumaRows: Int { (height + 15) & ~15 }
  public var chromaRows: Int { lumaRows / 2 }
  /// Bytes from the first plane's start to the last one's end.
  public var byteCount: Int { lumaStride * lumaRows + 2 * chromaStride * chromaRows }

  /// The largest side of a picture; what a decoder delivers beyond it is refused.
  public static let sideMax = 8192

  /// - Parameters: width, height: 1 to `sideMax`. The contents are undefined until written.
  public init(width: Int, height: Int) {
    let sides = 1...Self.sideMax
    precondition(sides.contains(width) && sides.contains(height), "a picture has 1 to 8192 pixels a side")
    self.width = width
    self.height = height
    lumaStride = (width + 63) & ~63
    chromaStride = ((width + 1) / 2 + 63) & ~63
    let rows = (height + 15) & ~15
    let size = lumaStride * rows + chromaStride * rows + 64
    memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
  }

  deinit { memory.deallocate() }

  /// The first byte of each plane, for kernels and codecs; valid while the picture lives.
  public var luma: UnsafeMutablePointer<UInt8> { memory.assumingMemoryBound(to: UInt8.self) }
  public var chromaBlue: UnsafeMutablePointer<UInt8> { luma + lumaStride * lumaRows }
  public var chromaRed: UnsafeMutablePointer<UInt8> { chromaBlue + chromaStride * chromaRows }

  /// Fills the picture with one colour.
  public func fill(_ color: YUVColor) {
    luma.update(repeating: color.y, count: lumaStride * height)
    chromaBlue.update(repeating: color.u, count: chromaStride * chromaHeight)
    chromaRed.update(repeating: color.v, count: chromaStride * chromaHeight)
  }
}

/// A colour in BT.601 limited range: y 16 to 235, u and v 16 to 240 around 128.
public struct YUVColor: Hashable, Sendable {
  public var y: UInt8
  public var u: UInt8
  public var v: UInt8

  public init(y: UInt8, u: UInt8, v: UInt8) {
    self.y = y
    self.u = u
    self.v = v
  }

  /// The nearest BT.601 limited-range colour of 8-bit sRGB components.
  public init(red: UInt8, green: UInt8, blue: UInt8) {
    let (r, g, b) = (Int(red), Int(green), Int(blue))
    y = UInt8(clamping: (66 * r + 129 * g + 25 * b + 128) >> 8 + 16)
    u = UInt8(clamping: (-38 * r - 74 * g + 112 * b + 128) >> 8 + 128)
    v = UInt8(clamping: (112 * r - 94 * g - 18 * b + 128) >> 8 + 128)
  }

  public static let black = YUVColor(y: 16, u: 128, v: 128)
}

/// Pictures of one size that are used again once everyone has let go of them.
public struct PicturePool: ~Copyable {
  private var pictures: [Picture] = []
  private let capacity: Int
  private var next = 0
  /// Pictures made because all the pool's own were in use or of another size.
  public private(set) var misses = 0

  /// - Parameter capacity: how many pictures are kept: as many as may be in use at once, plus one.
  public init(capacity: Int) { self.capacity = max(capacity, 1) }

  /// A picture of this size whose contents are undefined.
  public mutating func take(width: Int, height: Int) -> Picture {
    for _ in 0..<pictures.count {
      next = next + 1 < pictures.count ? next + 1 : 0
      guard isKnownUniquelyReferenced(&pictures[next]) else { continue }
      // Whoever let go of it on another thread is done reading before this thread writes.
      atomicMemoryFence(ordering: .acquiring)
      if pictures[next].width == width, pictures[next].height == height { return pictures[next] }
      misses += 1
      pictures[next] = Picture(width: width, height: height)
      return pictures[next]
    }
    let picture = Picture(width: width, height: height)
    if pictures.count < capacity { pictures.append(picture) } else { misses += 1 }
    return picture
  }
}
