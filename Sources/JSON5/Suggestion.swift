/// The candidate a mistyped word most likely means; nil where none is near.
package func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
  let letters = Array(word.lowercased().unicodeScalars.prefix(64))
  let distanceMax = max(1, letters.count / 3)
  var best: (distance: Int, candidate: String)?
  for candidate in candidates {
    let distance = editDistance(letters, Array(candidate.lowercased().unicodeScalars.prefix(64)))
    if distance <= distanceMax, distance < letters.count, distance < best?.distance ?? .max { best = (distance, candidate) }
  }
  return best?.candidate
}

/// Letters to insert, delete, replace or exchange with their neighbour (optimal string alignment).
private func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
  var before: [Int] = []
  var previous = Array(0...b.count)
  for i in a.indices {
    var row = [i + 1]
    for j in b.indices {
      var distance = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { distance = min(distance, before[j - 1] + 1) }
      row.append(distance)
    }
    before = previous
    previous = row
  }
  return previous[b.count]
}

/// Text of a stranger within a message: quoted, cut, without control characters.
package func quoted(_ text: String) -> String {
  var result = "'"
  for scalar in text.unicodeScalars.prefix(64) {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned:
      result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + (text.unicodeScalars.count > 64 ? "…'" : "'")
}
