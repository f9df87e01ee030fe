/// What a block of `inotify_event`s says about a directory of files.
package struct DirectoryChanges: Equatable, Sendable {
  /// Files that were written or put there.
  package var written: Set<String> = []
  /// Files that were deleted or renamed away; editors do so for a moment when they save.
  package var removed: Set<String> = []
  /// Events were lost, or files changed in a way that names none: all have to be looked at.
  package var isUnclear = false
  /// The directory itself was deleted, renamed or unmounted, and is watched no more.
  package var isGone = false

  package init() {}

  package var isEmpty: Bool { self == DirectoryChanges() }

  /// Adds a block as `read` gives it: 16 bytes of header each, the last four of which count the bytes of the name that follows,
  /// filled up with zeros. What is cut off is left out.
  package mutating func take(inotifyEvents events: ArraySlice<UInt8>) {
    var rest = events
    while rest.count >= 16 {
      let mask = Self.number(rest.dropFirst(4).prefix(4))
      let length = Int(Self.number(rest.dropFirst(12).prefix(4)))
      let name = rest.dropFirst(16).prefix(length)
      guard name.count == length else { return }
      take(mask: mask, name: String(decoding: name.prefix { $0 != 0 }, as: UTF8.self))
      rest = rest.dropFirst(16 + length)
    }
  }

  private mutating func take(mask: UInt32, name: String) {
    if mask & Self.queueOverflowed != 0 { isUnclear = true }
    if mask & (Self.unmounted | Self.deletedSelf | Self.movedSelf | Self.ignored) != 0 { isGone = true }
    // Kubernetes changes all files of a volume at once by turning the link `..data`.
    if name.hasPrefix("..") { isUnclear = true }
    guard !name.isEmpty, !name.hasPrefix("..") else { return }
    if mask & (Self.closedAfterWriting | Self.movedTo) != 0 { written.insert(name) }
    if mask & (Self.deleted | Self.movedFrom) != 0 { removed.insert(name) }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) } }

  // From linux/inotify.h.
  private static let closedAfterWriting: UInt32 = 0x8
  private static let movedFrom: UInt32 = 0x40
  private static let movedTo: UInt32 = 0x80
  private static let deleted: UInt32 = 0x200
  private static let deletedSelf: UInt32 = 0x400
  private static let movedSelf: UInt32 = 0x800
  private static let unmounted: UInt32 = 0x2000
  private static let queueOverflowed: UInt32 = 0x4000
  private static let ignored: UInt32 = 0x8000
  /// The events to watch a directory for.
  package static let watched: UInt32 = closedAfterWriting | movedFrom | movedTo | deleted | deletedSelf | movedSelf
}
