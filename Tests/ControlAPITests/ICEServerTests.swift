import Conference
import ControlAPI
import Testing

private let now = 1_800_000_000
private let secret = Array("0123456789abcdef0123456789abcdef".utf8)

/// STUN and TURN servers in Link headers, with credentials that end by themselves.
@Suite struct ICEServerTests {
  private func fixture(tokens: Bool = true) throws -> Fixture {
    try Fixture {
      $0.iceServers = [
        ICEServer(url: "stun:stun.example.net"),
        ICEServer(url: "turn:turn.example.net:3478?transport=udp", secret: Array("north".utf8), ttlSeconds: 86_400),
        ICEServer(url: "turns:fixed.example.net", username: "u", credential: "c"),
      ]
      $0.now = { now }
      if tokens, let key = TokenKey(.secret(secret)) { $0.authentication = .tokens([key]) }
    }
  }

  private func bearer(_ subject: String, room: String = "lobby") -> String {
    let claims = TokenClaims(subject: subject, room: room, role: .viewer, expires: now + 60)
    return "Authorization: Bearer " + Token.signed(claims, secret: secret)
  }

  private func links(_ response: RawClient.Response?) -> String { response?["link"] ?? "" }

  /// The expected value is Python's: b64encode(hmac.new(b"north", b"1800086400:ada", sha1).digest()).
  @Test func aCredentialIsOfTheSecretTheNameAndTheTimeItEnds() async throws {
    let fixture = try fixture()
    for response in [
      await fixture.postOffer("/rooms/lobby/whep", [bearer("ada")]),
      await fixture.ask("OPTIONS", "/rooms/lobby/whep", [bearer("ada")]),
    ] {
      let text = links(response)
      #expect(text.contains("<stun:stun.example.net>; rel=\"ice-server\""))
      #expect(
        text.contains(
          "<turn:turn.example.net:3478?transport=udp>; rel=\"ice-server\"; username=\"1800086400:ada\"; "
            + "credential=\"S/NvgtasJET+rxpreu2BwNJu+hM=\"; credential-type=\"password\""))
      #expect(text.contains("<turns:fixed.example.net>") && text.contains("credential=\"c\""))
    }
  }

  @Test func serversWithCredentialsAreToldOnlyToWhoMayComeIn() async throws {
    let fixture = try fixture()
    for headers in [[], ["Authorization: Bearer x.y.z"], [bearer("eve", room: "attic")]] {
      let text = links(await fixture.ask("OPTIONS", "/rooms/lobby/whep", headers))
      #expect(text.contains("stun:stun.example.net") && !text.contains("turn") && !text.contains("credential"), "\(headers)")
    }
    let open = try self.fixture(tokens: false)
    #expect(links(await open.ask("OPTIONS", "/rooms/lobby/whep")).contains("username=\"1800086400:guest\""))
  }

  @Test func aNameThatCouldLeaveItsQuotesDoesNot() async throws {
    let fixture = try fixture()
    let text = links(await fixture.postOffer("/rooms/lobby/whep", [bearer("a\"\r\nX: y\\ö")]))
    #expect(text.contains("username=\"1800086400:a\\\"X: y\\\\\""))
  }
}
