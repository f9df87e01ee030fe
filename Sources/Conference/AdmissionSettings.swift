import JSON5

/// Who may come into a room, and how many.
package struct AdmissionSettings: Sendable, Equatable {
  /// Nobody comes in any more; hosts do.
  package var locked = false
  /// Newcomers wait until a host admits them; hosts do not.
  package var lobby = false
  /// All who are in the room or wait before it; nil for no limit of the room's own.
  package var participantsMax: Int?
  /// Those who may be seen and heard: all who are no viewers, hosts included; nil for no limit.
  package var publishersMax: Int?

  package init() {}

  package func applying(_ change: AdmissionChange?) -> AdmissionSettings {
    var new = self
    new.locked = change?.locked ?? locked
    new.lobby = change?.lobby ?? lobby
    new.participantsMax = change?.participantsMax ?? participantsMax
    new.publishersMax = change?.publishersMax ?? publishersMax
    return new
  }
}

/// What a request says of a room's admission; nil means unsaid: the default on PUT, unchanged on PATCH.
package struct AdmissionChange: Sendable, Equatable {
  package var locked: Bool?
  package var lobby: Bool?
  /// `.some(nil)` takes the limit away.
  package var participantsMax: Int??
  package var publishersMax: Int??

  package init() {}

  /// Reads the member `admission` of an object; nil where there is none.
  package init?(of object: JSONObject) {
    let keys = ["locked", "lobby", "participantsMax", "publishersMax"]
    guard let admission = object.object("admission", allowing: keys) else { return nil }
    locked = admission.bool("locked")
    lobby = admission.bool("lobby")
    participantsMax = Self.limit("participantsMax", admission)
    publishersMax = Self.limit("publishersMax", admission)
  }

  private static func limit(_ key: String, _ object: JSONObject) -> Int?? {
    guard let value = object[key] else { return nil }
    if value.isNull { return .some(nil) }
    return object.integer(key, in: 1...100_000).map { .some($0) } ?? nil
  }
}
