import Layouts
import RawMedia

/// Everything a canvas shows at one tick.
package struct Scene: Sendable {
  /// From `LayoutSolver.tiles`, for a canvas of the compositor's size, farthest first.
  package var tiles: [Tile]
  /// Whoever may occur in the tiles, by ID.
  package var participants: [String: SceneParticipant]
  package var background: LayoutColor

  package init(tiles: [Tile], participants: [String: SceneParticipant], background: LayoutColor) {
    self.tiles = tiles
    self.participants = participants
    self.background = background
  }
}

/// What is known of one participant at one tick.
package struct SceneParticipant: Sendable {
  /// Shown as text only; any characters of any length.
  package var name: String
  package var role: String?
  /// The latest picture; nil for the placeholder. A new picture is a new object: the same object is taken to be unchanged.
  package var picture: Picture?
  /// How far the picture is to be turned clockwise before it is shown: a multiple of 90, anything else is no turn.
  package var rotationDegrees: Int
  package var isSpeaking: Bool
  package var isMuted: Bool
  /// The picture is stale and marked so.
  package var isFrozen: Bool

  package init(
    name: String, role: String? = nil, picture: Picture? = nil, rotationDegrees: Int = 0, isSpeaking: Bool = false,
    isMuted: Bool = false, isFrozen: Bool = false
  ) {
    self.name = name
    self.role = role
    self.picture = picture
    self.rotationDegrees = rotationDegrees
    self.isSpeaking = isSpeaking
    self.isMuted = isMuted
    self.isFrozen = isFrozen
  }
}

/// One composed picture.
package struct Composition: Sendable {
  /// Not to be written. The same object as last time where nothing changed.
  package var picture: Picture
  /// Whether the picture differs from the one before.
  package var changed: Bool
  /// What may differ, on even pixels; everything else is the same, pixel for pixel.
  package var damage: [PixelRectangle]
}
