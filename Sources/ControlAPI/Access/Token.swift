import JSON5

/// A key that signs tokens. Its algorithm belongs to it: a token that names another one is refused (RFC 8725 section 3.1).
package struct TokenKey: Sendable, CustomStringConvertible {
  package enum Material: Sendable {
    /// HS256; at least 32 bytes (RFC 7518 section 3.2).
    case secret([UInt8])
    /// ES256; a P-256 public key as PEM.
    case publicKey(pem: String)
  }
  package let material: Material
  /// Matches a token's `kid` where both have one.
  package let id: String?

  /// Nil for a secret that is too short and for a text that is no P-256 public key.
  package init?(_ material: Material, id: String? = nil) {
    switch material {
    case .secret(let bytes): guard bytes.count >= 32 else { return nil }
    case .publicKey(let pem): guard Cryptography.isP256PublicKey(pem: pem) else { return nil }
    }
    self.material = material
    self.id = id
  }

  var algorithm: String {
    switch material {
    case .secret: "HS256"
    case .publicKey: "ES256"
    }
  }

  /// Nothing of the key.
  package var description: String { "TokenKey(\(algorithm))" }
}

/// What a person may do in a room, from least to most.
package enum Role: String, Sendable, CaseIterable {
  case viewer, panelist, host, admin

  /// The role and those above it, in words.
  var andAbove: String { self == .admin ? rawValue : "\(rawValue) or more" }
}

/// What a token says (RFC 7519).
package struct TokenClaims: Sendable, Equatable {
  /// Who.
  package var subject: String
  /// The room, or `*` for all.
  package var room: String
  package var role: Role
  /// Seconds since 1970: the first second at which the token is over.
  package var expires: Int
  /// Seconds since 1970 before which the token is not good yet.
  package var notBefore: Int?

  package init(subject: String, room: String, role: Role, expires: Int, notBefore: Int? = nil) {
    self.subject = subject
    self.room = room
    self.role = role
    self.expires = expires
    self.notBefore = notBefore
  }
}

/// Why a token is not taken, as a sentence for its bearer. Says nothing about keys.
package struct TokenFault: Error, Equatable {
  package var detail: String
}

package enum Token {
  /// Longer texts are not looked at.
  private static let lengthMax = 4096
  /// Clocks of those who sign may run ahead by so many seconds.
  private static let notBeforeLeewaySeconds = 5

  /// A token signed with HMAC-SHA256.
  package static func signed(_ claims: TokenClaims, secret: [UInt8], keyID: String? = nil) -> String {
    var header = JSONWriter()
    header.beginObject()
    header.member("alg", "HS256")
    header.member("typ", "JWT")
    if let keyID { header.member("kid", keyID) }
    header.endObject()
    var payload = JSONWriter()
    payload.beginObject()
    payload.member("sub", claims.subject)
    payload.member("room", claims.room)
    payload.member("role", claims.role.rawValue)
    payload.member("exp", claims.expires)
    if let notBefore = claims.notBefore { payload.member("nbf", notBefore) }
    payload.endObject()
    let message = Base64.encodeURLSafe(header.bytes) + "." + Base64.encodeURLSafe(payload.bytes)
    return message + "." + Base64.encodeURLSafe(Cryptography.hmacSHA256(key: secret, Array(message.utf8)))
  }

  /// What a token says where one of the keys signed it and it is its time.
  ///
  /// - Parameter now: seconds since 1970.
  package static func verified(_ text: String, keys: [TokenKey], now: Int) throws(TokenFault) -> TokenClaims {
    guard text.utf8.count <= lengthMax else { throw TokenFault(detail: "The token is too long.") }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let headerBytes = Base64.decodeURLSafe(parts[0]), let payload = Base64.decodeURLSafe(parts[1]),
      let signature = Base64.decodeURLSafe(parts[2]), let header = object(headerBytes)
    else { throw TokenFault(detail: "The token is not a JSON Web Token.") }
    // Extensions that must be understood are not (RFC 7515 section 4.1.11).
    guard header["crit"] == nil else { throw TokenFault(detail: "The token asks for an extension that is not supported.") }
    let message = Array(text.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
    let candidates = keys.filter { key in
      key.algorithm == header["alg"]?.string
        && (key.id == nil || header["kid"]?.string == nil || key.id == header["kid"]?.string)
    }
    guard candidates.contains(where: { isValid(signature, of: message, key: $0) }) else {
      throw TokenFault(detail: "The token is not signed by a key of this server.")
    }
    return try claims(payload, now: now)
  }

  private static func isValid(_ signature: [UInt8], of message: [UInt8], key: TokenKey) -> Bool {
    switch key.material {
    case .secret(let secret): Cryptography.areEqual(Cryptography.hmacSHA256(key: secret, message), signature)
    case .publicKey(let pem): Cryptography.isValidES256(signature, of: message, publicKeyPEM: pem)
    }
  }

  private static func claims(_ payload: [UInt8], now: Int) throws(TokenFault) -> TokenClaims {
    guard let object = object(payload) else { throw TokenFault(detail: "The token is not a JSON Web Token.") }
    guard let expires = seconds(object["exp"]) else {
      throw TokenFault(detail: "The token lacks 'exp', the time at which it ends.")
    }
    guard now < expires else { throw TokenFault(detail: "The token has expired; get a new one.") }
    var notBefore: Int?
    if let value = object["nbf"] {
      guard let time = seconds(value) else { throw TokenFault(detail: "The token's 'nbf' is not a time.") }
      guard now &+ notBeforeLeewaySeconds >= time else { throw TokenFault(detail: "The token is not valid yet.") }
      notBefore = time
    }
    guard let room = object["room"]?.string else { throw TokenFault(detail: "The token lacks 'room', a name or '*'.") }
    guard let role = object["role"]?.string.flatMap(Role.init(rawValue:)) else {
      throw TokenFault(detail: "The token's 'role' is to be host, panelist, viewer or admin.")
    }
    if let subject = object["sub"], subject.string == nil { throw TokenFault(detail: "The token's 'sub' is not a string.") }
    return TokenClaims(
      subject: object["sub"]?.string ?? "", room: room, role: role, expires: expires, notBefore: notBefore)
  }

  private static func object(_ bytes: [UInt8]) -> JSONValue? {
    guard let value = try? JSONValue(parsing: bytes, strict: true, limits: JSONLimits(bytes: 4096, depth: 8, members: 64)),
      value.members != nil
    else { return nil }
    return value
  }

  /// A NumericDate, which may have a fraction.
  private static func seconds(_ value: JSONValue?) -> Int? {
    value?.number.flatMap { Int(exactly: $0.rounded(.down)) }
  }
}
