import LoadGenerator
import Testing

@Suite struct RoomAddressTests {
  @Test(arguments: [
    ("http://127.0.0.1:8080/rooms/demo", "http://127.0.0.1:8080", "demo"),
    ("https://mix.example.org/rooms/a.b-c_d/whep", "https://mix.example.org", "a.b-c_d"),
    ("http://[::1]:8080/?room=lobby&x=1", "http://[::1]:8080", "lobby"),
    ("http://host/rooms/demo?name=x", "http://host", "demo"),
  ])
  func anAddressNamesServerAndRoom(text: String, origin: String, room: String) throws {
    let address = try RoomAddress(text)
    #expect(address.origin == origin && address.room == room)
  }

  @Test func certificatesAreCheckedUnlessTheServerIsThisMachineOrToldOtherwise() throws {
    let checked = ["https://h/rooms/r", "https://127.0.0.1.example.org/rooms/r", "https://localhost.org/rooms/r"]
    for text in checked {
      var options = LoadOptions(address: try RoomAddress(text))
      #expect(options.checksCertificate, "\(text)")
      options.isInsecure = true
      #expect(!options.checksCertificate)
    }
    for text in ["https://127.0.0.1:8443/rooms/r", "https://[::1]:8443/rooms/r", "https://localhost/rooms/r"] {
      #expect(try !LoadOptions(address: RoomAddress(text)).checksCertificate, "\(text)")
    }
  }

  @Test(arguments: [
    "", "demo", "ftp://host/rooms/demo", "http://", "http://host", "http://host/", "http:///rooms/demo", "http://host/rooms/",
    "http://host/rooms/a%20b", "http://host/?room=", "http://host/rooms/" + String(repeating: "x", count: 65),
  ])
  func whatIsNoAddressIsRefusedWithAnExample(text: String) {
    #expect { try RoomAddress(text) } throws: { "\($0)".contains("http://127.0.0.1:8080/rooms/demo") }
  }
}
