import Compositing
import Glibc
import Layouts
import RawMedia

/// Composing a room where few move, beside drawing everything at each tick.
enum StillTilesBenchmark {
  private static let people = 16
  private static let movers = 3
  private static let ticks = 200

  static func run() throws {
    var table = Table(
      "video, still: a room of \(people) at 1280x720, of whom \(movers) move",
      note:
        "Composing as canvases do, from cameras of 640x360, with names and borders; CPU ms a canvas, medians of alternating repetitions."
        + " The others\nhave sent one picture and no more (still), or show their avatars and initials (no camera). All anew: the same"
        + " without remembering anything.\nAll move: what the room costs once everybody does.",
      columns: ["others", "composing", "all anew", "all move", "/ all anew", "/ all move"])
    let cameras = try DecodedCameras(width: 640, height: 360, count: people + movers).pictures
    let folder = try AvatarFolder(of: cameras)
    for others in Others.allCases {
      let row = try measure(others, cameras, folder.path)
      table.add(
        [others.rawValue] + row.map { figure($0, 3) } + [figure(row[0] / row[1]), figure(row[0] / row[2])])
      let share = row[0] / row[others == .still ? 1 : 2]
      let against = others == .still ? "drawing all anew" : "a room where all move"
      verdict("others \(others.rawValue): at most a quarter of \(against): \(figure(share))", share <= 0.25)
    }
    table.print()
  }

  private enum Others: String, CaseIterable {
    case still
    case noCamera = "no camera"
  }

  private static func measure(_ others: Others, _ cameras: [Picture], _ avatars: String) throws -> [Double] {
    let stages = try [(false, movers), (true, movers), (false, people)].map { forgets, moving in
      Stage(try scene(others, cameras), cameras, moving: moving, forgets: forgets, avatars: avatars)
    }
    return try alternate(stages.map { stage in { stage.run(ticks) } })
  }

  private static func scene(_ others: Others, _ cameras: [Picture]) throws -> Scene {
    let text = """
      { slotDefaults: { border: { width: 2, color: '#000000' }, placeholder: 'avatar' },
        variants: [ { grid: { columns: 4, rows: 4 } } ] }
      """
    let template: LayoutTemplate
    do { template = try LayoutTemplate(parsing: Array(text.utf8), name: "still") } catch {
      throw BenchmarkError("the layout: \(error.faults)")
    }
    let names = (0..<people).map { "Person \($0)" }
    var solver = LayoutSolver(template, width: Grid.width, height: Grid.height)
    solver.arrange(names.map { LayoutPerson(id: $0) })
    var participants: [String: SceneParticipant] = [:]
    for (index, name) in names.enumerated() {
      let hasCamera = others == .still || index < movers
      participants[name] = SceneParticipant(
        name: name, picture: hasCamera ? cameras[index] : nil, isMuted: index % 2 == 1,
        avatar: index % 2 == 0 ? .init(.avatars, "\(index).png") : nil)
    }
    return Scene(tiles: solver.tiles(width: Grid.width, height: Grid.height), participants: participants, layout: template)
  }

  /// A canvas whose first people move.
  private final class Stage {
    private var scene: Scene
    private var compositor: Compositor
    private let cameras: [Picture]
    private let moving: Int
    private let forgets: Bool
    private var tick = 0

    init(_ scene: Scene, _ cameras: [Picture], moving: Int, forgets: Bool, avatars: String) {
      (self.scene, self.cameras, self.moving, self.forgets) = (scene, cameras, moving, forgets)
      let images = ImageLibrary(layouts: nil, avatars: avatars, execution: .inPlace)
      compositor = Compositor(width: Grid.width, height: Grid.height, resources: CanvasResources(images: images))
      _ = run(4)
    }

    /// CPU milliseconds a canvas.
    func run(_ ticks: Int) -> Double {
      threadTime { for _ in 0..<ticks { draw() } } / Double(ticks) / 1e6
    }

    private func draw() {
      tick += 1
      for index in 0..<moving { scene.participants["Person \(index)"]?.picture = cameras[(index + tick) % cameras.count] }
      if forgets { compositor.forget() }
      keep(compositor.compose(scene))
    }
  }
}

/// A folder of avatars that is gone with this.
private final class AvatarFolder {
  let path: String

  init(of cameras: [Picture]) throws {
    var template = Array("/tmp/tutti-avatars-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw BenchmarkError("no folder can be made in /tmp") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    for (index, camera) in cameras.enumerated() {
      let bytes = PNGEncoder.encode(camera)
      guard let file = fopen("\(path)/\(index).png", "wb") else { continue }
      fwrite(bytes, 1, bytes.count, file)
      fclose(file)
    }
  }

  deinit {
    for index in 0..<100 { unlink("\(path)/\(index).png") }
    rmdir(path)
  }
}
