import Compositing
import JSON5
import Layouts

/// What there is to say of a layout's text: its faults, advice, and where it puts people.
package struct LayoutCheck: Sendable {
  /// In the order of the text, `faultsMax` at most.
  package let faults: [LayoutFault]
  package let notes: [LayoutFault]
  /// Nil where the text is no layout.
  package let arrangement: Arrangement?

  /// A variant in use.
  package struct Arrangement: Sendable {
    /// From 0, of so many.
    package let variant: Int
    package let variantCount: Int
    /// Where it stands in the text.
    package let position: SourcePosition
    /// Farthest first, with where each slot stands in the text.
    package let tiles: [(tile: Tile, position: SourcePosition)]
    /// What the layout asks people for, in the order of the text: roles, and keys of reserved slots.
    package let roles: [String]
    package let keys: [String]
  }

  package static let faultsMax = 100

  /// - Parameter hasImage: whether there is a file of that path below the layout's folder.
  package init(_ text: [UInt8], name: String, _ canvas: PreviewCanvas, hasImage: (String) -> Bool) {
    let review = LayoutReview(text, name: name, sizes: [(canvas.width, canvas.height)], hasImage: hasImage)
    faults = Array(review.faults.prefix(Self.faultsMax))
    notes = Array(review.notes.prefix(Self.faultsMax))
    arrangement = Arrangement(text, name: name, canvas)
  }
}

extension LayoutCheck.Arrangement {
  fileprivate init?(_ text: [UInt8], name: String, _ canvas: PreviewCanvas) {
    guard let value = try? JSONValue(parsing: text), let template = try? LayoutTemplate(value, name: name) else { return nil }
    let preview = LayoutPreview(template, canvas.people, width: canvas.width, height: canvas.height)
    let places = LayoutPlaces(value)
    variant = preview.variant
    variantCount = template.variants.count
    position = places.variant(preview.variant)
    tiles = preview.tiles.map { ($0, places.slot($0.slot, of: preview.variant)) }
    (roles, keys) = Self.wishes(template)
  }

  private static func wishes(_ template: LayoutTemplate) -> (roles: [String], keys: [String]) {
    var (roles, keys): ([String], [String]) = ([], [])
    func note(_ word: String, in list: inout [String]) { if !list.contains(word), list.count < 20 { list.append(word) } }
    for variant in template.variants {
      for condition in variant.conditions {
        switch condition.subject {
        case .role(let role): note(role, in: &roles)
        case .reserved(let key): note(key, in: &keys)
        default: break
        }
      }
      for slot in variant.slots {
        switch slot.source {
        case .role(let role): note(role, in: &roles)
        case .reserved(let key): note(key, in: &keys)
        default: break
        }
      }
    }
    return (roles, keys)
  }
}
