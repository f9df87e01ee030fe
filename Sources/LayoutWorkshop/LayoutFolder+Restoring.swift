import Glibc

/// Layouts that came with the server, brought back where they were changed or deleted.
extension LayoutFolder {
  /// What became of one.
  package enum Restored: Sendable, Equatable {
    /// It stands in its file as it came.
    case unchanged(String)
    case written(String)
    /// What stood in the file is kept in another.
    case replaced(String, kept: String)
  }

  /// Puts the text that a layout came with into its file. Another text that stands there is kept beside it, as `FILE~`.
  ///
  /// - Returns: what became of it, with the paths of the files.
  package func restore(_ name: String) throws(LayoutFolderError) -> Restored {
    guard let text = ShippedLayouts.text(of: name) else {
      throw LayoutFolderError(
        .missing, "no layout '\(name)' came with tutti; these did: \(ShippedLayouts.names.joined(separator: ", "))")
    }
    // Whoever has the program alone has the layouts as well.
    if mkdir(directory, 0o755) != 0, errno != EEXIST {
      throw LayoutFolderError(.unwritable, "\(directory) cannot be made: \(String(cString: strerror(errno)))")
    }
    let file = try filesByLayout()[name] ?? name + ".json"
    let old = self.text(of: name)
    guard old != text else { return .unchanged("\(directory)/\(file)") }
    if let old { try ReplacedFile.write(old, directory: directory, file: file + "~") }
    // What was kept is what is replaced: whoever saves between has the last word.
    _ = try save(name, text) { $0 == old }
    return old == nil ? .written("\(directory)/\(file)") : .replaced("\(directory)/\(file)", kept: "\(directory)/\(file)~")
  }
}
