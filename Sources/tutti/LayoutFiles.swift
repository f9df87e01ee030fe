import Conference
import Configuration
import Glibc
import Layouts

/// The layout files of a directory: read at the start, then again whenever one changes.
struct LayoutFiles: Sendable {
  let directory: String
  let library: LayoutLibrary

  /// The file of each layout there is, by the layout's name.
  ///
  /// - Throws: a sentence for the operator.
  func filesByLayout() throws(ConfigurationError) -> [String: String] {
    guard let handle = opendir(directory) else {
      throw ConfigurationError(faults: [
        "there is no directory of layouts at \(directory): name one with --layouts, such as Layouts of the source tree"
      ])
    }
    defer { closedir(handle) }
    var files: [String] = []
    while let entry = readdir(handle) {
      files.append(
        withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return LayoutFileNames.filesByLayout(files)
  }

  /// Reads all files. A faulty one is told of and left out, so that one slip does not keep the server from starting.
  ///
  /// - Parameter report: gets `FILE:LINE:COLUMN: message` for each fault.
  /// - Returns: the texts that were read, faulty ones too, by the names of their layouts.
  func loadAll(report: (String) -> Void) throws(ConfigurationError) -> [String: [UInt8]] {
    var texts: [String: [UInt8]] = [:]
    for (name, file) in try filesByLayout().sorted(by: { $0.key < $1.key }) {
      let path = "\(directory)/\(file)"
      do {
        let bytes = try readWholeFile(path)
        texts[name] = bytes
        for fault in load(name, path, bytes) { report(fault) }
      } catch {
        report("\(error)")
      }
    }
    if library.names.isEmpty {
      throw ConfigurationError(faults: ["\(directory) holds no usable layout: put at least one NAME.json there"])
    }
    return texts
  }

  /// Takes one text in; what stood under its name stays where the text has faults, which are answered.
  func load(_ name: String, _ path: String, _ bytes: [UInt8]) -> [String] {
    do {
      try library.load(name, source: String(decoding: bytes, as: UTF8.self))
      return []
    } catch {
      return error.faults.map { "\(path):\($0)" }
    }
  }
}
