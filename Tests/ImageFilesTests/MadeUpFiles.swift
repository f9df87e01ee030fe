import CTurboJPEG

/// Image files made from pixels, so that tests know what is in them.
enum MadeUp {
  /// A PNG of 8-bit red, green, blue, alpha pixels, not compressed.
  static func png(width: Int, height: Int, _ pixel: (Int, Int) -> (UInt8, UInt8, UInt8, UInt8)) -> [UInt8] {
    var rows: [UInt8] = []
    for y in 0..<height {
      rows.append(0)
      for x in 0..<width {
        let (r, g, b, a) = pixel(x, y)
        rows += [r, g, b, a]
      }
    }
    return png(width: width, height: height, data: zlibStored(rows))
  }

  /// A PNG whose header says what it likes.
  static func png(width: Int, height: Int, data: [UInt8]) -> [UInt8] {
    [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", word(width) + word(height) + [8, 6, 0, 0, 0])
      + chunk("IDAT", data) + chunk("IEND", [])
  }

  static func jpeg(width: Int, height: Int, progressive: Bool = false, _ pixel: (Int, Int) -> (UInt8, UInt8, UInt8)) -> [UInt8]
  {
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        let (r, g, b) = pixel(x, y)
        pixels += [b, g, r, 0]
      }
    }
    var out = [UInt8](repeating: 0, count: 4 * width * height + 65_536)
    let count = out.count
    let used = out.withUnsafeMutableBufferPointer {
      cjpeg_encode(pixels, Int32(width), Int32(height), 95, progressive ? 1 : 0, $0.baseAddress, UInt(count))
    }
    return Array(out.prefix(Int(used)))
  }

  /// The same JPEG with an EXIF segment that names an orientation.
  static func turned(_ jpeg: [UInt8], orientation: UInt8, isLittle: Bool) -> [UInt8] {
    let tiff: [UInt8] =
      isLittle
      ? Array("II".utf8) + [42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]
      : Array("MM".utf8) + [0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]
    let body = Array("Exif\0\0".utf8) + tiff
    return Array(jpeg.prefix(2)) + [0xFF, 0xE1, 0, UInt8(body.count + 2)] + body + jpeg.dropFirst(2)
  }

  private static func word(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }

  private static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + data
    return word(data.count) + body + word(Int(crc(body)))
  }

  private static func crc(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = ~0
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }

  private static func zlibStored(_ data: [UInt8]) -> [UInt8] {
    var result: [UInt8] = [0x78, 0x01]
    for start in stride(from: 0, to: max(data.count, 1), by: 65_535) {
      let block = data[start..<min(start + 65_535, data.count)]
      let count = UInt16(block.count)
      result.append(start + 65_535 >= data.count ? 1 : 0)
      for half in [count, ~count] { result += [UInt8(half & 255), UInt8(half >> 8)] }
      result += block
    }
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in data {
      a = (a + UInt32(byte)) % 65_521
      b = (b + a) % 65_521
    }
    return result + word(Int(b << 16 | a))
  }
}
