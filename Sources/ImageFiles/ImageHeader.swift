/// What the first bytes of an image file say, read without decoding anything.
package struct ImageHeader: Equatable, Sendable {
  package enum Format: Sendable {
    case png
    case jpeg
  }
  package var format: Format
  /// Pixels as stored, before it is turned upright.
  package var width: Int
  package var height: Int
  /// How a camera was held: 1 to 8 as in EXIF 2.3, table 4.6.4; 1 is upright.
  package var orientation = 1

  /// - Parameter bytes: the whole file.
  /// - Throws: where the file is neither PNG nor JPEG, or larger than `limits` allow.
  package init(_ bytes: [UInt8], name: String, limits: ImageLimits = ImageLimits()) throws(ImageFileError) {
    guard bytes.count <= limits.bytesMax else {
      throw ImageFileError(.tooLarge, "'\(name)' has \(bytes.count) bytes; at most \(limits.bytesMax) are read.")
    }
    guard let header = Self.png(bytes) ?? Self.jpeg(bytes) else {
      throw ImageFileError(.unusable, "'\(name)' is neither a PNG nor a JPEG image, or its header is damaged.")
    }
    self = header
    guard width > 0, height > 0 else { throw ImageFileError(.unusable, "'\(name)' has no pixels.") }
    guard width <= limits.sideMax, height <= limits.sideMax, width * height <= limits.pixelsMax else {
      throw ImageFileError(
        .tooLarge,
        "'\(name)' has \(width)x\(height) pixels; at most \(limits.pixelsMax) are decoded, and \(limits.sideMax) a side.")
    }
  }

  private init(_ format: Format, _ width: Int, _ height: Int) {
    (self.format, self.width, self.height) = (format, width, height)
  }

  /// Signature and IHDR (PNG specification, 5.2 and 11.2.2).
  private static func png(_ bytes: [UInt8]) -> ImageHeader? {
    let start: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]
    guard bytes.count >= 33, bytes.starts(with: start) else { return nil }
    func word(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
    // Sides have 31 bits, so their product cannot overflow.
    let (width, height) = (word(16), word(20))
    return width >> 31 == 0 && height >> 31 == 0 ? ImageHeader(.png, width, height) : nil
  }

  /// Walks the markers up to the frame header (ITU-T T.81, B.2.2), noting the orientation on the way.
  private static func jpeg(_ bytes: [UInt8]) -> ImageHeader? {
    guard bytes.count >= 4, bytes[0] == 0xFF, bytes[1] == 0xD8 else { return nil }
    var place = 2
    var orientation = 1
    while place + 4 <= bytes.count {
      guard bytes[place] == 0xFF else { return nil }
      let marker = bytes[place + 1]
      if marker == 0xFF {  // Fill bytes.
        place += 1
        continue
      }
      let length = Int(bytes[place + 2]) << 8 | Int(bytes[place + 3])
      let body = place + 4..<min(place + 2 + max(length, 2), bytes.count)
      switch marker {
      case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
        guard body.count >= 6 else { return nil }
        let height = Int(bytes[body.lowerBound + 1]) << 8 | Int(bytes[body.lowerBound + 2])
        let width = Int(bytes[body.lowerBound + 3]) << 8 | Int(bytes[body.lowerBound + 4])
        var header = ImageHeader(.jpeg, width, height)
        header.orientation = orientation
        return header
      case 0xE1: orientation = exifOrientation(bytes[body]) ?? orientation
      case 0xD9, 0xDA: return nil  // The picture ends or begins without a frame header.
      default: break
      }
      guard length >= 2 else { return nil }
      place += 2 + length
    }
    return nil
  }
}
