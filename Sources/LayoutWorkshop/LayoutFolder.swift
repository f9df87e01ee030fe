import Compositing
import Conference
import Glibc
import Layouts
import Synchronization

/// The layout files of a directory and the library that rooms take them from: read at the start, again whenever one changes,
/// and written for authors.
///
/// Whoever learns of a change first, the watcher or the author's own request, takes it in; the other finds nothing new.
package final class LayoutFolder: Sendable {
  /// What became of a layout.
  package enum Change: Sendable {
    case read
    /// Cannot be used; what stood under its name stays. Each fault as `FILE:LINE:COLUMN: message`.
    case faulty([String])
    /// There is no file of it any more.
    case deleted
  }

  package let directory: String
  package let library: LayoutLibrary
  /// What was read last of each layout, so that nobody is told of what did not change. Held while files are read and written.
  private let texts = Mutex<[String: Text]>([:])

  private struct Text {
    var bytes: [UInt8]
    var isUsable: Bool
  }

  /// The longest layout file.
  package static let bytesMax = 1 << 20
  /// More layouts than these are not made by request.
  package static let layoutsMax = 500

  package init(directory: String, library: LayoutLibrary = LayoutLibrary()) {
    (self.directory, self.library) = (directory, library)
  }

  // MARK: Reading

  /// The file of each layout there is, by the layout's name.
  ///
  /// - Throws: a sentence for the operator.
  package func filesByLayout() throws(LayoutFolderError) -> [String: String] {
    guard let handle = opendir(directory) else {
      throw LayoutFolderError(
        .missing,
        "there is no directory of layouts at \(directory): name one with --layouts, such as Layouts of the source tree, or have one "
          + "made by 'tutti layouts restore --layouts \(directory) grid speaker'")
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

  /// The layout files an operator means by a path: of a directory those of its layouts, else the file itself, whether it is there or not.
  ///
  /// - Throws: a sentence for the operator where a directory holds none.
  package static func files(at path: String) throws(LayoutFolderError) -> [String] {
    guard let handle = opendir(path) else { return [path] }
    closedir(handle)
    let files = try LayoutFolder(directory: path).filesByLayout().values.sorted()
    guard !files.isEmpty else { throw LayoutFolderError(.missing, "\(path) holds no layout: put a NAME.json there") }
    return files.map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
  }

  /// Reads all files. A faulty one is told of and left out, so that one slip does not keep the server from starting.
  ///
  /// - Parameter report: gets `FILE:LINE:COLUMN: message` for each fault.
  package func loadAll(report: (String) -> Void) throws(LayoutFolderError) {
    let found = try filesByLayout()
    for (_, change) in look(at: Set(found.keys), among: found) {
      if case .faulty(let faults) = change { for fault in faults { report(fault) } }
    }
    if library.names.isEmpty {
      throw LayoutFolderError(.missing, "\(directory) holds no usable layout: put at least one NAME.json there")
    }
  }

  /// The text of a layout as it stands in its file now, faulty or not; nil where there is none.
  package func text(of name: String) -> [UInt8]? {
    guard let file = (try? filesByLayout())?[name] else { return nil }
    return try? Self.read("\(directory)/\(file)")
  }

  /// The layouts whose files cannot be used as they are now, sorted.
  package var faultyNames: [String] {
    texts.withLock { texts in texts.filter { !$0.value.isUsable }.keys.sorted() }
  }

  /// Whether layouts can be saved here.
  package var isWritable: Bool { access(directory, W_OK | X_OK) == 0 }

  /// The bytes of a file of at most a megabyte.
  package static func read(_ path: String) throws(LayoutFolderError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw LayoutFolderError(.missing, "\(path): \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Glibc.read(descriptor, &part, part.count)
      guard count >= 0 else { throw LayoutFolderError(.unusable, "\(path): \(String(cString: strerror(errno)))") }
      if count == 0 { return bytes }
      bytes += part.prefix(count)
      guard bytes.count <= bytesMax else { throw LayoutFolderError(.unusable, "\(path): larger than a megabyte") }
    }
  }

  /// Whether there is an image of that path, for layouts that name it.
  package func hasImage(_ path: String) -> Bool { images(CompositingWarnings()).contains(ImageReference(.layouts, path)) }

  /// What a layout is drawn with here: its images are loaded while one waits.
  package func resources(_ warnings: CompositingWarnings = CompositingWarnings()) -> CanvasResources {
    CanvasResources(images: images(warnings), warnings: warnings)
  }

  private func images(_ warnings: CompositingWarnings) -> ImageLibrary {
    ImageLibrary(layouts: directory, execution: .inPlace, warnings: warnings)
  }

  // MARK: Changes

  /// Looks at all files again.
  ///
  /// - Returns: what changed since the last look, by name.
  package func lookAtAll() -> [(name: String, change: Change)] {
    guard let found = try? filesByLayout() else { return [] }
    let known = texts.withLock { Set($0.keys) }
    return look(at: known.union(found.keys), among: found)
  }

  /// Looks at the files of these layouts again.
  package func look(at names: Set<String>) -> [(name: String, change: Change)] {
    guard !names.isEmpty, let found = try? filesByLayout() else { return [] }
    return look(at: names, among: found)
  }

  private func look(at names: Set<String>, among found: [String: String]) -> [(name: String, change: Change)] {
    texts.withLock { texts in
      names.sorted().compactMap { name in look(at: name, found[name], &texts).map { (name, $0) } }
    }
  }

  private func look(at name: String, _ file: String?, _ texts: inout [String: Text]) -> Change? {
    guard let file else { return texts.removeValue(forKey: name) == nil ? nil : .deleted }
    let path = "\(directory)/\(file)"
    do throws(LayoutFolderError) {
      let bytes = try Self.read(path)
      guard texts[name]?.bytes != bytes else { return nil }
      texts[name] = Text(bytes: bytes, isUsable: false)
      do throws(LayoutFaults) {
        try library.load(name, source: String(decoding: bytes, as: UTF8.self))
        texts[name]?.isUsable = true
        return .read
      } catch {
        return .faulty(error.faults.map { "\(path):\($0)" })
      }
    } catch {
      return .faulty([error.description])
    }
  }

  // MARK: Writing

  /// Puts a text into the file of a layout, whole or not at all, and into the library.
  ///
  /// - Parameter mayReplace: decides over the text that is there, nil where there is none; nothing can come between.
  /// - Returns: whether the layout is new, and what changed.
  package func save(
    _ name: String, _ bytes: [UInt8], mayReplace: ([UInt8]?) -> Bool
  ) throws(LayoutFolderError) -> (isNew: Bool, change: Change?) {
    guard LayoutFileNames.layout(of: name + ".json") == name, !name.hasPrefix(".") else {
      throw LayoutFolderError(
        .unusable, "A layout is named by 1 to 64 of A-Z a-z 0-9 . _ -, does not begin with a dot and is not 'schema'.")
    }
    let result = texts.withLock { texts -> Result<(isNew: Bool, change: Change?), LayoutFolderError> in
      do throws(LayoutFolderError) { return .success(try write(name, bytes, mayReplace, &texts)) } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private func write(
    _ name: String, _ bytes: [UInt8], _ mayReplace: ([UInt8]?) -> Bool, _ texts: inout [String: Text]
  ) throws(LayoutFolderError) -> (isNew: Bool, change: Change?) {
    let found = try filesByLayout()
    let old = found[name]
    guard mayReplace(old.flatMap { try? Self.read("\(directory)/\($0)") }) else {
      throw LayoutFolderError(.stale, "The layout was changed by somebody else meanwhile: read it again before you save it.")
    }
    guard old != nil || found.count < Self.layoutsMax else {
      throw LayoutFolderError(.unusable, "There are \(found.count) layouts already; delete some before you make new ones.")
    }
    let file = old ?? name + ".json"
    try ReplacedFile.write(bytes, directory: directory, file: file)
    return (old == nil, look(at: name, file, &texts))
  }
}

extension LayoutFolder {
  /// Takes the file of a layout away.
  ///
  /// - Parameter mayDelete: decides over the text that is there; nothing can come between.
  /// - Returns: what changed; nil where nothing had been read of it.
  package func delete(_ name: String, mayDelete: ([UInt8]) -> Bool) throws(LayoutFolderError) -> Change? {
    let result = texts.withLock { texts -> Result<Change?, LayoutFolderError> in
      do throws(LayoutFolderError) {
        guard let file = try filesByLayout()[name] else {
          throw LayoutFolderError(.missing, "There is no file of the layout '\(name)'.")
        }
        guard mayDelete(try Self.read("\(directory)/\(file)")) else {
          throw LayoutFolderError(
            .stale, "The layout was changed by somebody else meanwhile: read it again before you delete it.")
        }
        try ReplacedFile.delete(directory: directory, file: file)
        // A file of the same name with the other ending may have stood behind it.
        return .success(look(at: name, try filesByLayout()[name], &texts))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}

/// Why a layout file cannot be had or written: a sentence for who asked.
package struct LayoutFolderError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Kind: Sendable {
    case missing
    /// Of a name, a size or a number that is not taken.
    case unusable
    /// The file is not what the author saw.
    case stale
    /// The system does not let it be written.
    case unwritable
  }
  package let kind: Kind
  package let description: String

  package init(_ kind: Kind, _ description: String) { (self.kind, self.description) = (kind, description) }
}
