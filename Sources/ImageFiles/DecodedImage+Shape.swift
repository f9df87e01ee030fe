extension DecodedImage {
  /// The mean of blocks of pixels, so that the longer side comes to `side` or little more; unchanged where it is no longer than twice
  /// that.
  func reduced(to side: Int) -> DecodedImage {
    let factor = max(width, height) / max(side, 1)
    guard factor > 1 else { return self }
    let (columns, rows) = (max(width / factor, 1), max(height / factor, 1))
    let (across, down) = (min(factor, width), min(factor, height))
    var result = [UInt8](repeating: 0, count: 4 * columns * rows)
    let source = pixels.span
    let weight = across * down
    for y in 0..<rows {
      for x in 0..<columns {
        for part in 0..<4 {
          var sum = weight / 2
          for dy in 0..<down {
            let row = 4 * ((y * down + dy) * width + x * across) + part
            for dx in 0..<across { sum += Int(source[row + 4 * dx]) }
          }
          result[4 * (y * columns + x) + part] = UInt8(sum / weight)
        }
      }
    }
    return DecodedImage(width: columns, height: rows, premultiplied: result, isOpaque: isOpaque)
  }

  /// Turned and mirrored as an EXIF orientation asks for.
  func upright(_ orientation: Int) -> DecodedImage {
    guard (2...8).contains(orientation) else { return self }
    let swapsSides = orientation >= 5
    let (columns, rows) = swapsSides ? (height, width) : (width, height)
    var result = [UInt8](repeating: 0, count: pixels.count)
    let source = pixels.span
    for y in 0..<rows {
      for x in 0..<columns {
        let (fromX, fromY) =
          switch orientation {
          case 2: (width - 1 - x, y)
          case 3: (width - 1 - x, height - 1 - y)
          case 4: (x, height - 1 - y)
          case 5: (y, x)
          case 6: (y, height - 1 - x)
          case 7: (width - 1 - y, height - 1 - x)
          default: (width - 1 - y, x)
          }
        for part in 0..<4 { result[4 * (y * columns + x) + part] = source[4 * (fromY * width + fromX) + part] }
      }
    }
    return DecodedImage(width: columns, height: rows, premultiplied: result, isOpaque: isOpaque)
  }
}
