import Foundation
import JSON5
import Layouts
import Testing

/// As much of JSON Schema 2020-12 as `Layouts/schema.json` uses; anything else is a failure.
private struct SchemaWalker {
  let root: JSONValue

  /// What is wrong with `value`, each with the place in the schema.
  func complaints(_ value: JSONValue, _ schema: JSONValue, _ path: String = "") -> [String] {
    var found: [String] = []
    for member in schema.members ?? [] where !holds(member, value, schema, path, &found) {
      found.append("\(value.position) \(path): \(member.key)")
    }
    return found
  }

  private func holds(
    _ rule: JSONMember, _ value: JSONValue, _ schema: JSONValue, _ path: String, _ found: inout [String]
  ) -> Bool {
    switch rule.key {
    case "$schema", "$defs", "title", "description": return true
    case "$ref":
      let name = String((rule.value.string ?? "").dropFirst("#/$defs/".count))
      guard let target = root["$defs"]?[name] else { return false }
      found += complaints(value, target, name)
      return true
    case "type": return hasType(value, rule.value.string ?? "")
    case "enum": return (rule.value.array ?? []).contains { isSame($0, value) }
    case "const": return isSame(rule.value, value)
    case "anyOf": return (rule.value.array ?? []).contains { complaints(value, $0, path).isEmpty }
    case "pattern":
      guard let text = value.string, let pattern = rule.value.string, let regex = try? Regex(pattern) else { return false }
      return text.contains(regex)
    case "minimum": return (value.number ?? 0) >= (rule.value.number ?? 0)
    case "maximum": return (value.number ?? 0) <= (rule.value.number ?? 0)
    case "exclusiveMinimum": return (value.number ?? 0) > (rule.value.number ?? 0)
    case "minItems": return (value.array?.count ?? 0) >= (rule.value.integer ?? 0)
    case "maxItems": return (value.array?.count ?? 0) <= (rule.value.integer ?? 0)
    case "minLength": return (value.string?.unicodeScalars.count ?? 0) >= (rule.value.integer ?? 0)
    case "maxLength": return (value.string?.unicodeScalars.count ?? 0) <= (rule.value.integer ?? 0)
    case "required": return (rule.value.array ?? []).allSatisfy { value[$0.string ?? ""] != nil }
    case "properties":
      for member in value.members ?? [] {
        if let inner = rule.value[member.key] { found += complaints(member.value, inner, path + "." + member.key) }
      }
      return true
    case "additionalProperties":
      return (value.members ?? []).allSatisfy { schema["properties"]?[$0.key] != nil }
    case "items":
      for element in value.array ?? [] { found += complaints(element, rule.value, path + "[]") }
      return true
    default: return false
    }
  }

  private func hasType(_ value: JSONValue, _ type: String) -> Bool {
    switch type {
    case "object": value.members != nil
    case "array": value.array != nil
    case "string": value.string != nil
    case "number": value.number != nil
    case "integer": value.integer != nil
    default: false
    }
  }

  private func isSame(_ a: JSONValue, _ b: JSONValue) -> Bool {
    (a.isNull && b.isNull) || (a.string != nil && a.string == b.string) || (a.bool != nil && a.bool == b.bool)
  }
}

@Suite struct SchemaTests {
  private static func json(_ name: String) throws -> JSONValue {
    try JSONValue(parsing: [UInt8](Data(contentsOf: ShippedLayouts.folder.appending(path: "\(name).json"))))
  }

  private func complaints(_ text: String) throws -> [String] {
    let schema = try Self.json("schema")
    return SchemaWalker(root: schema).complaints(try JSONValue(parsing: Array(text.utf8)), schema)
  }

  @Test func schemaAndDecoderKnowTheSameKeys() throws {
    let definitions = try #require(try Self.json("schema")["$defs"]?.members)
    var seen: Set<String> = []
    for definition in definitions {
      guard let properties = definition.value["properties"]?.members else { continue }
      let keys = try #require(layoutKeys[definition.key], "the decoder knows no \(definition.key)")
      #expect(Set(properties.map(\.key)) == Set(keys), "\(definition.key)")
      #expect(definition.value["additionalProperties"]?.bool == false)
      seen.insert(definition.key)
    }
    #expect(seen == Set(layoutKeys.keys))
  }

