import Compositing
import Configuration
import Glibc
import LayoutImport
import LayoutWorkshop
import Layouts

/// `tutti layouts check`, `render`, `import` and `restore`.
enum LayoutCommands {
  /// Tells every fault of every file, and advice; true where there is no fault.
  static func check(_ paths: [String], _ sizes: [CanvasSize]) -> Bool {
    var isGood = true
    var files: [String] = []
    for path in paths {
      do {
        files += try LayoutFolder.files(at: path)
      } catch {
        printError(error.description)
        isGood = false
      }
    }
    for file in files {
      // It lies beside them, where `*.json` finds it.
      guard file.split(separator: "/").last != "schema.json" else {
        printError("\(file): note: the schema of layouts is none itself")
        continue
      }
      do {
        let bytes = try readWholeFile(file)
        let folder = LayoutFolder(directory: directory(of: file))
        let review = LayoutReview(
          bytes, name: name(of: file), sizes: sizes.map { ($0.width, $0.height) }, hasImage: folder.hasImage)
        for fault in review.faults { printError("\(file):\(fault)") }
        for note in review.notes { printError("\(file):\(note.line):\(note.column): note: \(note.message)") }
        isGood = isGood && review.faults.isEmpty
      } catch {
        for fault in error.faults { printError(fault) }
        isGood = false
      }
    }
    return isGood
  }

  /// Draws a layout with made-up people into a file.
  static func render(_ options: RenderOptions) throws(ConfigurationError) {
    let isFile = options.layout.contains("/") || options.layout.contains(".json")
    let file = isFile ? options.layout : try path(of: options.layout, options.layoutsDirectory)
    let template = try template(at: file)
    let warnings = CompositingWarnings { printError("\(file): warning: \($0)") }
    let folder = LayoutFolder(directory: directory(of: file))
    let bytes = options.canvas.draw(template, folder.resources(warnings))
    guard write(bytes, to: options.output) else {
      throw ConfigurationError(faults: ["\(options.output) cannot be written: \(String(cString: strerror(errno)))"])
    }
  }

  /// Writes another server's layouts as ours and tells what differs; true where all could be written. No file is overwritten.
  static func importLayouts(_ path: String, into directory: String) throws(ConfigurationError) -> Bool {
    let bytes = try readWholeFile(path)
    let file = path.split(separator: "/").last.map(String.init) ?? path
    let imported: LayoutImport
    do {
      imported = try LayoutImport(reading: bytes, name: LayoutFileNames.layout(of: file) ?? "imported")
    } catch {
      throw ConfigurationError(faults: ["\(path):\(error)"])
    }
    for note in imported.notes { printError("\(path):\(note)") }
    var areWritten = true
    for layout in imported.files {
      let target = "\(directory)/\(layout.name).json"
      if write(Array(layout.text.utf8), to: target, mode: "wbx") {
        print(target)
      } else {
        let reason =
          errno == EEXIST
          ? "there is one already; move it, or name another directory with -o" : String(cString: strerror(errno))
        printError("\(target) was not written: \(reason)")
        areWritten = false
      }
    }
    return areWritten
  }

  /// Brings back layouts that came with the program; true where all could be.
  static func restore(_ names: [String], in directory: String?) -> Bool {
    let folder = LayoutFolder(directory: whereServerLooks(directory))
    var areRestored = true
    for name in names {
      do throws(LayoutFolderError) {
        switch try folder.restore(name) {
        case .unchanged(let file): print("\(file) is as it came.")
        case .written(let file): print("\(file) is back.")
        case .replaced(let file, let kept): print("\(file) is as it came; what stood there is kept in \(kept).")
        }
      } catch {
        printError("tutti: \(error)")
        areRestored = false
      }
    }
    return areRestored
  }

  /// This directory, else where the server would look.
  private static func whereServerLooks(_ directory: String?) -> String {
    directory ?? getenv("TUTTI_LAYOUTS").map { String(cString: $0) } ?? Configuration().layoutsDirectory
  }

  /// The file of a layout that is told by name, in this directory, else where the server would look.
  private static func path(of name: String, _ directory: String?) throws(ConfigurationError) -> String {
    let directory = whereServerLooks(directory)
    do throws(LayoutFolderError) {
      let files = try LayoutFolder(directory: directory).filesByLayout()
      if let file = files[name] { return "\(directory)/\(file)" }
      let names = files.keys.sorted().joined(separator: ", ")
      throw LayoutFolderError(.missing, "there is no layout '\(name)' in \(directory); it has \(names)")
    } catch {
      throw ConfigurationError(faults: [error.description])
    }
  }

  /// Where a layout's images are looked for.
  private static func directory(of path: String) -> String { path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "." }

  /// What rooms know a layout by: its file's name without the ending.
  private static func name(of path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    return LayoutFileNames.layout(of: file) ?? file
  }

  private static func template(at path: String) throws(ConfigurationError) -> LayoutTemplate {
    let bytes = try readWholeFile(path)
    do {
      return try LayoutTemplate(parsing: bytes, name: name(of: path))
    } catch {
      throw ConfigurationError(faults: error.faults.map { "\(path):\($0)" })
    }
  }

  private static func write(_ bytes: [UInt8], to path: String, mode: String = "wb") -> Bool {
    guard let file = fopen(path, mode) else { return false }
    let isWritten = fwrite(bytes, 1, bytes.count, file) == bytes.count
    return fclose(file) == 0 && isWritten
  }
}
