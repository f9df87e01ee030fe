import EncodedMedia
import SecureTransport

/// Who comes to a room, and what becomes of what they are sent.
package struct LoadOptions: Sendable, Equatable {
  package var address: RoomAddress
  /// Those who send picture and sound, and receive like everybody else.
  package var publishers = 3
  /// Those who only receive.
  package var viewers = 10
  /// How long all of them stay; 0 until they are interrupted.
  package var seconds = 10
  /// How many come in a second; 0 for as fast as the server answers.
  package var joinsPerSecond = 0
  package var token: String?
  /// Whether an https server is taken at its word: one that is tested is often its own authority.
  package var isInsecure = false
  /// The output viewers ask for; nil for the server's choice.
  package var output: String?
  package var isAudioOnly = false
  /// Whether publishers talk one after the other, as people do; else all the time.
  package var takesTurns = false
  /// Share of what viewers are sent that they lose, 0 to 1.
  package var lossShare = 0.0
  /// So many of the viewers, the first ones, have lines of `lineBitsPerSecond`.
  package var slowViewers = 0
  package var lineBitsPerSecond = 60_000
  /// What may protect what viewers are sent, the server's choice among them.
  package var viewerProfiles = SRTPProfile.byPreference
  /// Keyframes each viewer asks for in a second without need.
  package var keyframeRequestsPerSecond = 0

  package init(address: RoomAddress) { self.address = address }

  /// On this machine nobody comes between.
  package var checksCertificate: Bool { !isInsecure && !address.isLoopback }

  var kinds: [MediaKind] { isAudioOnly ? [.audio] : MediaKind.allCases }
}
