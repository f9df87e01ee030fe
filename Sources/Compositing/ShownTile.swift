import Layouts
import RawMedia

/// A tile as it was shown at the tick before: who is as he was needs no new look, and who moved only a new picture in the same place.
struct ShownTile {
  /// Whom it shows; nil where it shows nobody.
  var person: String?
  /// What was known of him; nil of somebody unknown.
  var participant: SceneParticipant?
  /// Nil for a tile that shows nothing.
  var sheet: Sheet?

  init(_ tile: Tile) {
    if case .person(let id) = tile.content { person = id }
  }

  /// Goes on with its participant as he is now.
  ///
  /// - Returns: false where more than his picture is new.
  mutating func show(_ participants: [String: SceneParticipant]) -> Bool {
    if let sheet, sheet.isPending { return false }
    guard let person else { return true }
    guard let new = participants[person] else { return participant == nil }
    guard participant?.isAlike(new) == true else { return false }
    return participant?.picture === new.picture || show(new.picture)
  }

  private mutating func show(_ picture: Picture?) -> Bool {
    guard let sheet, let look = sheet.look, let picture, let before = participant?.picture,
      (picture.width, picture.height) == (before.width, before.height)
    else { return false }
    participant?.picture = picture
    self.sheet = Sheet(sheet, look: look.showing(picture), picture: picture)
    return true
  }
}

extension SceneParticipant {
  /// Whether both look alike but for their pictures.
  fileprivate func isAlike(_ other: SceneParticipant) -> Bool {
    isSpeaking == other.isSpeaking && isMuted == other.isMuted && isFrozen == other.isFrozen && isScreen == other.isScreen
      && rotationDegrees == other.rotationDegrees && name == other.name && role == other.role && avatar == other.avatar
  }
}
