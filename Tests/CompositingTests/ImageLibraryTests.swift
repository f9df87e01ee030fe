import Compositing
import Foundation
import Layouts
import PixelKernels
import RawMedia
import Synchronization
import Testing

/// A folder of images made for one test.
final class ImageFolderOnDisk {
  let url = FileManager.default.temporaryDirectory.appending(path: "tutti-canvas-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }

  /// Writes a PNG of one colour.
  func write(_ name: String, _ color: YUVColor, _ width: Int = 64, _ height: Int = 36) throws {
    try Data(PNGEncoder.encode(CompositorTests.picture(color, width, height))).write(to: url.appending(path: name))
  }
}

@Suite struct ImageLibraryTests {
  private func library(_ folder: ImageFolderOnDisk, _ warnings: CompositingWarnings = .init()) -> ImageLibrary {
    ImageLibrary(layouts: folder.url.path, avatars: folder.url.path, execution: .inPlace, warnings: warnings)
  }

  private func compose(
    _ text: String, _ people: [String: SceneParticipant], _ images: ImageLibrary?, background: String? = nil,
    foreground: String? = nil
  ) throws -> Picture {
    var compositor = Compositor(width: 640, height: 360, resources: CanvasResources(images: images))
    var scene = try CompositorTests.scene(text, people, width: 640, height: 360)
    (scene.backgroundImage, scene.foregroundImage) = (background, foreground)
    return compositor.compose(scene).picture
  }

  private let half = "{slotDefaults: {label: false}, variants: [{slots: [{x: 0, y: 0, width: 180, height: 360}]}]}"

  @Test func backgroundsLieBehindAndForegroundsBefore() throws {
    let folder = try ImageFolderOnDisk()
    try folder.write("back.png", CompositorTests.green)
    try folder.write("front.png", CompositorTests.blue)
    let people = ["a": SceneParticipant(name: "a", picture: CompositorTests.picture(CompositorTests.red))]
    let behind = try compose(half, people, library(folder), background: "back.png")
    #expect(CompositorTests.near(CompositorTests.at(behind, 100, 100), CompositorTests.red))
    for (x, y) in [(320, 0), (639, 359), (480, 180)] {
      #expect(CompositorTests.near(CompositorTests.at(behind, x, y), CompositorTests.green))
    }
    let before = try compose(half, people, library(folder), foreground: "front.png")
    #expect(CompositorTests.near(CompositorTests.at(before, 100, 100), CompositorTests.blue))
  }

  @Test func placeholdersAndSlotsShowImages() throws {
    let folder = try ImageFolderOnDisk()
    try folder.write("still.png", CompositorTests.green, 36, 64)
    let placeholder =
      "{slotDefaults: {label: false, placeholder: {image: 'still.png'}}, variants: [{grid: {columns: 1, rows: 1}}]}"
    let shown = try compose(placeholder, ["a": SceneParticipant(name: "a")], library(folder))
    for (x, y) in [(0, 0), (639, 359), (320, 180)] {
      #expect(CompositorTests.near(CompositorTests.at(shown, x, y), CompositorTests.green))
    }
    let slot =
      "{variants: [{slots: [{x: 0, y: 0, width: 180, height: 360, source: 'image:still.png', fit: 'contain'}, "
      + "{x: 180, y: 0, width: 180, height: 360}]}]}"
    let image = try compose(slot, [:], library(folder))
    #expect(CompositorTests.near(CompositorTests.at(image, 160, 180), CompositorTests.green))
    #expect(CompositorTests.at(image, 10, 180) == YUVColor(CompositorTests.ground))
  }

  @Test func aTranslucentPlaceholderLetsTheBackgroundThrough() throws {
    let folder = try ImageFolderOnDisk()
    try folder.write("back.png", CompositorTests.green)
    let text =
      "{slotDefaults: {label: false, placeholder: {kind: 'color', color: '#00000080'}}, variants: [{grid: {columns: 1, rows: 1}}]}"
    let shown = try compose(text, ["a": SceneParticipant(name: "a")], library(folder), background: "back.png")
    let (luma, green) = (Int(CompositorTests.at(shown, 320, 180).y), Int(CompositorTests.green.y))
    #expect(abs(luma - (16 + (green - 16) / 2)) <= 2, "half as bright as \(green): \(luma)")
  }

