/// What somebody's picture is of (RFC 4796).
package enum PictureContent: String, CaseIterable, Sendable {
  /// People: shown by whatever fills their tile.
  case main
  /// A shared screen: belongs into a slot for screens, is shown whole, and may stand still.
  case slides
}
