import Compositing
import Layouts
import Synchronization

/// Who is in a room and how it is laid out: written whole by the control side, looked at by every canvas at its ticks.
package final class SceneBoard: Sendable {
  /// One participant as far as a picture is concerned.
  package struct Person: Sendable {
    package var media: ParticipantMedia
    package var name: String
    package var role: String
    /// Whether he negotiated to send a picture at all.
    package var sendsVideo: Bool
    /// Whether his picture is a shared screen.
    package var sharesScreen: Bool
    /// The slot he was put into, by its index or name.
    package var pin: SlotReference?
    /// Shown where he has no picture.
    package var avatar: ImageReference?

    package init(
      media: ParticipantMedia, name: String, role: String = "panelist", sendsVideo: Bool, sharesScreen: Bool = false,
      pin: SlotReference? = nil, avatar: ImageReference? = nil
    ) {
      self.media = media
      self.name = name
      self.role = role
      self.sendsVideo = sendsVideo
      self.sharesScreen = sharesScreen
      self.pin = pin
      self.avatar = avatar
    }

    var number: UInt32 { media.number }
  }

  package struct Scene: Sendable {
    /// In the order they joined.
    package var people: [Person] = []
    /// The room's template; outputs may have their own.
    package var layout: LayoutTemplate
    package var layoutsByOutput: [String: LayoutTemplate] = [:]
    /// Counts the changes, so that a canvas knows when to solve its layout again.
    package var revision = 0

    func layout(of output: String) -> LayoutTemplate { layoutsByOutput[output] ?? layout }
  }

  private let scene: Mutex<Scene>
  private let floorNumber = Atomic<UInt32>(0)
  private let spotlightNumber = Atomic<UInt32>(0)

  package init(layout: LayoutTemplate) { scene = Mutex(Scene(layout: layout)) }

  package var current: Scene { scene.withLock { $0 } }

  /// Applies a change whole: a canvas sees all of it or nothing.
  package func change(_ body: (inout sending Scene) -> Void) {
    scene.withLock { scene in
      body(&scene)
      scene.revision += 1
    }
  }

  /// The participant who holds the active-speaker slot: who is in the spotlight, else who spoke last; nil before that.
  package var floor: UInt32? {
    get { spotlight ?? Self.participant(floorNumber) }
    set { floorNumber.store(newValue ?? 0, ordering: .relaxed) }
  }

  /// The participant who holds that slot whoever speaks.
  package var spotlight: UInt32? {
    get { Self.participant(spotlightNumber) }
    set { spotlightNumber.store(newValue ?? 0, ordering: .relaxed) }
  }

  private static func participant(_ number: borrowing Atomic<UInt32>) -> UInt32? {
    let number = number.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }
}
