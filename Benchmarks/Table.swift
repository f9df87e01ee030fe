import Glibc

/// Aligned columns on standard output: names to the left, figures to the right.
struct Table {
  private let title: String
  private let note: String
  private var rows: [[String]]

  /// - Parameter note: what both sides do, so that the figures can be compared.
  init(_ title: String, note: String, columns: [String]) {
    self.title = title
    self.note = note
    rows = [columns]
  }

  mutating func add(_ cells: [String]) { rows.append(cells) }

  func print() {
    let columnCount = rows.map(\.count).max() ?? 0
    let widths = (0..<columnCount).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
    Swift.print("\n\(title)\n\(note)\n")
    for (index, row) in rows.enumerated() {
      let cells = row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + padding : padding + cell
      }
      Swift.print("  " + cells.joined(separator: "   "))
      if index == 0 { Swift.print("  " + widths.map { String(repeating: "-", count: $0) }.joined(separator: "   ")) }
    }
    fflush(nil)
  }
}

/// A figure with so many places behind the point; `-` for what is no number.
func figure(_ value: Double?, _ places: Int = 2) -> String {
  guard let value, value.isFinite else { return "-" }
  var scale = 1.0
  for _ in 0..<places { scale *= 10 }
  let rounded = Int((value.magnitude * scale).rounded())
  var digits = String(rounded)
  while digits.count <= places { digits = "0" + digits }
  if places > 0 { digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -places)) }
  return (value < 0 ? "-" : "") + digits
}

/// Thousands apart: 1 234 567.
func grouped(_ value: Double) -> String {
  let digits = Array(String(Int(value.rounded())))
  var text = ""
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index) % 3 == 0 { text.append(" ") }
    text.append(digit)
  }
  return text
}

/// `3.1 x`, how many times the second fits into the first.
func ratio(_ a: Double, _ b: Double) -> String { b > 0 ? figure(a / b) + " x" : "-" }
