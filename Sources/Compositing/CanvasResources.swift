/// What the canvases of a room have in common; canvases of different threads may use it at once.
package struct CanvasResources: Sendable {
  package let scaled: ScaledPictures
  package let lettering: Lettering
  /// Nil where no images are to be shown.
  package let images: ImageLibrary?

  /// Looks up fonts where `lettering` is nil, which takes some 50 ms the first time in a process: no work for a tick.
  ///
  /// - Parameters:
  ///   - images: of the whole process.
  ///   - lettering: of the process too, where rooms share; new for this room otherwise.
  package init(
    images: ImageLibrary? = nil, lettering: Lettering? = nil, warnings: CompositingWarnings = CompositingWarnings()
  ) {
    self.images = images
    scaled = ScaledPictures()
    self.lettering = lettering ?? Lettering(warnings: warnings)
  }

  /// For the canvases of another room: the images and the text of the process, and pictures of its own.
  package func ofAnotherRoom() -> CanvasResources { CanvasResources(images: images, lettering: lettering) }
}
