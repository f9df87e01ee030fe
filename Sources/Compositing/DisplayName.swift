import Layouts

/// A name fit to be drawn: control, format and line characters become spaces, runs of space one, `scalarsMax` scalars at most.
///
/// Directional overrides go as well, so that no name can turn round what stands beside it; joiners stay, which emoji and several
/// scripts need.
package func displayName(_ name: String, scalarsMax: Int = 100) -> String {
  if isPlain(name, scalarsMax) { return name }
  var result = String.UnicodeScalarView()
  var marks = 0
  for scalar in name.unicodeScalars.prefix(4 * scalarsMax) {
    let isMark = scalar.properties.canonicalCombiningClass != .notReordered
    marks = isMark ? marks + 1 : 0
    if marks > 3 { continue }  // Towers of accents would reach out of the line.
    if isBlank(scalar) {
      if result.last != " ", !result.isEmpty { result.append(" ") }
    } else {
      result.append(scalar)
    }
    if result.count >= scalarsMax { break }
  }
  if result.last == " " { result.removeLast() }
  return String(result)
}

/// Whether a name is short and of visible ASCII and single inner spaces, as most are.
private func isPlain(_ name: String, _ countMax: Int) -> Bool {
  guard name.utf8.count <= countMax else { return false }
  var before = UInt8(ascii: " ")
  for byte in name.utf8 {
    guard (0x20...0x7E).contains(byte), byte != 0x20 || before != 0x20 else { return false }
    before = byte
  }
  return before != 0x20 || name.isEmpty
}

private func isBlank(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate: true
  case .format: scalar != "\u{200D}" && scalar != "\u{200C}"
  default: false
  }
}

/// The first letters of the first and the last word of a name, upper case; "?" for a name without any.
func initials(of name: String) -> String {
  let words = name.split(separator: " ")
  let ends = words.count > 1 ? [words[0], words[words.count - 1]] : Array(words.prefix(1))
  let letters = ends.compactMap { word in
    (word.first { $0.isLetter || $0.isNumber } ?? word.first).map { String(String($0).unicodeScalars.prefix(8)) }
  }
  return letters.isEmpty ? "?" : letters.joined().uppercased()
}

/// A dark colour that follows from the name alone, so that a person keeps it.
func color(of name: String) -> LayoutColor {
  var hash: UInt32 = 2_166_136_261  // FNV-1a
  for byte in name.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
  hash ^= hash >> 15
  let hue = Double(hash % 360) / 60
  // Saturation 0.45, lightness 0.36: white letters are easily read on every hue.
  let (low, high) = (0.198, 0.522)
  let middle = low + (high - low) * (1 - abs(hue.truncatingRemainder(dividingBy: 2) - 1))
  let parts: (Double, Double, Double) =
    switch Int(hue) {
    case 0: (high, middle, low)
    case 1: (middle, high, low)
    case 2: (low, high, middle)
    case 3: (low, middle, high)
    case 4: (middle, low, high)
    default: (high, low, middle)
    }
  func byte(_ part: Double) -> UInt8 { UInt8(part * 255) }
  return LayoutColor(red: byte(parts.0), green: byte(parts.1), blue: byte(parts.2))
}
