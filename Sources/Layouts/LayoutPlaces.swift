import JSON5

/// Where the variants and slots of a layout's file stand in its text.
package struct LayoutPlaces: Sendable {
  private let value: JSONValue

  /// - Parameter value: the text of a layout that has been decoded.
  package init(_ value: JSONValue) { self.value = value }

  private var variants: [JSONValue] { value["variants"]?.array ?? [] }

  package func variant(_ index: Int) -> SourcePosition {
    variants.indices.contains(index) ? variants[index].position : value.position
  }

  /// Those of a grid stand where their grid stands.
  package func slot(_ index: Int, of variant: Int) -> SourcePosition {
    guard variants.indices.contains(variant) else { return value.position }
    let slots = variants[variant]["slots"]?.array ?? []
    if slots.indices.contains(index) { return slots[index].position }
    return variants[variant]["grid"]?.position ?? variants[variant].position
  }
}
