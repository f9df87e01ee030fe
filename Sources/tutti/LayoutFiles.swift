import CLinux
import Conference
import Configuration
import Glibc
import Layouts

/// The layout files of a directory: read at the start, then again whenever one is saved.
struct LayoutFiles: Sendable {
  let directory: String
  let library: LayoutLibrary

  /// Names of the layouts there are files of, sorted.
  ///
  /// - Throws: a sentence for the operator.
  private func names() throws(ConfigurationError) -> [String] {
    guard let handle = opendir(directory) else {
      throw ConfigurationError(faults: [
        "there is no directory of layouts at \(directory): name one with --layouts, such as Layouts of the source tree"
      ])
    }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let file = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if let name = Self.layoutName(file) { names.append(name) }
    }
    return names.sorted()
  }

  /// `grid` of `grid.json` or `grid.json5`; nil for files that are no layouts, the schema among them.
  static func layoutName(_ file: String) -> String? {
    for ending in [".json", ".json5"] where file.hasSuffix(ending) {
      let name = String(file.dropLast(ending.count))
      return isValidName(name) && name != "schema" ? name : nil
    }
    return nil
  }

  func path(of name: String) -> String {
    let plain = "\(directory)/\(name).json"
    return access(plain, R_OK) == 0 ? plain : "\(directory)/\(name).json5"
  }

  /// Reads all files. A faulty one is told of and left out, so that one slip does not keep the server from starting.
  ///
  /// - Parameter report: gets `FILE:LINE:COLUMN: message` for each fault.
  func loadAll(report: (String) -> Void) throws(ConfigurationError) {
    for name in try names() {
      for fault in load(name) { report(fault) }
    }
    if library.names.isEmpty {
      throw ConfigurationError(faults: ["\(directory) holds no usable layout: put at least one NAME.json there"])
    }
  }

  /// Reads one file; what stood under its name stays where the file has faults, which are answered.
  func load(_ name: String) -> [String] {
    let path = path(of: name)
    do {
      let bytes = try readWholeFile(path)
      try library.load(name, source: String(decoding: bytes, as: UTF8.self))
      return []
    } catch let faults as LayoutFaults {
      return faults.faults.map { "\(path):\($0)" }
    } catch {
      return ["\(path): \(error)"]
    }
  }

  /// Calls `changed` with a layout's name each time its file was written or replaced. Blocks; for a thread of its own.
  func watch(_ changed: (String) -> Void) {
    let watcher = inotify_init1(Int32(IN_CLOEXEC))
    guard watcher >= 0 else { return }
    defer { close(watcher) }
    guard inotify_add_watch(watcher, directory, UInt32(IN_CLOSE_WRITE | IN_MOVED_TO)) >= 0 else { return }
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = read(watcher, &buffer, buffer.count)
      guard count > 0 else {
        if errno == EINTR { continue }
        return
      }
      for name in Set(Self.fileNames(buffer[..<count]).compactMap(Self.layoutName)).sorted() { changed(name) }
    }
  }

  /// The names in a block of `inotify_event`s: 16 bytes of header, the last four of which count the name's bytes.
  private static func fileNames(_ events: ArraySlice<UInt8>) -> [String] {
    var names: [String] = []
    var rest = events
    while rest.count >= 16 {
      let length = rest.dropFirst(12).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
      let name = rest.dropFirst(16).prefix(length).prefix { $0 != 0 }
      names.append(String(decoding: name, as: UTF8.self))
      rest = rest.dropFirst(16 + length)
    }
    return names
  }
}
