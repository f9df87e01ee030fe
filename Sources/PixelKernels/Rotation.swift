import CPixelKernels
import RawMedia

/// A turn clockwise, as video orientation (RFC 7742, CVO) asks for before showing a picture.
package enum Rotation: Int, Sendable, CaseIterable {
  case none = 0
  case quarter = 90
  case half = 180
  case threeQuarters = 270

  /// Whether width and height change places.
  package var swapsSides: Bool { self == .quarter || self == .threeQuarters }

  /// The turn of so many degrees clockwise; anything but a multiple of 90 is none.
  package init(degreesClockwise degrees: Int) {
    self = Rotation(rawValue: ((degrees % 360) + 360) % 360) ?? .none
  }
}

/// Turns a plane clockwise.
///
/// - Parameters:
///   - width, height: of the source, in samples. The destination has them swapped for quarter turns; nothing else is written.
package func rotatePlane(
  _ source: UnsafePointer<UInt8>, stride: Int, width: Int, height: Int, to destination: UnsafeMutablePointer<UInt8>,
  stride destinationStride: Int, by rotation: Rotation, kernels: KernelSet = .best
) {
  switch rotation {
  case .none:
    for y in 0..<height { (destination + y * destinationStride).update(from: source + y * stride, count: width) }
  case .half:
    for y in 0..<height {
      let (from, to) = (source + y * stride, destination + (height - 1 - y) * destinationStride + width - 1)
      for x in 0..<width { to[-x] = from[x] }
    }
  case .quarter:
    // Transposing the rows taken from below upwards is a quarter turn clockwise.
    transpose(source + (height - 1) * stride, -stride, width, height, destination, destinationStride, kernels)
  case .threeQuarters:
    // Writing the transposed rows from below upwards is a quarter turn the other way.
    transpose(
      source, stride, width, height, destination + (width - 1) * destinationStride, -destinationStride, kernels)
  }
}

private func transpose(
  _ source: UnsafePointer<UInt8>, _ stride: Int, _ width: Int, _ height: Int, _ destination: UnsafeMutablePointer<UInt8>,
  _ destinationStride: Int, _ kernels: KernelSet
) {
  let eight = kernels.table.pointee.transpose!
  let (columns, rows) = (width & ~7, height & ~7)
  for y in Swift.stride(from: 0, to: rows, by: 8) {
    for x in Swift.stride(from: 0, to: columns, by: 8) {
      eight(source + y * stride + x, stride, destination + x * destinationStride + y, destinationStride)
    }
  }
  for y in 0..<height {
    for x in (y < rows ? columns : 0)..<width { destination[x * destinationStride + y] = source[y * stride + x] }
  }
}

/// Turns a picture clockwise into another of the turned size.
package func rotate(_ picture: Picture, into turned: Picture, by rotation: Rotation, kernels: KernelSet = .best) {
  let (width, height) =
    rotation.swapsSides ? (picture.height, picture.width) : (picture.width, picture.height)
  precondition(turned.width == width && turned.height == height, "a turned picture has the turned size")
  rotatePlane(
    picture.luma, stride: picture.lumaStride, width: picture.width, height: picture.height, to: turned.luma,
    stride: turned.lumaStride, by: rotation, kernels: kernels)
  for (from, to) in [(picture.chromaBlue, turned.chromaBlue), (picture.chromaRed, turned.chromaRed)] {
    rotatePlane(
      from, stride: picture.chromaStride, width: picture.chromaWidth, height: picture.chromaHeight, to: to,
      stride: turned.chromaStride, by: rotation, kernels: kernels)
  }
}
