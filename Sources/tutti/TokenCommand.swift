import Configuration
import ControlAPI
import Glibc

/// `tutti token`, and the keys of the configuration as the HTTP side wants them.
enum TokenCommand {
  /// Makes a bearer token with the first secret of the configuration.
  static func run(_ options: TokenOptions) throws(ConfigurationError) -> String {
    var serve = ServeOptions()
    serve.config = options.config
    let configuration = try Configuration.load(options: serve, environment: ServeCommand.environment())
    guard case .keys(let keys) = configuration.authentication else {
      throw ConfigurationError(faults: [
        "there is no key to sign with: name the server's configuration with --config and an HS256 key under its 'auth', or set "
          + "TUTTI_AUTH_SECRET"
      ])
    }
    guard let role = Role(rawValue: options.role) else {
      throw ConfigurationError(faults: ["role must be one of \(Role.allCases.map(\.rawValue).joined(separator: ", "))"])
    }
    let claims = TokenClaims(
      subject: options.subject, room: options.room, role: role, expires: Int(time(nil)) + options.lifetimeSeconds)
    for key in keys {
      if case .hs256(let secret) = key.material { return Token.signed(claims, secret: secret, keyID: key.id) }
    }
    throw ConfigurationError(faults: ["only HS256 keys can sign here; make ES256 tokens where their private key is"])
  }

  static func authentication(_ configured: Configuration.Authentication) throws(ConfigurationError) -> Authentication {
    guard case .keys(let keys) = configured else { return .none }
    var result: [TokenKey] = []
    for key in keys {
      let material: TokenKey.Material
      switch key.material {
      case .hs256(let secret): material = .secret(secret)
      case .es256(let path): material = .publicKey(pem: String(decoding: try readWholeFile(path), as: UTF8.self))
      }
      guard let tokenKey = TokenKey(material, id: key.id) else {
        throw ConfigurationError(faults: [
          "auth: a key cannot be used; HS256 wants 32 bytes or more, ES256 a PEM with a P-256 key"
        ])
      }
      result.append(tokenKey)
    }
    return .tokens(result)
  }
}
