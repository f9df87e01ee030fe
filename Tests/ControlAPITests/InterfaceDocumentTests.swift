import JSON5
import Testing

/// The document at `/openapi.json` against what the server answers.
@Suite struct InterfaceDocumentTests {
  private func document(_ fixture: Fixture) async throws -> JSONValue {
    let response = try #require(await fixture.ask("GET", "/openapi.json"))
    return try JSONValue(parsing: response.body, strict: true)
  }

  private func paths(_ fixture: Fixture) async throws -> [(path: String, item: JSONValue)] {
    let document = try await document(fixture)
    #expect(document["openapi"]?.string?.hasPrefix("3.1") == true)
    return try #require(document["paths"]?.members).map { ($0.key, $0.value) }
  }

  /// An address of this shape at which the scripted rooms have something.
  private func address(_ path: String) -> String {
    path.replacing("{room}", with: "lobby").replacing("{id}", with: "p1").replacing("{session}", with: "p1")
      .replacing("{layout}", with: "grid").replacing("{prompt}", with: "1")
  }

  private static let methods = ["get", "put", "post", "patch", "delete"]

  /// What `Allow` tells is what the server routes: neither may have a method that the other has not.
  @Test func everyMethodIsDescribedAndEveryDescriptionIsAnswered() async throws {
    let fixture = try Fixture()
    for (path, item) in try await paths(fixture) {
      let answered = try #require(await fixture.ask("OPTIONS", address(path))?["allow"], "\(path) is not routed")
      let allowed = answered.lowercased().split(separator: ", ").map(String.init).filter { !["head", "options"].contains($0) }
      let described = (item.members ?? []).map(\.key).filter { $0 != "parameters" }
      #expect(allowed.sorted() == described.sorted(), "\(path)")
    }
  }

  /// Every address that another document or the page names is in the document as well.
  @Test func everyAddressIsDescribed() async throws {
    let fixture = try Fixture()
    let described = Set(try await paths(fixture).map(\.path))
    for path in [
      "/rooms/{room}", "/rooms/{room}/whip", "/rooms/{room}/whep", "/rooms/{room}/participants",
      "/rooms/{room}/participants/{session}",
      "/v1/rooms", "/v1/rooms/{room}", "/v1/rooms/{room}/participants", "/v1/rooms/{room}/participants/{id}",
      "/v1/rooms/{room}/participants/{id}/avatar", "/v1/rooms/{room}/snapshot.png", "/v1/rooms/{room}/events",
      "/v1/rooms/{room}/prompts",
      "/v1/rooms/{room}/prompts/{prompt}", "/v1/layouts", "/v1/layouts/{layout}", "/v1/layouts/{layout}/preview.png",
      "/v1/layouts/{layout}/preview.svg", "/v1/layouts/{layout}/check", "/v1/layouts/{layout}/shipped", "/metrics", "/healthz",
      "/readyz", "/openapi.json",
    ] { #expect(described.contains(path) || described.contains(path.replacing("{prompt}", with: "{id}")), "\(path)") }
  }

  /// An address takes what is described of any of its methods; what is not described is refused.
  @Test func theParametersOfTheDocumentAreThoseThatAreTaken() async throws {
    let fixture = try Fixture()
    let shared = try await document(fixture)["components"]?["parameters"]
    for (path, item) in try await paths(fixture) where path.hasPrefix("/v1") || path.hasPrefix("/rooms") {
      // Events are asked for their upgrade first.
      guard !path.hasSuffix("/events"), let method = Self.methods.first(where: { item[$0] != nil }) else { continue }
      let all = Self.methods.flatMap { item[$0]?["parameters"]?.array ?? [] } + (item["parameters"]?.array ?? [])
      let parameters = try all.map { parameter in
        guard let name = parameter["$ref"]?.string?.split(separator: "/").last else { return parameter }
        return try #require(shared?[String(name)], "\(path): there is no parameter \(name)")
      }
      let described = Set(parameters.filter { $0["in"]?.string == "query" }.compactMap { $0["name"]?.string })
      let refusal = await fixture.ask(method.uppercased(), address(path) + "?no-such-parameter=1")
      #expect(refusal?.status == 400, "\(path)")
      let taken = refusal?.body.split(separator: "this address takes ").last?.prefix { $0 != "." } ?? ""
      let names = taken == "none" ? [] : Set(taken.split(separator: ", ").map(String.init))
      // The three addresses for offers take all that any of them has a use for.
      let isOffer = path.hasPrefix("/rooms") && method == "post"
      #expect(isOffer ? described.isSubset(of: names) : names == described, "\(path): \(taken)")
    }
  }

  @Test func everyAnswerThatMayComeIsDescribed() async throws {
    let fixture = try Fixture()
    for (path, item) in try await paths(fixture) {
      for method in Self.methods {
        guard let operation = item[method] else { continue }
        #expect(operation["responses"] != nil && operation["summary"]?.string != nil, "\(method) \(path)")
        // What is not for probes refuses names and parameters that cannot be.
        guard path.hasPrefix("/rooms") || path.hasPrefix("/v1") else { continue }
        #expect(operation["responses"]?["400"] != nil, "\(method) \(path)")
        let isAboutSomething = path.contains("{") && method != "put" && !path.hasSuffix("/check")
        #expect(!isAboutSomething || operation["responses"]?["404"] != nil, "\(method) \(path)")
      }
    }
  }
}
