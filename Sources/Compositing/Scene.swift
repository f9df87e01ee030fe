import Layouts
import RawMedia
import Timing

/// Everything a canvas shows at one tick.
package struct Scene: Sendable {
  /// From `LayoutSolver.tiles`, for a canvas of the compositor's size, farthest first.
  package var tiles: [Tile]
  /// Whoever may occur in the tiles, by ID.
  package var participants: [String: SceneParticipant]
  package var background: LayoutColor
  /// Files below the folder of layouts that fill the canvas: behind all tiles, and before them.
  package var backgroundImage: String?
  package var foregroundImage: String?
  package var backgroundFit = LayoutFit.cover
  package var foregroundFit = LayoutFit.cover
  /// How long tiles take to get from one arrangement to another; zero to jump.
  package var transition: Interval

  package init(
    tiles: [Tile], participants: [String: SceneParticipant], background: LayoutColor, backgroundImage: String? = nil,
    foregroundImage: String? = nil, transition: Interval = .zero
  ) {
    self.tiles = tiles
    self.participants = participants
    self.background = background
    self.backgroundImage = backgroundImage
    self.foregroundImage = foregroundImage
    self.transition = transition
  }

  /// A scene as a layout's file describes it.
  ///
  /// - Parameter transition: nil for what the file says; zero to jump, as when the layout itself is another.
  package init(
    tiles: [Tile], participants: [String: SceneParticipant], layout: LayoutTemplate, transition: Interval? = nil
  ) {
    self.init(
      tiles: tiles, participants: participants, background: layout.background.color, backgroundImage: layout.background.image,
      foregroundImage: layout.foregroundImage,
      transition: transition ?? .milliseconds(Int64(layout.transitionMilliseconds)))
    (backgroundFit, foregroundFit) = (layout.background.fit, layout.foregroundFit)
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
  /// The picture is a screen: it is shown whole, never cut.
  package var isScreen: Bool
  package var isSpeaking: Bool
  package var isMuted: Bool
  /// The picture is stale and marked so.
  package var isFrozen: Bool
  /// Shown where initials would be.
  package var avatar: ImageReference?

  package init(
    name: String, role: String? = nil, picture: Picture? = nil, rotationDegrees: Int = 0, isScreen: Bool = false,
    isSpeaking: Bool = false, isMuted: Bool = false, isFrozen: Bool = false, avatar: ImageReference? = nil
  ) {
    self.name = name
    self.role = role
    self.picture = picture
    self.rotationDegrees = rotationDegrees
    self.isScreen = isScreen
    self.isSpeaking = isSpeaking
    self.isMuted = isMuted
    self.isFrozen = isFrozen
    self.avatar = avatar
  }
}

/// One composed picture.
package struct Composition: Sendable {
  /// Not to be written. The same object as last time where nothing changed.
  package var picture: Picture
  /// Whether the picture differs from the one composed before.
  package var changed: Bool
  /// What may differ from the picture composed before, on even pixels, in rectangles that do not overlap; everything else is the
  /// same, pixel for pixel. Whoever leaves out a composition has to add its damage to the next.
  package var damage: [PixelRectangle]
  /// Whether tiles are on their way, so that the next tick shows something else though the scene stays.
  package var isMoving = false
}
