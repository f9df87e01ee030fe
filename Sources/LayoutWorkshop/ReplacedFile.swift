import Glibc

/// Writes a file so that readers see the old one or the new one, whatever fails between.
///
///     NAME.tmp ─write, fsync─▶ rename over NAME ─▶ fsync of the directory
enum ReplacedFile {
  static func write(_ bytes: [UInt8], directory: String, file: String) throws(LayoutFolderError) {
    let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw failure(directory) }
    defer { close(folder) }
    // One writer at a time holds the lock of the folder; what is left here is of a server that was killed.
    let temporary = ".\(file).tmp"
    unlinkat(folder, temporary, 0)
    do throws(LayoutFolderError) {
      try fill(folder, temporary, bytes, mode: mode(folder, file))
      guard renameat(folder, temporary, folder, file) == 0 else { throw failure("\(directory)/\(file)") }
    } catch {
      unlinkat(folder, temporary, 0)
      throw error
    }
    fsync(folder)
  }

  static func delete(directory: String, file: String) throws(LayoutFolderError) {
    guard unlink("\(directory)/\(file)") == 0 else {
      throw LayoutFolderError(
        .unwritable,
        "\(directory)/\(file) cannot be deleted: \(String(cString: strerror(errno))). Let the server's user write into the "
          + "directory of layouts, or delete the file there by hand.")
    }
  }

  private static func fill(_ folder: Int32, _ name: String, _ bytes: [UInt8], mode: mode_t) throws(LayoutFolderError) {
    let descriptor = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw failure(name) }
    defer { close(descriptor) }
    fchmod(descriptor, mode)
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, $0.count - written) }
      guard count > 0 else { throw failure(name) }
      written += count
    }
    guard fsync(descriptor) == 0 else { throw failure(name) }
  }

  /// The new file may be read by whoever could read the old one.
  private static func mode(_ folder: Int32, _ file: String) -> mode_t {
    var status = stat()
    return fstatat(folder, file, &status, 0) == 0 ? status.st_mode & 0o777 : 0o644
  }

  private static func failure(_ path: String) -> LayoutFolderError {
    LayoutFolderError(
      .unwritable,
      "\(path) cannot be written: \(String(cString: strerror(errno))). Let the server's user write into the directory of layouts, "
        + "or save the file there by hand.")
  }
}
