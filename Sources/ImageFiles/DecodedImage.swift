import CPNG
import CTurboJPEG

/// An image file's pixels, upright.
///
/// Blocks while it decodes, for as much as some hundred milliseconds; not for threads that keep deadlines.
package struct DecodedImage: Sendable {
  package let width: Int
  package let height: Int
  /// Row by row without padding: blue, green, red, alpha, the colours multiplied by alpha.
  package let pixels: [UInt8]
  /// Whether no pixel lets anything show through.
  package let isOpaque: Bool

  /// - Parameters:
  ///   - pixels: four bytes each, blue first, colours multiplied by alpha.
  package init(width: Int, height: Int, premultiplied pixels: [UInt8], isOpaque: Bool) {
    precondition(width > 0 && height > 0 && pixels.count == 4 * width * height, "an image has four bytes for each pixel")
    (self.width, self.height, self.pixels, self.isOpaque) = (width, height, pixels, isOpaque)
  }

  /// Decodes a PNG or JPEG file.
  ///
  /// The header is held against `limits` first: what is too large is refused before anything is decoded.
  ///
  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - name: for the sentences of refusals.
  package init(decoding bytes: [UInt8], name: String, limits: ImageLimits = ImageLimits()) throws(ImageFileError) {
    let header = try ImageHeader(bytes, name: name, limits: limits)
    let image: DecodedImage?
    switch header.format {
    case .png: image = Self.png(bytes, header)
    case .jpeg: image = Self.jpeg(bytes, header, sideKept: limits.sideKept)
    }
    guard let image else { throw ImageFileError(.unusable, "'\(name)' is damaged, or of a kind that is not read.") }
    self = image.reduced(to: limits.sideKept).upright(header.orientation)
  }

  private static func png(_ bytes: [UInt8], _ header: ImageHeader) -> DecodedImage? {
    let (width, height) = (header.width, header.height)
    var pixels = [UInt8](repeating: 0, count: 4 * width * height)
    let isDecoded = bytes.withUnsafeBytes { bytes in
      pixels.withUnsafeMutableBytes { pixels in
        cpng_decode(bytes.baseAddress, bytes.count, UInt32(width), UInt32(height), pixels.baseAddress) != 0
      }
    }
    guard isDecoded else { return nil }
    let isOpaque = premultiply(&pixels)
    return DecodedImage(width: width, height: height, premultiplied: pixels, isOpaque: isOpaque)
  }

  /// Multiplies colours by alpha.
  ///
  /// - Returns: whether every pixel is opaque.
  private static func premultiply(_ pixels: inout [UInt8]) -> Bool {
    var isOpaque = true
    var span = pixels.mutableSpan
    for place in stride(from: 0, to: span.count, by: 4) where span[place + 3] != 255 {
      isOpaque = false
      let alpha = Int(span[place + 3])
      for part in place..<place + 3 { span[part] = UInt8((Int(span[part]) * alpha + 127) / 255) }
    }
    return isOpaque
  }

  /// Decoded at a half, a quarter or an eighth where that is still as large as `sideKept`.
  private static func jpeg(_ bytes: [UInt8], _ header: ImageHeader, sideKept: Int) -> DecodedImage? {
    let side = max(header.width, header.height)
    let denominator = [8, 4, 2].first { side / $0 >= sideKept } ?? 1
    let width = Int(cjpeg_scaled(Int32(header.width), Int32(denominator)))
    let height = Int(cjpeg_scaled(Int32(header.height), Int32(denominator)))
    var pixels = [UInt8](repeating: 0, count: 4 * width * height)
    let isDecoded = bytes.withUnsafeBufferPointer { bytes in
      pixels.withUnsafeMutableBufferPointer { pixels in
        cjpeg_decode(bytes.baseAddress, UInt(bytes.count), Int32(width), Int32(height), pixels.baseAddress) != 0
      }
    }
    guard isDecoded else { return nil }
    for place in stride(from: 3, to: pixels.count, by: 4) { pixels[place] = 255 }
    return DecodedImage(width: width, height: height, premultiplied: pixels, isOpaque: true)
  }
}
