import Layouts
import Synchronization

/// The layouts that can be chosen, by name: templates and the text they came from.
///
/// Reading files is the caller's; a text that does not parse changes nothing, and the last good one stays.
package final class LayoutLibrary: Sendable {
  private struct Entry {
    var template: LayoutTemplate
    var source: String
  }
  private let entries = Mutex<[String: Entry]>([:])

  package init() {}

  /// Sorted.
  package var names: [String] { entries.withLock { $0.keys.sorted() } }

  /// Takes a layout file in, under the file's name.
  ///
  /// - Throws: every fault of the text.
  package func load(_ name: String, source: String) throws(LayoutFaults) {
    let template = try LayoutTemplate(parsing: Array(source.utf8), name: name)
    entries.withLock { $0[name] = Entry(template: template, source: source) }
  }

  package func remove(_ name: String) { entries.withLock { $0[name] = nil } }

  package func template(_ name: String) -> LayoutTemplate? { entries.withLock { $0[name]?.template } }
  /// The roles that any layout has a slot for.
  var roles: Set<String> {
    entries.withLock { Set($0.values.flatMap(\.template.roles)) }
  }
  /// The text that the template came from.
  package func source(_ name: String) -> String? { entries.withLock { $0[name]?.source } }
}
