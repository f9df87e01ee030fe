import Dispatch
import ImageFiles
import Layouts
import PixelKernels
import Synchronization

/// An image that a layout or a participant names.
package struct ImageReference: Hashable, Sendable {
  package enum Folder: Sendable {
    case layouts
    case avatars
    /// No folder: what people sent, kept in memory.
    case uploads
  }
  package var folder: Folder
  /// Of a file below the folder, or the name an upload was kept under.
  package var path: String

  package init(_ folder: Folder, _ path: String) { (self.folder, self.path) = (folder, path) }
}

/// Images of files, decoded and scaled on a queue of its own, kept for every canvas.
///
///     tick ─image(…)─▶ kept at this size? ─no─▶ queue: read, decode, scale ─▶ kept: the next tick shows it
///
/// Until an image is there, and where it cannot be used, the tile shows its fallback. One for the whole process.
package final class ImageLibrary: Sendable {
  package enum Execution: Sendable {
    case ownQueue
    /// In the caller's thread: for previews and tests.
    case inPlace
  }

  /// An image at one size.
  struct Key: Hashable, Sendable {
    var reference: ImageReference
    var width: Int
    var height: Int
    var fit: LayoutFit
    /// Whether only an ellipse of it is seen.
    var isRound: Bool
  }

  enum Answer {
    case ready(Overlay, isOpaque: Bool)
    case loading
    case missing
  }

  private struct File {
    /// Nil where it cannot be used.
    var image: DecodedImage?
    var stamp: ImageFolder.Stamp?
    var lastUse = 0
  }
  private struct State {
    var files: [ImageReference: File] = [:]
    var scaled: [Key: (image: ScaledImage?, lastUse: Int)] = [:]
    var pending: Set<Key> = []
    var uploads: [String: [UInt8]] = [:]
    var uses = 0
  }
  private let state = Mutex(State())
  private let revisions = Atomic<Int>(0)
  private let folders: [ImageReference.Folder: ImageFolder]
  private let limits: ImageLimits
  private let warnings: CompositingWarnings
  private let queue: DispatchQueue?

  /// What decoded files and scaled images may take, each; oldest use goes first.
  private static let bytesMax = 128 << 20
  /// What uploads may take together.
  private static let uploadBytesMax = 64 << 20
  /// Images that may wait to be loaded; for others it is asked again.
  private static let pendingMax = 64

  /// - Parameters: layouts, avatars: paths of folders; nil where there are no such images.
  package init(
    layouts: String?, avatars: String? = nil, execution: Execution = .ownQueue, limits: ImageLimits = ImageLimits(),
    warnings: CompositingWarnings = CompositingWarnings()
  ) {
    var folders: [ImageReference.Folder: ImageFolder] = [:]
    folders[.layouts] = layouts.map(ImageFolder.init)
    folders[.avatars] = avatars.map(ImageFolder.init)
    (self.folders, self.limits, self.warnings) = (folders, limits, warnings)
    queue = execution == .ownQueue ? DispatchQueue(label: "tutti-images", qos: .utility) : nil
  }

  /// Whether there is a file of that name. Looks at its folder, and not into the file.
  package func contains(_ reference: ImageReference) -> Bool {
    folders[reference.folder]?.stamp(reference.path) != nil
  }

  /// Keeps an image in memory until it is discarded. Decodes it once to see that it is one, which is no work for an actor.
  package func keep(_ bytes: [UInt8], as name: String) throws(ImageFileError) {
    guard bytes.count <= limits.bytesMax else {
      throw ImageFileError(.tooLarge, "The image has \(bytes.count) bytes; at most \(limits.bytesMax) are taken.")
    }
    _ = try DecodedImage(decoding: bytes, name: "what was sent", limits: limits)
    let hasRoom = state.withLock { state in
      let others = state.uploads.reduce(0) { $0 + ($1.key == name ? 0 : $1.value.count) }
      guard others + bytes.count <= Self.uploadBytesMax else { return false }
      state.uploads[name] = bytes
      return true
    }
    guard hasRoom else {
      throw ImageFileError(.tooLarge, "The server has no room for more images; those in its directory of avatars need none.")
    }
  }

  /// Forgets an image that was kept.
  package func discard(_ name: String) {
    let reference = ImageReference(.uploads, name)
    state.withLock { state in
      state.uploads[name] = nil
      state.files[reference] = nil
      state.scaled = state.scaled.filter { $0.key.reference != reference }
    }
  }

  /// An image as it was written; reads its file.
  package func bytes(of reference: ImageReference) throws(ImageFileError) -> [UInt8] {
    if reference.folder == .uploads {
      guard let bytes = state.withLock({ $0.uploads[reference.path] }) else {
        throw ImageFileError(.missing, "The image was taken away.")
      }
      return bytes
    }
    guard let folder = folders[reference.folder] else {
      throw ImageFileError(.missing, "'\(reference.path)' cannot be shown: there is no folder of such images.")
    }
    return try folder.read(reference.path, bytesMax: limits.bytesMax).bytes
  }

  /// Counts the images that were loaded anew since their files changed: whoever keeps one asks again when this changed.
  var revision: Int { revisions.load(ordering: .acquiring) }

  /// An image at a size, if it is there; else it is being loaded afterwards.
  func image(_ key: Key) -> Answer {
    let (answer, isNew) = state.withLock { state -> (Answer, Bool) in
      state.uses &+= 1
      if let found = state.scaled[key] {
        state.scaled[key]?.lastUse = state.uses
        return (found.image.map { .ready($0.overlay, isOpaque: $0.isOpaque) } ?? .missing, false)
      }
      guard state.pending.count < Self.pendingMax else { return (.loading, false) }
      return (.loading, state.pending.insert(key).inserted)
    }
    guard isNew else { return answer }
    if let queue {
      queue.async { [self] in load(key) }
      return .loading
    }
    load(key)
    return image(key)
  }

  /// Looks at all files again and loads those that changed; what is shown stays until the new one is there.
  package func refresh() {
    guard let queue else { return refreshNow() }
    queue.async { [self] in refreshNow() }
  }

  /// Returns once everything asked for so far is there; for tools and tests.
  package func waitUntilLoaded() { queue?.sync {} }

  // MARK: On the queue

  private func refreshNow() {
    warnings.forgetImages()
    let (files, keys) = state.withLock { ($0.files, Array($0.scaled.keys)) }
    for (reference, file) in files where reference.folder != .uploads {
      let stamp = folders[reference.folder]?.stamp(reference.path)
      if stamp == file.stamp, stamp != nil || file.image == nil { continue }
      state.withLock { $0.files[reference] = nil }
      for key in keys where key.reference == reference { load(key) }
      revisions.add(1, ordering: .releasing)
    }
  }

  private func load(_ key: Key) {
    let image = decoded(key.reference).map { ScaledImage($0, key) }
    state.withLock { state in
      state.uses &+= 1
      state.scaled[key] = (image, state.uses)
      state.pending.remove(key)
      Self.evict(&state)
    }
  }

  private func decoded(_ reference: ImageReference) -> DecodedImage? {
    if let file = state.withLock({ $0.files[reference] }) { return file.image }
    var file = File()
    file.stamp = folders[reference.folder]?.stamp(reference.path)
    do throws(ImageFileError) {
      file.image = try DecodedImage(decoding: try bytes(of: reference), name: reference.path, limits: limits)
    } catch {
      // An upload was seen to be an image; it can only be gone, with whom it stood for.
      if reference.folder != .uploads { warnings.tell(.image(error.description)) }
    }
    state.withLock { state in
      file.lastUse = state.uses
      state.files[reference] = file
    }
    return file.image
  }

  private static func evict(_ state: inout State) {
    var bytes = state.scaled.values.reduce(0) { $0 + ($1.image?.overlay.byteCount ?? 0) + 300 }
    for (key, entry) in state.scaled.sorted(by: { $0.value.lastUse < $1.value.lastUse }) where bytes > bytesMax {
      bytes -= (entry.image?.overlay.byteCount ?? 0) + 300
      state.scaled[key] = nil
    }
    bytes = state.files.values.reduce(0) { $0 + ($1.image?.pixels.count ?? 0) + 300 }
    for (reference, file) in state.files.sorted(by: { $0.value.lastUse < $1.value.lastUse }) where bytes > bytesMax {
      bytes -= (file.image?.pixels.count ?? 0) + 300
      state.files[reference] = nil
    }
  }
}
