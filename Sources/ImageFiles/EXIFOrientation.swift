/// The orientation an APP1 segment names (EXIF 2.3, 4.6.4 A: tag 0x0112 of the 0th IFD); nil where it names none.
///
/// - Parameter segment: the body of the segment, without marker and length.
func exifOrientation(_ segment: ArraySlice<UInt8>) -> Int? {
  guard segment.starts(with: Array("Exif\0\0".utf8)) else { return nil }
  let tiff = Array(segment.dropFirst(6).prefix(65_536))
  let isLittle = tiff.starts(with: Array("II".utf8))
  guard isLittle || tiff.starts(with: Array("MM".utf8)) else { return nil }
  func number(_ at: Int, _ count: Int) -> Int? {
    guard at >= 0, at + count <= tiff.count else { return nil }
    let part = tiff[at..<at + count]
    return isLittle ? part.reversed().reduce(0) { $0 << 8 | Int($1) } : part.reduce(0) { $0 << 8 | Int($1) }
  }
  guard number(2, 2) == 42, let directory = number(4, 4), let count = number(directory, 2) else { return nil }
  for index in 0..<min(count, 512) {
    let entry = directory + 2 + 12 * index
    guard let tag = number(entry, 2) else { return nil }
    guard tag == 0x0112 else { continue }
    guard number(entry + 2, 2) == 3, let value = number(entry + 8, 2), (1...8).contains(value) else { return nil }
    return value
  }
  return nil
}
