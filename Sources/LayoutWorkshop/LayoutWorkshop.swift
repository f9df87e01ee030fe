import Compositing
import Conference
import Layouts
import Synchronization

/// What authors of layouts do over HTTP: list, read, check, look at and save. Reads and writes one directory; knows no room.
///
///     request ─▶ kept preview? ─no─▶ patient thread: check, compose, encode ─▶ answer
///     save ─▶ patient thread: check, write, take into the library ─▶ rooms are told ─▶ answer
///
/// Everything that takes time is done on one thread of low priority with a bounded queue, so that media does not feel it.
package final class LayoutWorkshop: Sendable {
  package let folder: LayoutFolder
  private let resources: CanvasResources
  private let thread = PatientThread()
  private let previews = Mutex(KeptPreviews())
  /// Tells the rooms.
  private let changed: @Sendable (String, LayoutFolder.Change) async -> Void

  /// - Parameter changed: called with what became of a layout that was saved; the answer waits for it.
  package init(_ folder: LayoutFolder, changed: @escaping @Sendable (String, LayoutFolder.Change) async -> Void) {
    (self.folder, self.changed) = (folder, changed)
    resources = folder.resources()
  }

  // MARK: Reading

  /// Names of the layouts that can be chosen, sorted.
  package var names: [String] { folder.library.names }

  /// A layout as its author wrote it: its file, else what was read last of it.
  package func source(_ name: String) throws(WorkshopRefusal) -> [UInt8] {
    if let text = folder.text(of: name) { return text }
    guard let source = folder.library.source(name) else { throw .noLayout(name) }
    return Array(source.utf8)
  }

  // MARK: Checking and drawing

  /// What there is to say of a text, and where everybody would be.
  package func check(_ text: [UInt8], name: String, _ canvas: PreviewCanvas) async throws(WorkshopRefusal) -> LayoutCheck {
    try await work { [folder] in LayoutCheck(text, name: name, canvas, hasImage: folder.hasImage) }
  }

  /// The preview of a layout that can be chosen.
  package func preview(_ name: String, _ canvas: PreviewCanvas) async throws(WorkshopRefusal) -> [UInt8] {
    guard let template = folder.library.template(name) else { throw .noLayout(name) }
    let key = KeptPreviews.Key(template: template, canvas: canvas)
    if let kept = previews.withLock({ $0.take(key) }) { return kept }
    let bytes = try await draw(template, canvas)
    // Images may change without the layout.
    if !template.namesImages { previews.withLock { $0.keep(bytes, key) } }
    return bytes
  }

  /// The preview of a text that is not saved.
  package func preview(_ text: [UInt8], name: String, _ canvas: PreviewCanvas) async throws(WorkshopRefusal) -> [UInt8] {
    let template: LayoutTemplate
    do throws(LayoutFaults) { template = try LayoutTemplate(parsing: text, name: name) } catch { throw .faulty(error.faults) }
    return try await draw(template, canvas)
  }

  private func draw(_ template: LayoutTemplate, _ canvas: PreviewCanvas) async throws(WorkshopRefusal) -> [UInt8] {
    try await work { [resources] in
      resources.images?.refresh()
      return canvas.draw(template, resources.ofAnotherRoom())
    }
  }

  private func work<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async throws(WorkshopRefusal) -> Result {
    do throws(PatientThread.Busy) { return try await thread.run(body) } catch { throw .busy }
  }

  // MARK: Saving

  /// Puts a text into the file of a layout, and into the rooms that use it.
  ///
  /// - Parameter mayReplace: decides over the text that is there, nil where there is none.
  /// - Returns: whether the layout is new.
  package func save(
    _ name: String, _ text: [UInt8], mayReplace: @escaping @Sendable ([UInt8]?) -> Bool
  ) async throws(WorkshopRefusal) -> Bool {
    do throws(LayoutFaults) { _ = try LayoutTemplate(parsing: text, name: name) } catch { throw .faulty(error.faults) }
    let result = try await work { [folder] in
      do throws(LayoutFolderError) {
        return Result<_, LayoutFolderError>.success(try folder.save(name, text, mayReplace: mayReplace))
      } catch { return .failure(error) }
    }
    switch result {
    case .success(let saved):
      if let change = saved.change { await changed(name, change) }
      return saved.isNew
    case .failure(let error): throw .folder(error)
    }
  }
}

extension LayoutWorkshop {
  /// Takes a layout's file away, and the layout out of what can be chosen.
  ///
  /// - Parameter mayDelete: decides over the text that is there.
  package func delete(
    _ name: String, mayDelete: @escaping @Sendable ([UInt8]) -> Bool
  ) async throws(WorkshopRefusal) {
    let result = try await work { [folder] in
      do throws(LayoutFolderError) {
        return Result<_, LayoutFolderError>.success(try folder.delete(name, mayDelete: mayDelete))
      } catch { return .failure(error) }
    }
    switch result {
    case .success(let change): if let change { await changed(name, change) }
    case .failure(let error): throw error.kind == .missing ? .noLayout(name) : .folder(error)
    }
  }
}

/// Why an author's request cannot be followed.
package enum WorkshopRefusal: Error, Sendable {
  case noLayout(String)
  case faulty([LayoutFault])
  case folder(LayoutFolderError)
  /// Too much waits already.
  case busy
}

/// The last previews of layouts that can be chosen: the page asks for those of all layouts whenever somebody joins.
private struct KeptPreviews {
  struct Key: Equatable {
    var template: LayoutTemplate
    var canvas: PreviewCanvas
  }
  private var entries: [(key: Key, bytes: [UInt8])] = []
  private static let countMax = 48
  /// A thumbnail has a few thousand.
  private static let bytesMax = 64 * 1024

  mutating func take(_ key: Key) -> [UInt8]? {
    guard let index = entries.firstIndex(where: { $0.key == key }) else { return nil }
    let entry = entries.remove(at: index)
    entries.append(entry)
    return entry.bytes
  }

  mutating func keep(_ bytes: [UInt8], _ key: Key) {
    guard bytes.count <= Self.bytesMax, !entries.contains(where: { $0.key == key }) else { return }
    if entries.count >= Self.countMax { entries.removeFirst() }
    entries.append((key, bytes))
  }
}

extension LayoutTemplate {
  fileprivate var namesImages: Bool {
    background.image != nil || foregroundImage != nil
      || variants.contains { variant in
        variant.slots.contains { slot in
          if case .image = slot.source { true } else { slot.style.placeholder.image != nil }
        }
      }
  }
}