  @Test(arguments: ShippedLayouts.names)
  func shippedLayoutsFollowTheSchemaAndNameIt(name: String) throws {
    let schema = try Self.json("schema")
    let layout = try Self.json(name)
    #expect(layout["$schema"]?.string == "schema.json")
    #expect(SchemaWalker(root: schema).complaints(layout, schema) == [])
  }

  /// A grid of one slot with other keys beside it.
  private static let samples: [(isRight: Bool, String)] = [
    (true, "self: 'last', transitionMs: 200, rotateSeconds: 2.5, overflow: 'rotate'"),
    (true, "background: {color: '#abcd', image: 'a.png', fit: 'contain'}, foreground: {image: 'b.png'}"),
    (true, "slotDefaults: {radius: 'circle', label: false, border: {width: 1, activeColor: false}, placeholder: 'avatar'}"),
    (true, "slotDefaults: {radius: 3.5, label: {text: '{name}'}, border: false, placeholder: {kind: 'image', image: 'c.png'}}"),
    (false, "self: 'never'"), (false, "transitionMs: -1"), (false, "transitionMs: 5001"), (false, "rotateSeconds: 0"),
    (false, "overflow: 'page'"), (false, "background: {colour: '#000'}"), (false, "background: {color: 'red'}"),
    (false, "background: {color: '#12345'}"), (false, "foreground: {}"), (false, "foreground: {image: ''}"),
    (false, "slotDefaults: {radius: 'round'}"), (false, "slotDefaults: {radius: -1}"), (false, "slotDefaults: {empty: 'gone'}"),
    (false, "slotDefaults: {label: {position: 'middle'}}"), (false, "slotDefaults: {label: {size: 2}}"),
    (false, "slotDefaults: {placeholder: 'photo'}"), (false, "slotDefaults: {border: {width: 'thin'}}"),
    (false, "units: [360]"), (false, "units: [0, 360]"), (false, "name: 'a b'"), (false, "about: 3"), (false, "$schema: 3"),
  ]

  @Test(arguments: samples)
  func schemaAndDecoderJudgeAlike(isRight: Bool, text: String) throws {
    let text = "{\(text), variants: [{grid: {columns: 1, rows: 1}}]}"
    #expect(try complaints(text).isEmpty == isRight)
    let template = try? LayoutTemplate(parsing: Array(text.utf8), name: "x")
    #expect((template != nil) == isRight)
  }

  private static let variants: [(isRight: Bool, String)] = [
    (
      true,
      "grid: {columns: 2, rows: 2, x: 10, y: 10, width: 100, height: 100, gap: 2, z: 1, source: 'role:host', fit: 'contain'}"
    ),
    (true, "aspect: 'any', when: ['screen', 'no-role:host'], slots: [{x: 0, y: 0, width: 1, height: 1}]"),
    (true, "when: 'no-floor', slots: [{x: 0, y: 0, width: 1, height: 1}], grid: {columns: 1, rows: 1, x: 1}"),
    (false, "aspect: 'wide', grid: {columns: 1, rows: 1}"), (false, "when: 'sunny', grid: {columns: 1, rows: 1}"),
    (false, "when: 3, grid: {columns: 1, rows: 1}"), (false, "when: 'role:', grid: {columns: 1, rows: 1}"),
    (false, "slots: []"), (false, "about: 'nothing'"), (false, "grid: {columns: 21, rows: 1}"), (false, "grid: {columns: 1}"),
    (false, "slots: [{x: 0, y: 0, width: 0, height: 1}]"), (false, "slots: [{x: -1, y: 0, width: 1, height: 1}]"),
    (false, "slots: [{x: 0, y: 0, width: 1}]"), (false, "slots: [{x: 0, y: 0, width: 1, height: 1, source: 'role:'}]"),
    (false, "slots: [{x: 0, y: 0, width: 1, height: 1, z: 1.5}]"),
    (false, "slots: [{x: 0, y: 0, width: 1, height: 1, id: ''}]"),
    (false, "slots: [{x: 0, y: 0, width: 1, height: 1, audioPan: 2}]"), (false, "slots: {}"),
  ]

  @Test(arguments: variants)
  func schemaAndDecoderJudgeVariantsAlike(isRight: Bool, text: String) throws {
    let text = "{variants: [{\(text)}]}"
    #expect(try complaints(text).isEmpty == isRight)
    let template = try? LayoutTemplate(parsing: Array(text.utf8), name: "x")
    #expect((template != nil) == isRight)
  }
}
