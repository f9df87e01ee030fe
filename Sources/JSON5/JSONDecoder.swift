/// Turns values into settings and keeps every fault it meets, so that an author sees all of them at once.
///
///     let decoder = JSONDecoder()
///     let object = decoder.object(value, allowing: ["width", "height"])
///     let width = object?.integer("width", in: 64...3840) ?? 1280
///     guard decoder.faults.isEmpty else { … }
package final class JSONDecoder {
  /// In the order in which they were met.
  package private(set) var faults: [JSONFault] = []

  package init() {}

  package func fault(at position: SourcePosition, _ message: String) { faults.append(JSONFault(position, message)) }

  /// The members of an object; a fault for a value that is none, and for every key not in `keys`.
  package func object(_ value: JSONValue, allowing keys: [String]) -> JSONObject? {
    guard case .object(let members) = value.kind else {
      fault(at: value.position, "an object was expected, not \(value.kindName)")
      return nil
    }
    var meant: Set<String> = []
    for member in members where !keys.contains(member.key) {
      let near = nearest(to: member.key, among: keys)
      if let near { meant.insert(near) }
      let advice =
        near.map { "did you mean '\($0)'?" }
        ?? (keys.isEmpty ? "none is allowed here" : "allowed are \(keys.joined(separator: ", "))")
      fault(at: member.keyPosition, "unknown key \(quoted(member.key)), \(advice)")
    }
    return JSONObject(members: members, position: value.position, meant: meant, decoder: self)
  }
}

/// An object being decoded. Every getter gives nil for a key that is not there, and nil with a fault for a wrong value.
package struct JSONObject {
  package let members: [JSONMember]
  /// Of the opening brace.
  package let position: SourcePosition
  /// Keys that stand here misspelt, as was told of each already.
  let meant: Set<String>
  package let decoder: JSONDecoder

  /// The value as it is.
  package subscript(key: String) -> JSONValue? { members.first { $0.key == key }?.value }

  /// Records a fault for a key that is not there; one slip of the pen is one fault.
  package func require(_ keys: String...) {
    for key in keys where self[key] == nil && !meant.contains(key) { decoder.fault(at: position, "key '\(key)' is missing") }
  }

  package func bool(_ key: String) -> Bool? {
    guard let value = self[key] else { return nil }
    return value.bool ?? mismatch(key, value, "true or false")
  }

  package func string(_ key: String) -> String? {
    guard let value = self[key] else { return nil }
    return value.string ?? mismatch(key, value, "a string")
  }

  /// A string that is one of `choices`.
  package func string(_ key: String, oneOf choices: [String]) -> String? {
    guard let text = string(key), let value = self[key] else { return nil }
    if choices.contains(text) { return text }
    let advice = nearest(to: text, among: choices).map { ", did you mean '\($0)'?" } ?? ""
    let list = choices.map { "'\($0)'" }.joined(separator: ", ")
    decoder.fault(at: value.position, "'\(key)' is one of \(list), not \(quoted(text))\(advice)")
    return nil
  }

  package func integer(_ key: String, in range: ClosedRange<Int> = .min ... .max) -> Int? {
    guard let value = self[key] else { return nil }
    let wanted =
      range == .min ... .max ? "a whole number" : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    guard let integer = value.integer, range.contains(integer) else { return mismatch(key, value, wanted) }
    return integer
  }

  package func number(_ key: String, in range: ClosedRange<Double>? = nil) -> Double? {
    guard let value = self[key] else { return nil }
    let wanted = range.map { "a number from \(numberText($0.lowerBound)) to \(numberText($0.upperBound))" } ?? "a number"
    guard let number = value.number, range?.contains(number) ?? true else { return mismatch(key, value, wanted) }
    return number
  }

  package func array(_ key: String, countMax: Int = .max) -> [JSONValue]? {
    guard let value = self[key] else { return nil }
    guard let array = value.array else { return mismatch(key, value, "a list") }
    guard array.count <= countMax else {
      decoder.fault(at: value.position, "'\(key)' has \(array.count) elements, at most \(countMax) are taken")
      return nil
    }
    return array
  }

  /// An inner object.
  package func object(_ key: String, allowing keys: [String]) -> JSONObject? {
    guard let value = self[key] else { return nil }
    guard value.members != nil else { return mismatch(key, value, "an object") }
    return decoder.object(value, allowing: keys)
  }

  /// Records that `key` holds something else than what it should.
  @discardableResult
  package func mismatch<T>(_ key: String, _ value: JSONValue, _ wanted: String) -> T? {
    let actual: String =
      switch value.kind {
      case .number(let number): numberText(number.double)
      case .bool(let bool): bool ? "true" : "false"
      case .string(let text): quoted(text)
      default: value.kindName
      }
    decoder.fault(at: value.position, "'\(key)' must be \(wanted), not \(actual)")
    return nil
  }
}