  @Test func whatWasSentIsShownUntilItIsDiscarded() throws {
    let images = ImageLibrary(layouts: nil, execution: .inPlace)
    let text = "{slotDefaults: {label: false, placeholder: {color: '#000000'}}, variants: [{grid: {columns: 1, rows: 1}}]}"
    let people = ["a": SceneParticipant(name: "Ada", avatar: .init(.uploads, "1"))]
    try images.keep(PNGEncoder.encode(CompositorTests.picture(CompositorTests.green, 64, 64)), as: "1")
    images.refresh()
    #expect(CompositorTests.near(CompositorTests.at(try compose(text, people, images), 320, 180), CompositorTests.green))
    images.refresh()
    #expect(CompositorTests.near(CompositorTests.at(try compose(text, people, images), 320, 180), CompositorTests.green))
    images.discard("1")
    #expect(!CompositorTests.near(CompositorTests.at(try compose(text, people, images), 320, 180), CompositorTests.green))
    #expect(throws: (any Error).self) { try images.keep([1, 2, 3], as: "2") }
    #expect(throws: (any Error).self) { try images.bytes(of: .init(.uploads, "2")) }
  }

  @Test func anAvatarIsRoundAndInTheMiddle() throws {
    let folder = try ImageFolderOnDisk()
    try folder.write("ada.png", CompositorTests.green)
    let text = "{slotDefaults: {label: false, placeholder: {color: '#000000'}}, variants: [{grid: {columns: 1, rows: 1}}]}"
    let picture = try compose(text, ["a": SceneParticipant(name: "Ada", avatar: .init(.avatars, "ada.png"))], library(folder))
    #expect(CompositorTests.near(CompositorTests.at(picture, 320, 180), CompositorTests.green))
    #expect(CompositorTests.near(CompositorTests.at(picture, 320, 104), CompositorTests.green))
    #expect(CompositorTests.near(CompositorTests.at(picture, 246, 106), .black), "the corner of the square is cut")
  }

  @Test func whatIsMissingIsToldOnceAndReplaced() throws {
    let folder = try ImageFolderOnDisk()
    try Data("no image".utf8).write(to: folder.url.appending(path: "text.png"))
    let told = Told()
    let warnings = CompositingWarnings { told.add($0.description) }
    let images = library(folder, warnings)
    let text = "{slotDefaults: {placeholder: {image: 'gone.png'}}, variants: [{grid: {columns: 1, rows: 1}}]}"
    for _ in 0..<3 {
      for background in ["../secret.png", "text.png", nil] {
        let picture = try compose(
          text, ["a": SceneParticipant(name: "Ada", avatar: .init(.avatars, "gone.jpg"))], images, background: background)
        let plain = try compose(
          "{slotDefaults: {placeholder: {kind: 'initials'}}, variants: [{grid: {columns: 1, rows: 1}}]}",
          ["a": SceneParticipant(name: "Ada")], nil)
        #expect(CompositorTests.same(picture, plain))
      }
    }
    #expect(told.all.count == 4, "\(told.all)")
  }

  @Test func aFileWrittenAnewIsShownAfterARefresh() throws {
    let folder = try ImageFolderOnDisk()
    try folder.write("back.png", CompositorTests.green)
    let images = library(folder)
    var compositor = Compositor(width: 64, height: 64, resources: CanvasResources(images: images))
    let scene = Scene(tiles: [], participants: [:], background: CompositorTests.ground, backgroundImage: "back.png")
    #expect(CompositorTests.near(CompositorTests.at(compositor.compose(scene).picture, 9, 9), CompositorTests.green))
    try folder.write("back.png", CompositorTests.red, 65, 37)
    #expect(!compositor.compose(scene).changed)
    images.refresh()
    #expect(CompositorTests.near(CompositorTests.at(compositor.compose(scene).picture, 9, 9), CompositorTests.red))
    try FileManager.default.removeItem(at: folder.url.appending(path: "back.png"))
    images.refresh()
    #expect(CompositorTests.at(compositor.compose(scene).picture, 9, 9) == YUVColor(CompositorTests.ground))
    try folder.write("back.png", CompositorTests.blue)
    images.refresh()
    #expect(CompositorTests.near(CompositorTests.at(compositor.compose(scene).picture, 9, 9), CompositorTests.blue))
  }

  @Test func theFallbackIsShownUntilTheQueueHasLoaded() throws {
    let folder = try ImageFolderOnDisk()
    try folder.write("back.png", CompositorTests.green)
    let images = ImageLibrary(layouts: folder.url.path)
    var compositor = Compositor(width: 64, height: 64, resources: CanvasResources(images: images))
    let scene = Scene(tiles: [], participants: [:], background: CompositorTests.ground, backgroundImage: "back.png")
    let first = compositor.compose(scene).picture
    #expect(CompositorTests.at(first, 9, 9) == YUVColor(CompositorTests.ground))
    images.waitUntilLoaded()
    let second = compositor.compose(scene)
    #expect(second.changed && CompositorTests.near(CompositorTests.at(second.picture, 9, 9), CompositorTests.green))
  }

  private final class Told: Sendable {
    private let list = Mutex<[String]>([])
    var all: [String] { list.withLock { $0 } }
    func add(_ text: String) { list.withLock { $0.append(text) } }
  }
}
