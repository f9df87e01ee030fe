/// Where a room is: `http://HOST:PORT/rooms/NAME`, or the page's address with the room behind it.
package struct RoomAddress: Sendable, Equatable {
  /// Scheme and authority, without a slash at the end.
  package var origin: String
  package var room: String

  /// - Throws: a sentence that says what an address looks like.
  package init(_ text: String) throws(LoadError) {
    let advice = "'\(text)' is no room's address; write it like http://127.0.0.1:8080/rooms/demo"
    guard text.hasPrefix("http://") || text.hasPrefix("https://"), text.utf8.count < 2000 else { throw LoadError(advice) }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 4, !parts[2].isEmpty else { throw LoadError(advice) }
    origin = parts[0] + "//" + parts[2]
    let path = parts[3...].joined(separator: "/")
    if path.hasPrefix("rooms/") {
      room = String(path.dropFirst("rooms/".count).prefix { $0 != "/" && $0 != "?" })
    } else if let query = path.range(of: "room=") {
      room = String(path[query.upperBound...].prefix { $0 != "&" && $0 != "#" })
    } else {
      throw LoadError(advice)
    }
    let isName = !room.isEmpty && room.utf8.count <= 64 && room.utf8.allSatisfy(Self.isNameByte)
    guard isName else { throw LoadError(advice) }
  }

  /// Whether the host is this machine, by an address that leads nowhere else.
  var isLoopback: Bool {
    let host = origin.drop { $0 != "/" }.dropFirst(2)
    return ["127.0.0.1", "[::1]", "localhost"].contains { host == $0 || host.hasPrefix($0 + ":") }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}

extension String {
  /// The first place of a piece of text.
  func range(of piece: String) -> Range<String.Index>? {
    indices.first { self[$0...].hasPrefix(piece) }.map { $0..<index($0, offsetBy: piece.count) }
  }
}
