import Conference

/// Which file of a directory each layout is read from.
package enum LayoutFileNames {
  /// `grid` of `grid.json` or `grid.json5`; nil for files that are no layouts, the schema among them.
  package static func layout(of file: String) -> String? {
    for ending in [".json", ".json5"] where file.hasSuffix(ending) {
      let name = String(file.dropLast(ending.count))
      return isValidName(name) && name != "schema" ? name : nil
    }
    return nil
  }

  /// Files by the names of their layouts; `NAME.json` counts more than `NAME.json5`.
  package static func filesByLayout(_ files: [String]) -> [String: String] {
    var result: [String: String] = [:]
    for file in files {
      guard let name = layout(of: file), result[name]?.hasSuffix(".json") != true else { continue }
      result[name] = file
    }
    return result
  }
}
