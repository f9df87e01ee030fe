import Layouts
import PixelKernels
import RawMedia

/// Draws one tile: picture or placeholder, border, label.
struct TilePainter: ~Copyable, Sendable {
  private var scaler = PlaneScaler()
  private var placements = PlacementCache()
  private var text: TextRenderer?
  private var hasTriedFonts = false
  private var overlays = OverlayCache()
  private var background = YUVColor.black

  init() {}

  mutating func begin(background: YUVColor) {
    self.background = background
    overlays.tick += 1
  }

  mutating func paint(_ look: TileLook, on canvas: Picture) {
    switch look.subject {
    case .picture(let picture, let rotation, let isFrozen):
      place(picture, rotation, look, canvas)
      if isFrozen { center(veil(look.area), look.area, canvas) }
    case .placeholder(let name, let style): paintPlaceholder(name, style, look, canvas)
    case .more(let count):
      canvas.fill(look.area, with: YUVColor(LayoutColor(red: 0x2A, green: 0x31, blue: 0x3A)))
      center(emblem("+\(count)", look.area, part: 0.3, isOnDisc: false), look.area, canvas)
    case .plain: canvas.fill(look.area, with: background)
    }
    if let border = look.border { paint(border, look.area, canvas) }
    if let label = look.label { paint(label, inset: look.border?.width ?? 0, look.area, canvas) }
  }

  // MARK: Pictures

  private mutating func place(_ picture: Picture, _ rotation: Rotation, _ look: TileLook, _ canvas: Picture) {
    let placement = placements.placement(
      of: picture, rotation: rotation, fit: look.fit, width: look.area.width, height: look.area.height)
    if placement.hasBars { canvas.fill(look.area, with: background) }
    let (x, y) = (look.area.x + placement.x, look.area.y + placement.y)
    guard let upright = placement.beforeTurning else {
      scaler.scale(picture, into: canvas, x: x, y: y, placement.plan)
      return
    }
    scaler.scale(picture, into: upright, x: 0, y: 0, placement.plan)
    turn(upright, rotation, canvas, x, y)
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
    _ name: String, _ style: LayoutPlaceholder, _ look: TileLook, _ canvas: Picture
  ) {
    canvas.fill(look.area, with: YUVColor(style.color ?? color(of: name)))
    // Somebody without a label is still to be known by name.
    let kind = style.kind == .initials && look.label == nil ? .name : style.kind
    switch kind {
    case .color: break
    case .name: center(emblem(name, look.area, part: 0.14, isOnDisc: false), look.area, canvas)
    case .initials, .image:
      center(emblem(initials(of: name), look.area, part: 0.22, isOnDisc: true), look.area, canvas)
    }
  }

  private mutating func emblem(_ text: String, _ area: PixelArea, part: Double, isOnDisc: Bool) -> Overlay? {
    let size = Int(Double(min(area.height, area.width)) * part)
    guard Double(size) >= TextRenderer.sizeMin - 4, !text.isEmpty, let renderer = renderer() else { return nil }
    let widthMax = area.width * 9 / 10
    return overlays.overlay(.emblem(text: text, size: size, widthMax: widthMax, isOnDisc: isOnDisc)) {
      renderer.emblem(text, size: Double(size), widthMax: widthMax, isOnDisc: isOnDisc)
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

  private mutating func paint(_ label: TileLook.Label, inset: Int, _ area: PixelArea, _ canvas: Picture) {
    let wanted = label.style.size.map { $0 * Double(area.height) } ?? min(Double(area.height) * 0.06, 32)
    let size = max(wanted, TextRenderer.sizeMin + 2).rounded()
    let margin = (inset + Int(size) / 3 + 1) & ~1
    let (widthMax, heightMax) = (area.width - 2 * margin, area.height * 2 / 3 - margin)
    guard widthMax > Int(size) * 2, let renderer = renderer() else { return }
    let key = OverlayCache.Key.label(
      text: label.text, isMuted: label.isMuted, color: label.style.color, background: label.style.background, size: Int(size),
      widthMax: widthMax)
    let overlay = overlays.overlay(key) { renderer.label(label, size: size, widthMax: widthMax) }
    guard let overlay, overlay.width <= widthMax, overlay.height <= heightMax else { return }
    let (right, bottom) = (area.width - overlay.width - margin, area.height - overlay.height - margin)
    let x =
      switch label.style.position {
      case .topLeft, .bottomLeft: margin
      case .top, .bottom: (area.width - overlay.width) / 4 * 2
      case .topRight, .bottomRight: right
      }
    let y =
      switch label.style.position {
      case .topLeft, .top, .topRight: margin
      case .bottomLeft, .bottom, .bottomRight: bottom
      }
    canvas.blend(overlay, x: area.x + x, y: area.y + y)
  }

  /// Fonts are looked up when the first text is drawn; where there are none, no text is.
  private mutating func renderer() -> TextRenderer? {
    if !hasTriedFonts {
      hasTriedFonts = true
      text = TextRenderer()
    }
    return text
  }
}
