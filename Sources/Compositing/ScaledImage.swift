import ImageFiles
import Layouts
import PixelKernels

/// An image scaled to a size, ready to be laid over a canvas.
struct ScaledImage: Sendable {
  let overlay: Overlay
  let isOpaque: Bool

  /// Scales the four planes one by one by the kernels that scale pictures.
  init(_ image: DecodedImage, _ key: ImageLibrary.Key) {
    let fitting = Fitting(
      sourceWidth: image.width, sourceHeight: image.height, fit: key.fit, width: key.width, height: key.height)
    let plan = ScalePlan(
      planeWidth: image.width, planeHeight: image.height, crop: fitting.crop, width: fitting.width, height: fitting.height)
    var scaler = PlaneScaler()
    // Kernels may read a little past the last sample.
    var plane = [UInt8](repeating: 0, count: image.width * image.height + 64)
    var scaled = [UInt8](repeating: 0, count: fitting.width * fitting.height)
    var pixels = [UInt8](repeating: 255, count: 4 * fitting.width * fitting.height)
    for part in 0..<(image.isOpaque ? 3 : 4) {
      for index in 0..<image.width * image.height { plane[index] = image.pixels[4 * index + part] }
      plane.withUnsafeBufferPointer { from in
        scaled.withUnsafeMutableBufferPointer { to in
          guard let from = from.baseAddress, let to = to.baseAddress else { return }
          scaler.scale(from, stride: image.width, to: to, stride: fitting.width, plan)
        }
      }
      for index in scaled.indices { pixels[4 * index + part] = scaled[index] }
    }
    if key.isRound { Self.cutRound(&pixels, fitting.width, fitting.height) }
    isOpaque = image.isOpaque && !key.isRound
    overlay = Overlay(premultiplied: pixels, stride: 4 * fitting.width, width: fitting.width, height: fitting.height)
  }

  /// Leaves the ellipse that fits into the image.
  private static func cutRound(_ pixels: inout [UInt8], _ width: Int, _ height: Int) {
    let (radiusX, radiusY) = (Double(width) / 2, Double(height) / 2)
    let radius = min(radiusX, radiusY)
    for y in 0..<height {
      for x in 0..<width {
        let (dx, dy) = ((Double(x) + 0.5 - radiusX) / radiusX, (Double(y) + 0.5 - radiusY) / radiusY)
        let inside = (1 - (dx * dx + dy * dy).squareRoot()) * radius + 0.5
        let alpha = Int(min(max(inside, 0), 1) * 255)
        guard alpha < 255 else { continue }
        let place = 4 * (y * width + x)
        for part in 0..<4 { pixels[place + part] = UInt8((Int(pixels[place + part]) * alpha + 127) / 255) }
      }
    }
  }
}
