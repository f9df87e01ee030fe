import LoadGenerator
import RawMedia
import Testing

@Suite struct CameraSceneTests {
  /// Wherever the texture ends and begins again, neighbours differ no more than elsewhere.
  @Test func thePictureShowsNoSeams() {
    for (width, height) in [(640, 360), (1280, 720)] {
      var scene = CameraScene(width: width, height: height, seed: 1)
      let picture = Picture(width: width, height: height)
      scene.draw(0, on: picture)
      func step(_ x: Int) -> Int {
        (0..<height).reduce(0) { sum, y in
          let row = y * picture.lumaStride
          return sum + abs(Int(picture.luma[row + x]) - Int(picture.luma[row + x - 1]))
        } / height
      }
      let steps = (1..<width).map(step)
      #expect((steps.max() ?? .max) <= 2 * (steps.reduce(0, +) / steps.count) + 1, "\(width): \(steps.max() ?? 0)")
    }
  }
}
