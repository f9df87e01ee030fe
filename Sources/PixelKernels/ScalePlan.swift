import CPixelKernels

/// The part of a plane that is scaled, in its samples; fractions are honoured.
package struct CropRectangle: Hashable, Sendable {
  package var x: Double
  package var y: Double
  package var width: Double
  package var height: Double

  package init(x: Double, y: Double, width: Double, height: Double) {
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
  }

  /// The same part of a plane of half the resolution.
  var halved: CropRectangle { .init(x: x / 2, y: y / 2, width: width / 2, height: height / 2) }

  /// This rectangle, moved and cut so that it lies inside a plane and is at least a hundredth of a sample wide.
  func inside(_ planeWidth: Int, _ planeHeight: Int) -> CropRectangle {
    func cut(_ start: Double, _ length: Double, _ size: Int) -> (Double, Double) {
      let size = Double(size)
      let length = length.isFinite ? min(max(length, 0.01), size) : size
      return (start.isFinite ? min(max(start, 0), size - length) : 0, length)
    }
    let ((x, width), (y, height)) = (cut(x, width, planeWidth), cut(y, height, planeHeight))
    return .init(x: x, y: y, width: width, height: height)
  }
}

/// How one plane is scaled: computed once for a crop and a size, then used for every picture.
package final class ScalePlan: Sendable {
  /// Samples the plan writes.
  package let width: Int
  package let height: Int
  let method: Method
  /// First sample and row of the source, and how many samples of a row are read.
  let originX: Int
  let originY: Int
  let extentX: Int

  enum Method: Sendable {
    /// Rows are copied.
    case copy
    /// Exactly 2:1 both ways.
    case halve
    /// Exactly 4:1 both ways.
    case quarter
    /// Rows are weighed into one, then its samples.
    case weigh(rows: [Row], weights: [Int16], samples: AxisTables)
  }

  /// One output row: its first source row, and its weights in the plan's list.
  struct Row: Sendable {
    var top: Int
    var weights: Int
    var taps: Int32
  }

  /// Weights of one row add up to this, but no single one can exceed 32767.
  private static let one = 1 << 15

  /// - Parameters:
  ///   - planeWidth, planeHeight: samples the source plane has, at least 1.
  ///   - crop: the part that is shown; it is moved and cut to lie inside the plane.
  ///   - width, height: samples to write, at least 1.
  package init(planeWidth: Int, planeHeight: Int, crop: CropRectangle, width: Int, height: Int) {
    precondition(planeWidth > 0 && planeHeight > 0 && width > 0 && height > 0, "a plane has at least one sample")
    let crop = crop.inside(planeWidth, planeHeight)
    (self.width, self.height) = (width, height)
    let whole = [crop.x, crop.y, crop.width, crop.height].allSatisfy { $0 == $0.rounded() }
    if whole, crop.width == Double(width), crop.height == Double(height) {
      (method, originX, originY, extentX) = (.copy, Int(crop.x), Int(crop.y), width)
    } else if whole, crop.width == Double(2 * width), crop.height == Double(2 * height) {
      (method, originX, originY, extentX) = (.halve, Int(crop.x), Int(crop.y), 2 * width)
    } else if whole, crop.width == Double(4 * width), crop.height == Double(4 * height) {
      (method, originX, originY, extentX) = (.quarter, Int(crop.x), Int(crop.y), 4 * width)
    } else {
      let across = ScaleAxis(start: crop.x, length: crop.width, size: planeWidth, count: width, one: AxisTables.one)
      let down = ScaleAxis(start: crop.y, length: crop.height, size: planeHeight, count: height, one: Self.one)
      var weights: [Int16] = []
      let rows = zip(down.left, down.weights).map { top, shares in
        defer { weights += shares.map { Int16(clamping: $0) } }
        return Row(top: top, weights: weights.count, taps: Int32(shares.count))
      }
      method = .weigh(rows: rows, weights: weights, samples: AxisTables(across))
      (originX, originY, extentX) = (across.origin, down.origin, across.extent)
    }
  }
}
