import CLinux
import Glibc

/// Follows the directory of layouts while the server runs.
///
/// A file that was written is read at once. One that is gone is looked for again after a moment, since editors rename a file away
/// before they write it anew. What cannot be followed is said; what was read last stays.
package struct LayoutWatcher {
  private let folder: LayoutFolder
  /// Told of what the operator should know.
  private let report: (String) -> Void
  /// Called for one layout after the other.
  private let changed: (String, LayoutFolder.Change) -> Void

  /// How long a file may be missing before it counts as deleted.
  private static let settlingMicroseconds: useconds_t = 100_000
  private static let retrySeconds: UInt32 = 1

  package init(
    _ folder: LayoutFolder, report: @escaping (String) -> Void, changed: @escaping (String, LayoutFolder.Change) -> Void
  ) {
    (self.folder, self.report, self.changed) = (folder, report, changed)
  }

  /// Blocks as long as the server runs; for a thread of its own.
  package func run() {
    var isMissing = false
    while true {
      let watcher = inotify_init1(Int32(IN_CLOEXEC))
      guard watcher >= 0 else { return report("changes of layouts are not seen: inotify: \(String(cString: strerror(errno)))") }
      defer { close(watcher) }
      guard inotify_add_watch(watcher, folder.directory, DirectoryChanges.watched) >= 0 else {
        if !isMissing {
          report("layouts at \(folder.directory) are not followed until it can be: \(String(cString: strerror(errno)))")
        }
        isMissing = true
        sleep(Self.retrySeconds)
        continue
      }
      if isMissing { report("layouts at \(folder.directory) are followed again") }
      isMissing = false
      // What changed before the watch was there.
      lookAtAll()
      guard follow(watcher) else { return }
    }
  }

  /// - Returns: false where nothing more can be followed; true where the directory has to be found anew.
  private func follow(_ watcher: Int32) -> Bool {
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

  private func lookAtAll() { tell(folder.lookAtAll()) }

  private func lookAt(_ files: Set<String>) { tell(folder.look(at: Set(files.compactMap(LayoutFileNames.layout)))) }

  private func tell(_ changes: [(name: String, change: LayoutFolder.Change)]) {
    for (name, change) in changes { changed(name, change) }
  }
}
