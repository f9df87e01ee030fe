import Layouts
import PixelKernels
import RawMedia

/// Draws one tile: picture or placeholder, border, label.
struct TilePainter: ~Copyable, Sendable {
  private var scaler = PlaneScaler()
  private var placements = PlacementCache()
  /// What is scaled before it is turned into its tile: as many sizes as a layout usually has.
  private var turning = TurningPictures()
  /// Nil where there is no font: then no text is drawn.
  private let text = TextRenderer()
  private var overlays = OverlayCache()
  private var background = YUVColor.black

  init() {}

  var lacksFonts: Bool { text == nil }

  mutating func begin(background: YUVColor) {
    self.background = background
    overlays.tick += 1
  }

  mutating func paint(_ look: TileLook, on canvas: Picture) {
    let label = look.label.flatMap { place($0, inset: (look.border?.width ?? 0) + look.radius / 4, look.area) }
    switch look.subject {
    case .picture(let picture, let rotation, let isFrozen):
      place(picture, rotation, look, canvas)
      if isFrozen { center(veil(look.area), look.area, canvas) }
    case .placeholder(let name, let style): paintPlaceholder(name, style, look.area, label, canvas)
    case .more(let count):
      canvas.fill(look.area, with: YUVColor(LayoutColor(red: 0x2A, green: 0x31, blue: 0x3A)))
      center(emblem("+\(count)", look.area, part: 0.3, isOnDisc: false), look.area, canvas)
    case .plain: canvas.fill(look.area, with: background)
    }
    if let border = look.border {
      if look.radius > 0 {
        center(ring(border, look), look.area, canvas)
      } else {
        paint(border, look.area, canvas)
      }
    }
    if let label { canvas.blend(label.overlay, x: label.x, y: label.y) }
  }

  // MARK: Pictures

  private mutating func place(_ picture: Picture, _ rotation: Rotation, _ look: TileLook, _ canvas: Picture) {
    let placement = placements.placement(
      of: picture, rotation: rotation, fit: look.fit, width: look.area.width, height: look.area.height)
    if placement.hasBars { canvas.fill(look.area, with: background) }
    let (x, y) = (look.area.x + placement.x, look.area.y + placement.y)
    guard rotation != .none else {
      scaler.scale(picture, into: canvas, x: x, y: y, placement.plan)
      return
    }
    let scaled = turning.take(width: placement.plan.width, height: placement.plan.height)
    scaler.scale(picture, into: scaled, x: 0, y: 0, placement.plan)
    turn(scaled, rotation, canvas, x, y)
  }

  /// Turns a whole picture straight into its place.
  private func turn(_ picture: Picture, _ rotation: Rotation, _ canvas: Picture, _ x: Int, _ y: Int) {
    rotatePlane(
      picture.luma, stride: picture.lumaStride, width: picture.width, height: picture.height,
      to: canvas.luma + y * canvas.lumaStride + x, stride: canvas.lumaStride, by: rotation)
    let offset = y / 2 * canvas.chromaStride + x / 2
    rotatePlane(
      picture.chromaBlue, stride: picture.chromaStride, width: picture.chromaWidth, height: picture.chromaHeight,
      to: canvas.chromaBlue + offset, stride: canvas.chromaStride, by: rotation)
    rotatePlane(
      picture.chromaRed, stride: picture.chromaStride, width: picture.chromaWidth, height: picture.chromaHeight,
      to: canvas.chromaRed + offset, stride: canvas.chromaStride, by: rotation)
  }

  /// Darkens a stale picture.
  private mutating func veil(_ area: PixelArea) -> Overlay? {
    overlays.overlay(.veil(width: area.width, height: area.height)) {
      guard let surface = CairoSurface(width: area.width, height: area.height) else { return nil }
      surface.fillRounded(
        width: Double(area.width), height: Double(area.height), radius: 0, LayoutColor(red: 0, green: 0, blue: 0, alpha: 0x80))
      return surface.overlay()
    }
  }

  // MARK: Placeholders

  private mutating func paintPlaceholder(
    _ name: String, _ style: LayoutPlaceholder, _ area: PixelArea, _ label: PlacedLabel?, _ canvas: Picture
  ) {
    canvas.fill(area, with: YUVColor(style.color ?? color(of: name)))
    // Somebody without a label is still to be known by name.
    let kind = style.kind == .initials && label == nil && !name.isEmpty ? .name : style.kind
    let emblem: Overlay? =
      switch kind {
      case .color: nil
      case .name: emblem(name, area, part: 0.14, isOnDisc: false)
      case .initials, .image, .avatar: emblem(initials(of: name), area, part: 0.22, isOnDisc: true)
      }
    guard let emblem else { return }
    // Where there is room for one of them only, it is the label's.
    let middle = (top: area.y + (area.height - emblem.height) / 2, bottom: area.y + (area.height + emblem.height) / 2)
    if let label, label.y < middle.bottom, label.y + label.overlay.height > middle.top { return }
    center(emblem, area, canvas)
  }

