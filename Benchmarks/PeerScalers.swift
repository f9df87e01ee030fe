import RawMedia

/// libyuv's scaler of 4:2:0 pictures.
struct LibYUV {
  enum Filter: Int32 {
    case bilinear = 2
    case box = 3
  }

  private typealias I420Scale =
    @convention(c) (
      UnsafePointer<UInt8>, Int32, UnsafePointer<UInt8>, Int32, UnsafePointer<UInt8>, Int32, Int32, Int32,
      UnsafeMutablePointer<UInt8>, Int32, UnsafeMutablePointer<UInt8>, Int32, UnsafeMutablePointer<UInt8>, Int32, Int32, Int32,
      Int32
    ) -> Int32
  private let library: DynamicLibrary
  private let scale: I420Scale

  init() throws {
    library = try DynamicLibrary(["libyuv.so.0", "libyuv.so"], package: "libyuv-dev")
    scale = try library.function("I420Scale", as: I420Scale.self)
  }

  func scale(_ picture: Picture, into canvas: Picture, _ tile: TileArea, _ filter: Filter) {
    let target = canvas.planes(at: tile)
    _ = scale(
      picture.luma, Int32(picture.lumaStride), picture.chromaBlue, Int32(picture.chromaStride), picture.chromaRed,
      Int32(picture.chromaStride), Int32(picture.width), Int32(picture.height), target.luma, Int32(canvas.lumaStride),
      target.blue, Int32(canvas.chromaStride), target.red, Int32(canvas.chromaStride), Int32(tile.width), Int32(tile.height),
      filter.rawValue)
  }
}

/// One of libswscale's scalers, for one pair of sizes.
final class SwScale {
  enum Filter: Int32 {
    case bilinear = 2
    case area = 0x20
  }

  private typealias GetContext =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Int32, UnsafeRawPointer?, UnsafeRawPointer?, UnsafeRawPointer?
    ) -> OpaquePointer?
  private typealias Scale =
    @convention(c) (
      OpaquePointer, UnsafePointer<UnsafePointer<UInt8>?>, UnsafePointer<Int32>, Int32, Int32,
      UnsafePointer<UnsafeMutablePointer<UInt8>?>, UnsafePointer<Int32>
    ) -> Int32
  private typealias FreeContext = @convention(c) (OpaquePointer) -> Void
  private let library: DynamicLibrary
  private let scale: Scale
  private let free: FreeContext
  private let context: OpaquePointer

  /// AV_PIX_FMT_YUV420P.
  private static let planar420: Int32 = 0

  init(from width: Int, _ height: Int, to tileWidth: Int, _ tileHeight: Int, _ filter: Filter) throws {
    library = try DynamicLibrary(["libswscale.so.6", "libswscale.so"], package: "libswscale-dev")
    scale = try library.function("sws_scale", as: Scale.self)
    free = try library.function("sws_freeContext", as: FreeContext.self)
    let make = try library.function("sws_getContext", as: GetContext.self)
    let context = make(
      Int32(width), Int32(height), Self.planar420, Int32(tileWidth), Int32(tileHeight), Self.planar420, filter.rawValue, nil,
      nil, nil)
    guard let context else { throw BenchmarkError("libswscale does not scale to \(tileWidth)x\(tileHeight)") }
    self.context = context
  }

  deinit { free(context) }

  func scale(_ picture: Picture, into canvas: Picture, _ tile: TileArea) {
    let target = canvas.planes(at: tile)
    let sources: [UnsafePointer<UInt8>?] = [
      UnsafePointer(picture.luma), UnsafePointer(picture.chromaBlue), UnsafePointer(picture.chromaRed), nil,
    ]
    let targets: [UnsafeMutablePointer<UInt8>?] = [target.luma, target.blue, target.red, nil]
    let sourceStrides = [Int32(picture.lumaStride), Int32(picture.chromaStride), Int32(picture.chromaStride), 0]
    let targetStrides = [Int32(canvas.lumaStride), Int32(canvas.chromaStride), Int32(canvas.chromaStride), 0]
    _ = scale(context, sources, sourceStrides, 0, Int32(picture.height), targets, targetStrides)
  }
}

/// Where a picture goes on a canvas; even numbers.
struct TileArea {
  var x: Int
  var y: Int
  var width: Int
  var height: Int
}

extension Picture {
  /// The first samples of a tile.
  func planes(
    at tile: TileArea
  ) -> (luma: UnsafeMutablePointer<UInt8>, blue: UnsafeMutablePointer<UInt8>, red: UnsafeMutablePointer<UInt8>) {
    let chroma = tile.y / 2 * chromaStride + tile.x / 2
    return (luma + tile.y * lumaStride + tile.x, chromaBlue + chroma, chromaRed + chroma)
  }
}
