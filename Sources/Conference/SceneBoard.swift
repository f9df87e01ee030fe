import Layouts
import Synchronization

/// Who is in a room and how it is laid out: written whole by the control side, looked at by every canvas at its ticks.
final class SceneBoard: Sendable {
  /// One participant as far as a picture is concerned.
  struct Person: Sendable {
    var media: ParticipantMedia
    var name: String
    var role: String
    /// Whether he negotiated to send a picture at all.
    var sendsVideo: Bool
    /// The slot he was put into, by its index or name.
    var pin: SlotReference?

    var number: UInt32 { media.number }
  }

  struct Scene: Sendable {
    /// In the order they joined.
    var people: [Person] = []
    /// The room's template; outputs may have their own.
    var layout: LayoutTemplate
    var layoutsByOutput: [String: LayoutTemplate] = [:]
    /// Counts the changes, so that a canvas knows when to solve its layout again.
    var revision = 0
  }

  private let scene: Mutex<Scene>
  private let floorNumber = Atomic<UInt32>(0)

  init(layout: LayoutTemplate) { scene = Mutex(Scene(layout: layout)) }

  var current: Scene { scene.withLock { $0 } }

  /// Applies a change whole: a canvas sees all of it or nothing.
  func change(_ body: (inout sending Scene) -> Void) {
    scene.withLock { scene in
      body(&scene)
      scene.revision += 1
    }
  }

  /// The participant who holds the active-speaker slot; nil while nobody spoke.
  var floor: UInt32? {
    get {
      let number = floorNumber.load(ordering: .relaxed)
      return number == 0 ? nil : number
    }
    set { floorNumber.store(newValue ?? 0, ordering: .relaxed) }
  }
}
