/// A value of a JSON or JSON5 text and where it stands.
package struct JSONValue: Sendable {
  package enum Kind: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    /// Members in the order of the text; no key occurs twice.
    case object([JSONMember])
  }
  package var kind: Kind
  package var position: SourcePosition

  package init(_ kind: Kind, at position: SourcePosition = SourcePosition(line: 1, column: 1)) {
    self.kind = kind
    self.position = position
  }

  package var isNull: Bool { if case .null = kind { true } else { false } }
  package var bool: Bool? { if case .bool(let value) = kind { value } else { nil } }
  package var number: Double? { if case .number(let value) = kind { value.double } else { nil } }
  /// The number where it is whole and fits, however it was written: `3`, `3.0`, `0x3`, `30e-1`.
  package var integer: Int? { if case .number(let value) = kind { value.integer } else { nil } }
  package var string: String? { if case .string(let value) = kind { value } else { nil } }
  package var array: [JSONValue]? { if case .array(let value) = kind { value } else { nil } }
  package var members: [JSONMember]? { if case .object(let value) = kind { value } else { nil } }

  /// The member of an object with that key; nil where there is none or this is no object.
  package subscript(key: String) -> JSONValue? { members?.first { $0.key == key }?.value }

  /// What the value is, with its article, for messages: `a string`.
  package var kindName: String {
    switch kind {
    case .null: "null"
    case .bool: "true or false"
    case .number: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

/// A finite number.
package struct JSONNumber: Sendable, Equatable {
  package var double: Double
  /// The exact value where the number is whole and fits in 64 bits.
  package var integer: Int?

  package init(double: Double, integer: Int?) {
    self.double = double
    self.integer = integer
  }
}

/// One `key: value` of an object.
package struct JSONMember: Sendable {
  package var key: String
  package var keyPosition: SourcePosition
  package var value: JSONValue

  package init(key: String, keyPosition: SourcePosition, value: JSONValue) {
    self.key = key
    self.keyPosition = keyPosition
    self.value = value
  }
}
