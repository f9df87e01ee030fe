import Glibc

/// A folder whose files may be named by strangers: nothing outside of it is ever opened.
package struct ImageFolder: Sendable {
  package let path: String

  package init(_ path: String) { self.path = path }

  /// What changes when a file is written anew.
  package struct Stamp: Equatable, Sendable {
    var bytes: Int64
    var seconds: Int
    var nanoseconds: Int
    var inode: UInt64
  }

  /// Components of visible characters, none of them hidden, empty, or a way out.
  package static func isPlainPath(_ path: String) -> Bool {
    (1...255).contains(path.utf8.count) && path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }
      && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") }
  }

  /// What a file looks like now; nil where there is none.
  package func stamp(_ name: String) -> Stamp? {
    guard Self.isPlainPath(name) else { return nil }
    var status = Glibc.stat()
    guard lstat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Stamp(status)
  }

  /// A file's bytes. A link in the place of the file is not followed, since it may lead out of the folder; a pipe is not waited for.
  package func read(_ name: String, bytesMax: Int) throws(ImageFileError) -> (bytes: [UInt8], stamp: Stamp) {
    guard Self.isPlainPath(name) else {
      throw ImageFileError(.missing, "An image is the plain name of a file below its folder.")
    }
    let descriptor = open("\(path)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { throw ImageFileError(.missing, "There is no image '\(name)'.") }
    defer { close(descriptor) }
    var status = Glibc.stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw ImageFileError(.unusable, "'\(name)' is no file.")
    }
    guard Int(status.st_size) <= bytesMax else {
      throw ImageFileError(.tooLarge, "'\(name)' has \(status.st_size) bytes; at most \(bytesMax) are read.")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
      let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled) }
      guard count > 0 else { break }
      filled += count
    }
    guard filled == bytes.count else { throw ImageFileError(.unusable, "'\(name)' cannot be read to its end.") }
    return (bytes, Stamp(status))
  }
}

extension ImageFolder.Stamp {
  fileprivate init(_ status: stat) {
    self.init(
      bytes: Int64(status.st_size), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec,
      inode: UInt64(status.st_ino))
  }
}
