import CLinux
import Configuration
import Glibc

/// Follows the directory of layouts while the server runs.
///
/// A file that was written is read at once. One that is gone is looked for again after a moment, since editors rename a file away
/// before they write it anew. What cannot be followed is said; what was read last stays.
struct LayoutWatcher {
  /// What became of a layout.
  enum Change {
    case read
    /// Cannot be used; what stood under its name stays.
    case faulty([String])
    /// There is no file of it any more.
    case deleted
  }

  let files: LayoutFiles
  /// Told of what the operator should know.
  let report: (String) -> Void
  /// Called for one layout after the other.
  let changed: (String, Change) -> Void
  /// What was read last of each layout, so that nobody is told of what did not change.
  private var texts: [String: [UInt8]]

  /// How long a file may be missing before it counts as deleted.
  private static let settlingMicroseconds: useconds_t = 100_000
  private static let retrySeconds: UInt32 = 1

  /// - Parameter texts: what was read at the start.
  init(
    _ files: LayoutFiles, texts: [String: [UInt8]], report: @escaping (String) -> Void,
    changed: @escaping (String, Change) -> Void
  ) {
    (self.files, self.texts, self.report, self.changed) = (files, texts, report, changed)
  }

  /// Blocks as long as the server runs; for a thread of its own.
  mutating func run() {
    var isMissing = false
    while true {
      let watcher = inotify_init1(Int32(IN_CLOEXEC))
      guard watcher >= 0 else { return report("changes of layouts are not seen: inotify: \(String(cString: strerror(errno)))") }
      defer { close(watcher) }
      guard inotify_add_watch(watcher, files.directory, DirectoryChanges.watched) >= 0 else {
        if !isMissing {
          report("layouts at \(files.directory) are not followed until it can be: \(String(cString: strerror(errno)))")
        }
        isMissing = true
        sleep(Self.retrySeconds)
        continue
      }
      if isMissing { report("layouts at \(files.directory) are followed again") }
      isMissing = false
      // What changed before the watch was there.
      lookAtAll()
      guard follow(watcher) else { return }
    }
  }

  /// - Returns: false where nothing more can be followed; true where the directory has to be found anew.
  private mutating func follow(_ watcher: Int32) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while true {
      var changes = DirectoryChanges()
      guard Self.read(watcher, &buffer, into: &changes) else {
        report("changes of layouts are not seen any more: \(String(cString: strerror(errno)))")
        return false
      }
      if !changes.removed.isEmpty || changes.isGone {
        lookAt(changes.written)
        usleep(Self.settlingMicroseconds)
      }
      if changes.isGone { return true }
      if changes.isUnclear { lookAtAll() } else { lookAt(changes.written.union(changes.removed)) }
    }
  }

  private static func read(_ watcher: Int32, _ buffer: inout [UInt8], into changes: inout DirectoryChanges) -> Bool {
    while true {
      let count = Glibc.read(watcher, &buffer, buffer.count)
      if count > 0 {
        changes.take(inotifyEvents: buffer[..<count])
        return true
      }
      guard count < 0, errno == EINTR else { return false }
    }
  }

  private mutating func lookAtAll() {
    guard let found = try? files.filesByLayout() else { return }
    look(at: Set(found.keys).union(texts.keys), among: found)
  }

  private mutating func lookAt(_ names: Set<String>) {
    let layouts = Set(names.compactMap(LayoutFileNames.layout))
    guard !layouts.isEmpty, let found = try? files.filesByLayout() else { return }
    look(at: layouts, among: found)
  }

  private mutating func look(at names: Set<String>, among found: [String: String]) {
    for name in names.sorted() {
      guard let file = found[name] else {
        if texts.removeValue(forKey: name) != nil { changed(name, .deleted) }
        continue
      }
      let path = "\(files.directory)/\(file)"
      do {
        let bytes = try readWholeFile(path)
        guard texts[name] != bytes else { continue }
        texts[name] = bytes
        let faults = files.load(name, path, bytes)
        changed(name, faults.isEmpty ? .read : .faulty(faults))
      } catch {
        changed(name, .faulty(error.faults))
      }
    }
  }
}
