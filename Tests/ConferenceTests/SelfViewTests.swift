import Compositing
import Conference
import EncodedMedia
import Layouts
import RawMedia
import TestSupport
import Testing
import WebRTCTransport

/// Who is sent a picture of his own, and who what everybody sees.
@Suite struct SelfViewTests {
  private func house(_ selfView: String, personalPicturesMax: Int = 16) throws -> House {
    let layouts = LayoutLibrary()
    try layouts.load("grid", source: gridLayout)
    try layouts.load(
      "mirrorless", source: #"{ "self": "\#(selfView)", "variants": [ { "grid": { "columns": 3, "rows": 3 } } ] }"#)
    return try House(layouts: layouts) {
      $0.emptySeconds = 3600
      $0.personalPicturesMax = personalPicturesMax
    }
  }

  private func picture(_ house: House, _ peer: PeerID) -> OutputID? { house.transport.subscription(peer, .video) ?? nil }

  @Test func oneWhoDoesNotWantToSeeHimselfIsSentAPictureOfHisOwn() async throws {
    let house = try house("shown")
    let events = await house.events("r")
    let (ada, adas) = try await house.connect("r", events)
    let (_, bobs) = try await house.connect("r", events)
    #expect(picture(house, adas) != nil && picture(house, adas) == picture(house, bobs))
    let told = try await house.patch("r", ada) { $0.selfView = false }
    #expect(told.selfView == false && picture(house, adas) != picture(house, bobs))
    try await house.patch("r", ada) { $0.selfView = .some(nil) }
    #expect(picture(house, adas) == picture(house, bobs))
    await house.conferences.stop()
  }

  @Test func aLayoutThatHidesOneselfGivesEachSenderAPictureOfHisOwnAndViewersAllTheSame() async throws {
    let house = try house("hidden", personalPicturesMax: 2)
    let events = await house.events("r")
    var peers: [PeerID] = []
    var ids: [String] = []
    for _ in 0..<3 {
      let (id, peer) = try await house.connect("r", events)
      ids.append(id)
      peers.append(peer)
    }
    for _ in 0..<2 { peers.append(try await house.connect("r", events, kind: .watch).peer) }
    #expect(Set(peers.map { picture(house, $0) }).count == 1, "the layout in use shows everybody")
    _ = try await house.conferences.patchRoom("r", settings: RoomSettings(layout: "mirrorless"))
    let pictures = peers.map { picture(house, $0) }
    #expect(Set(pictures).count == 3 && pictures[2] == pictures[3] && pictures[3] == pictures[4], "two of their own at most")
    try await house.patch("r", ids[0]) { $0.selfView = true }
    #expect(picture(house, peers[0]) == picture(house, peers[3]) && picture(house, peers[2]) != picture(house, peers[3]))
    _ = try await house.conferences.patchRoom("r", settings: RoomSettings(layout: "grid"))
    #expect(Set(peers.map { picture(house, $0) }).count == 1)
    await house.conferences.stop()
  }

  @Test func whoPublishesAndWatchesBySeparateSessionsIsOneToHisLayout() async throws {
    let house = try house("last")
    let events = await house.events("r")
    let (ada, _) = try await house.connect("r", events, kind: .publish)
    _ = try await house.conferences.patchRoom("r", settings: RoomSettings(layout: "mirrorless"))
    let mine = try await house.connect("r", events, kind: .watch, mixOf: ada).peer
    let other = try await house.connect("r", events, kind: .watch).peer
    #expect(picture(house, mine) != nil && picture(house, other) != nil && picture(house, mine) != picture(house, other))
    await house.conferences.stop()
  }

  @Test func anotherLayoutOfAnOutputKeepsItsEncoding() async throws {
    let house = try house("shown")
    let events = await house.events("r")
    let (_, peer) = try await house.connect("r", events)
    let before = picture(house, peer)
    var output = OutputSettings(name: "main", width: 64, height: 64, fps: 1, bitrate: 30_000)
    output.layout = "mirrorless"
    _ = try await house.conferences.patchRoom("r", settings: RoomSettings(outputs: [output]))
    #expect(picture(house, peer) == before)
    output.width = 96
    _ = try await house.conferences.patchRoom("r", settings: RoomSettings(outputs: [output]))
    #expect(picture(house, peer) != before)
    await house.conferences.stop()
  }

  @Test func anAvatarThatWasSentIsShownUntilItsOwnerGoes() async throws {
    let images = ImageLibrary(layouts: nil, execution: .inPlace)
    let house = try House(resources: CanvasResources(images: images)) { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let (ada, _) = try await house.connect("r", events)
    let grey = Picture(width: 64, height: 64)
    grey.fill(.black)
    let png = PNGEncoder.encode(grey)
    #expect(await house.refusal { _ = try await $0.putAvatar(room: "r", id: ada, image: [1, 2], by: .host) } == .unprocessable)
    #expect(await house.refusal { _ = try await $0.avatar(room: "r", id: ada) } == .notFound)
    let told = try await house.conferences.putAvatar(room: "r", id: ada, image: png, by: .himself)
    #expect(told.avatar == "/v1/rooms/r/participants/\(ada)/avatar")
    #expect(try await house.conferences.avatar(room: "r", id: ada) == png)
    #expect((try? images.bytes(of: .init(.uploads, "2"))) == png)
    // Another takes its place, and nothing is left of either.
    _ = try await house.conferences.putAvatar(room: "r", id: ada, image: png, by: .host)
    #expect((try? images.bytes(of: .init(.uploads, "2"))) == nil && (try? images.bytes(of: .init(.uploads, "3"))) == png)
    try await house.conferences.leave(room: "r", participant: ada, by: .host)
    #expect((try? images.bytes(of: .init(.uploads, "3"))) == nil)
    await house.conferences.stop()
  }

  @Test func anAvatarThatIsNotThereIsRefused() async throws {
    let house = try house("shown")
    let events = await house.events("r")
    let (ada, _) = try await house.connect("r", events)
    for name in ["ada.png", "../secret.png", ""] {
      #expect(await house.refusal { _ in _ = try await house.patch("r", ada) { $0.avatar = name } } == .unprocessable)
    }
    #expect(try await house.conferences.participant(room: "r", id: ada).avatar == nil)
    await house.conferences.stop()
  }
}
