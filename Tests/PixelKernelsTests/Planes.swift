import Glibc
import PixelKernels
import RawMedia
import TestSupport

/// A plane inside a larger block, so that writes outside it are seen.
struct Plane {
  static let guardByte: UInt8 = 0xA7
  let width: Int
  let height: Int
  let stride: Int
  let offset: Int
  var bytes: [UInt8]

  /// - Parameter offset: bytes before the first sample, so that every alignment is met.
  init(width: Int, height: Int, stride: Int? = nil, offset: Int = 64) {
    self.width = width
    self.height = height
    self.stride = stride ?? width
    self.offset = offset
    bytes = Array(repeating: Self.guardByte, count: offset + self.stride * height + 128)
  }

  subscript(x: Int, y: Int) -> UInt8 {
    get { bytes[offset + y * stride + x] }
    set { bytes[offset + y * stride + x] = newValue }
  }

  mutating func fill(_ sample: (Int, Int) -> UInt8) {
    for y in 0..<height { for x in 0..<width { self[x, y] = sample(x, y) } }
  }

  /// Random samples, or only the extremes, which overflow first.
  mutating func fill(_ random: inout SeededRandom, extremes: Bool) {
    for y in 0..<height {
      for x in 0..<width {
        self[x, y] = extremes ? (Bool.random(using: &random) ? 255 : 0) : .random(in: 0...255, using: &random)
      }
    }
  }

  /// Whether every byte outside the samples is still a guard byte.
  var guardsHold: Bool {
    bytes.indices.allSatisfy { index in
      let place = index - offset
      let isSample = place >= 0 && place < stride * height && place % stride < width
      return isSample || bytes[index] == Self.guardByte
    }
  }

  func scaled(_ plan: ScalePlan, stride: Int, offset: Int, kernels: KernelSet, part: PixelArea? = nil) -> Plane {
    var result = Plane(width: plan.width, height: plan.height, stride: stride, offset: offset)
    var scaler = PlaneScaler(kernels: kernels)
    bytes.withUnsafeBufferPointer { source in
      result.bytes.withUnsafeMutableBufferPointer { destination in
        scaler.scale(
          source.baseAddress! + self.offset, stride: self.stride, to: destination.baseAddress! + offset, stride: stride, plan,
          part: part)
      }
    }
    return result
  }
}

/// The exact mean over each output's rectangle, in floating point.
func exactArea(_ plane: Plane, _ crop: CropRectangle, width: Int, height: Int) -> [Double] {
  func shares(_ start: Double, _ length: Double, _ size: Int) -> [(Int, Double)] {
    (Int(start)..<min(Int((start + length).rounded(.up)), size)).map {
      ($0, min(start + length, Double($0 + 1)) - max(start, Double($0)))
    }
  }
  let (dx, dy) = (crop.width / Double(width), crop.height / Double(height))
  let columns = (0..<width).map { shares(crop.x + Double($0) * dx, dx, plane.width) }
  var result: [Double] = []
  for j in 0..<height {
    let rows = shares(crop.y + Double(j) * dy, dy, plane.height)
    for i in 0..<width {
      var sum = 0.0
      for (y, b) in rows { for (x, a) in columns[i] { sum += Double(plane[x, y]) * a * b } }
      result.append(sum / (dx * dy))
    }
  }
  return result
}

/// The line between neighbours in floating point, edges repeated.
func exactLine(_ plane: Plane, _ crop: CropRectangle, width: Int, height: Int) -> [Double] {
  func place(_ i: Int, _ start: Double, _ ratio: Double, _ size: Int) -> (Int, Int, Double) {
    let at = min(max(start + (Double(i) + 0.5) * ratio - 0.5, 0), Double(size - 1))
    return (Int(at), min(Int(at) + 1, size - 1), at - at.rounded(.down))
  }
  var result: [Double] = []
  for j in 0..<height {
    let (y0, y1, b) = place(j, crop.y, crop.height / Double(height), plane.height)
    for i in 0..<width {
      let (x0, x1, a) = place(i, crop.x, crop.width / Double(width), plane.width)
      let above = Double(plane[x0, y0]) * (1 - a) + Double(plane[x1, y0]) * a
      let below = Double(plane[x0, y1]) * (1 - a) + Double(plane[x1, y1]) * a
      result.append(above * (1 - b) + below * b)
    }
  }
  return result
}

/// Ratio of peak to error in dB; infinite where there is none.
func psnr(_ plane: Plane, _ exact: [Double]) -> Double {
  var sum = 0.0
  for y in 0..<plane.height {
    for x in 0..<plane.width {
      let error = Double(plane[x, y]) - exact[y * plane.width + x]
      sum += error * error
    }
  }
  let mean = sum / Double(plane.width * plane.height)
  return mean == 0 ? .infinity : 10 * log10(255 * 255 / mean)
}

/// The furthest any sample is from the exact one.
func errorMax(_ plane: Plane, _ exact: [Double]) -> Double {
  var worst = 0.0
  for y in 0..<plane.height {
    for x in 0..<plane.width { worst = max(worst, abs(Double(plane[x, y]) - exact[y * plane.width + x])) }
  }
  return worst
}