  private mutating func emblem(_ line: String, _ area: PixelArea, part: Double, isOnDisc: Bool) -> Overlay? {
    let size = max(Int(Double(min(area.height, area.width)) * part), Int(TextRenderer.sizeMin))
    guard !line.isEmpty, let text else { return nil }
    let widthMax = area.width * 9 / 10
    return overlays.overlay(.emblem(text: line, size: size, widthMax: widthMax, isOnDisc: isOnDisc)) {
      text.emblem(line, size: Double(size), widthMax: widthMax, isOnDisc: isOnDisc)
    }
  }

  /// Lays an overlay into the middle of an area, unless it is too large for it.
  private func center(_ overlay: Overlay?, _ area: PixelArea, _ canvas: Picture) {
    guard let overlay, overlay.width <= area.width, overlay.height <= area.height else { return }
    canvas.blend(overlay, x: area.x + (area.width - overlay.width) / 4 * 2, y: area.y + (area.height - overlay.height) / 4 * 2)
  }

  // MARK: Border and label

  private func paint(_ border: TileLook.Border, _ area: PixelArea, _ canvas: Picture) {
    let (width, color) = (border.width, YUVColor(border.color))
    guard width > 0 else { return }
    let (right, bottom) = (area.x + area.width - width, area.y + area.height - width)
    canvas.fill(PixelArea(x: area.x, y: area.y, width: area.width, height: width), with: color)
    canvas.fill(PixelArea(x: area.x, y: bottom, width: area.width, height: width), with: color)
    canvas.fill(PixelArea(x: area.x, y: area.y, width: width, height: area.height), with: color)
    canvas.fill(PixelArea(x: right, y: area.y, width: width, height: area.height), with: color)
  }

  /// The border of a tile with round corners.
  private mutating func ring(_ border: TileLook.Border, _ look: TileLook) -> Overlay? {
    let (width, height) = (look.area.width, look.area.height)
    let key = OverlayCache.Key.ring(
      width: width, height: height, radius: look.radius, border: border.width, color: border.color)
    return overlays.overlay(key) {
      guard let surface = CairoSurface(width: width, height: height) else { return nil }
      surface.strokeRounded(
        width: Double(width), height: Double(height), radius: Double(look.radius), line: Double(border.width), border.color)
      return surface.overlay()
    }
  }

  /// A label drawn, and where it lies on the canvas.
  private struct PlacedLabel {
    var overlay: Overlay
    var x: Int
    var y: Int
  }

  /// Nil where the tile is too small for letters that can be read.
  private mutating func place(_ label: TileLook.Label, inset: Int, _ area: PixelArea) -> PlacedLabel? {
    let wanted = label.style.size.map { $0 * Double(area.height) } ?? min(Double(area.height) * 0.05, 28)
    let size = max(wanted, TextRenderer.sizeMin).rounded()
    let margin = (inset + Int(size) / 3 + 1) & ~1
    let (widthMax, heightMax) = (area.width - 2 * margin, min(area.height - 2 * margin, area.height * 2 / 3))
    guard widthMax > Int(size) * 2, let text else { return nil }
    let key = OverlayCache.Key.label(
      text: label.text, isMuted: label.isMuted, color: label.style.color, background: label.style.background, size: Int(size),
      widthMax: widthMax)
    let overlay = overlays.overlay(key) { text.label(label, size: size, widthMax: widthMax) }
    guard let overlay, overlay.width <= widthMax, overlay.height <= heightMax else { return nil }
    let (right, bottom) = (area.width - overlay.width - margin, area.height - overlay.height - margin)
    let (middle, position) = ((area.width - overlay.width) / 4 * 2, label.style.position)
    let x =
      switch position {
      case .topLeft, .bottomLeft: margin
      case .top, .bottom: middle
      case .topRight, .bottomRight: right
      }
    let isAtTop = position == .top || position == .topLeft || position == .topRight
    return PlacedLabel(overlay: overlay, x: area.x + x, y: area.y + (isAtTop ? margin : bottom))
  }
}
