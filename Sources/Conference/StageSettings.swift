import JSON5
import Layouts

/// What a room's audience is shown, and what those on the stage may do by themselves.
package struct StageSettings: Sendable, Equatable {
  /// Whether viewers see and hear the room. Until then they see the waiting picture, while hosts and panelists meet.
  package var onAir = true
  /// The layout of the waiting picture; nil for a plain card with the text.
  package var waitingLayout: String?
  /// Stands in the waiting picture as the name of somebody without a camera; nil for what is the case.
  package var waitingText: String?
  /// Whether who was muted by a host may unmute himself.
  package var selfUnmute = true

  package init() {}

  package func applying(_ change: StageChange?) -> StageSettings {
    var new = self
    new.onAir = change?.onAir ?? onAir
    new.waitingLayout = change?.waitingLayout ?? waitingLayout
    new.waitingText = change?.waitingText ?? waitingText
    new.selfUnmute = change?.selfUnmute ?? selfUnmute
    return new
  }

  /// What who waits is told: that the room is not on air yet, or that he waits to be let in.
  package var textForWhoWaits: String { waitingText ?? (onAir ? "You will be let in soon" : "We will begin soon") }

  /// What the waiting picture looks like where no layout is named.
  static let waitingCard = try? LayoutTemplate(
    parsing: Array(
      """
      { "background": { "color": "#0d1b2a" },
        "slotDefaults": { "label": false, "placeholder": { "kind": "name", "color": "#0d1b2a" } },
        "variants": [ { "slots": [ { "x": 36, "y": 90, "width": 288, "height": 180 } ] } ],
        "overflow": "hide" }
      """.utf8), name: "waiting")
}

/// What a request says of a room's stage; nil means unsaid: the default on PUT, unchanged on PATCH.
package struct StageChange: Sendable, Equatable {
  package var onAir: Bool?
  /// `.some(nil)` brings the plain card back.
  package var waitingLayout: String??
  /// `.some(nil)` brings the words back that fit what is waited for.
  package var waitingText: String??
  package var selfUnmute: Bool?
  /// The id of whom all are to look at; `.some(nil)` leaves it to who speaks.
  package var spotlight: String??

  package init() {}

  /// Reads the member `stage` of an object; nil where there is none.
  ///
  /// - Parameter mayName: whether people can be named: not in a configuration, which is read before anybody is there.
  package init?(of object: JSONObject, mayName: Bool) {
    let keys = ["onAir", "waitingLayout", "waitingText", "selfUnmute"] + (mayName ? ["spotlight"] : [])
    guard let stage = object.object("stage", allowing: keys) else { return nil }
    onAir = stage.bool("onAir")
    waitingLayout = Self.name("waitingLayout", "the name of a layout or null", stage)
    waitingText = stage["waitingText"]?.isNull == true ? .some(nil) : stage.string("waitingText").map { .some($0) }
    if let text = waitingText ?? nil, text.utf8.count > 256, let value = stage["waitingText"] {
      stage.mismatch("waitingText", value, "at most 256 bytes") as Void?
    }
    selfUnmute = stage.bool("selfUnmute")
    if mayName { spotlight = Self.name("spotlight", "the id of a participant or null", stage) }
  }

  private static func name(_ key: String, _ wanted: String, _ object: JSONObject) -> String?? {
    guard let value = object[key] else { return nil }
    if value.isNull { return .some(nil) }
    guard let name = value.string, isValidName(name) else {
      object.mismatch(key, value, wanted) as Void?
      return nil
    }
    return name
  }
}
