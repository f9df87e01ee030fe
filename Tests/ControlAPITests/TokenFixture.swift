import Conference
import ControlAPI
import Testing

private let secret = Array("0123456789abcdef0123456789abcdef".utf8)
private let now = 1_800_000_000

/// A server that goes by tokens, and people who have one.
extension Fixture {
  static func withTokens() throws -> Fixture {
    let key = try #require(TokenKey(.secret(secret), id: "k1"))
    return try Fixture { settings in
      settings.authentication = .tokens([key])
      settings.now = { now }
    }
  }

  /// Listens to the room's events, from when its description was asked for so many times to know what may be told.
  func listen(_ headers: [String], query: String = "", readings: Int) async -> RawClient {
    let client = client()
    let before = control.state.withLock { $0.readings }
    await client.send(request("GET", "/v1/rooms/lobby/events\(query)", upgradeHeaders + headers))
    #expect(await client.response(toHead: true)?.status == 101)
    await eventually { control.state.withLock { $0.readings } >= before + readings }
    return client
  }
}

/// The header of somebody with a role in the room `lobby`.
func bearer(_ role: Role, _ subject: String) -> [String] {
  let claims = TokenClaims(subject: subject, room: "lobby", role: role, expires: now + 60)
  return ["Authorization: Bearer \(Token.signed(claims, secret: secret, keyID: "k1"))"]
}

extension RawClient {
  /// The text of the next frame; empty where none comes.
  func text() async -> String { String(decoding: await frame()?.payload ?? [], as: UTF8.self) }
}
