import Layouts
import PixelKernels
import RawMedia

/// Lays out what is drawn for a tile: picture or placeholder, border, label. Draws nothing itself but text.
struct SheetBuilder: Sendable {
  let resources: CanvasResources
  private var placements = PlacementCache()

  init(_ resources: CanvasResources) { self.resources = resources }

  /// The tile that shows how many are missing.
  private static let countColor = LayoutColor(red: 0x2A, green: 0x31, blue: 0x3A)
  /// What is laid over a stale picture.
  private static let veil = Layer.Content.fill(YUVColor.black, alpha: 0x80)

  /// - Parameter old: what the tile showed before.
  mutating func sheet(_ look: TileLook, key: Int, replacing old: Sheet? = nil) -> Sheet {
    if let old, !old.isPending, let before = old.look, let picture = look.newPicture(since: before) {
      return Sheet(old, look: look, picture: picture)
    }
    let sheet = Sheet(key: key, area: look.area, radius: look.radius, opacity: look.opacity, layers: [], look: look)
    let label = look.label.flatMap { place($0, look) }
    switch look.subject {
    case .picture(let picture, let rotation, let isFrozen): addPicture(picture, rotation, isFrozen, look, sheet)
    case .placeholder(let name, let style, let avatar): addPlaceholder(name, style, avatar, look, label?.area, sheet)
    case .image(let file):
      if let image = image(.init(.layouts, file), look.restingWidth, look.restingHeight, look.fit, false, sheet) {
        add(.subject, image.overlay, isOpaque: image.isOpaque, look.area, sheet)
      }
    case .more(let count):
      sheet.layers.append(Layer(role: .base, area: look.area, content: .fill(YUVColor(Self.countColor), alpha: 255)))
      if let emblem = emblem("+\(count)", look, part: 0.3, isOnDisc: false) { addEmblem(emblem, look.area, sheet) }
    }
    if let border = look.border { add(border, look, sheet) }
    if let label { sheet.layers.append(label) }
    if sheet.isGroup, !sheet.layers.contains(where: { $0.isOpaque && $0.area == look.area }) {
      let ground = Layer(role: .base, area: look.area, content: .fill(YUVColor(look.background), alpha: 255))
      sheet.layers.insert(ground, at: 0)
    }
    sheet.seal()
    return sheet
  }

  /// The colour behind everything.
  func ground(_ color: LayoutColor, key: Int, canvas: PixelArea) -> Sheet {
    let layer = Layer(role: .base, area: canvas, content: .fill(YUVColor(color), alpha: 255))
    let sheet = Sheet(key: key, area: canvas, layers: [layer])
    sheet.seal()
    return sheet
  }

  /// An image that fills the canvas, behind or before all tiles.
  func canvasImage(_ file: String, _ fit: LayoutFit, key: Int, canvas: PixelArea) -> Sheet {
    let sheet = Sheet(key: key, area: canvas, layers: [])
    if let image = image(.init(.layouts, file), canvas.width, canvas.height, fit, false, sheet) {
      add(.subject, image.overlay, isOpaque: image.isOpaque, canvas, sheet)
    }
    sheet.seal()
    return sheet
  }

  // MARK: Pictures and images

  private mutating func addPicture(
    _ picture: Picture, _ rotation: Rotation, _ isFrozen: Bool, _ look: TileLook, _ sheet: Sheet
  ) {
    let shape = Placement.Shape(
      pictureWidth: picture.width, pictureHeight: picture.height, rotation: rotation, fit: look.fit, width: look.area.width,
      height: look.area.height)
    let placement = placements.placement(shape, keeps: !look.isMoving)
    let area = PixelArea(
      x: look.area.x + placement.x, y: look.area.y + placement.y, width: placement.width, height: placement.height)
    let placed = PlacedPicture(
      picture: picture, person: look.isMoving ? nil : look.person, shape: shape, placement: placement)
    sheet.layers.append(Layer(role: .subject, area: area, content: .picture(placed)))
    if isFrozen { sheet.layers.append(Layer(role: .veil, area: area, content: Self.veil)) }
  }

  /// An image at a size; nil while it is not there, and the sheet pending while it is being loaded.
  private func image(
    _ reference: ImageReference, _ width: Int, _ height: Int, _ fit: LayoutFit, _ isRound: Bool, _ sheet: Sheet
  ) -> (overlay: Overlay, isOpaque: Bool)? {
    guard let images = resources.images, width > 1, height > 1 else { return nil }
    switch images.image(.init(reference: reference, width: width, height: height, fit: fit, isRound: isRound)) {
    case .ready(let overlay, let isOpaque): return (overlay, isOpaque)
    case .missing: return nil
    case .loading:
      sheet.isPending = true
      return nil
    }
  }

  /// Lays an overlay into the middle of an area; what sticks out is cut.
  private func add(_ role: Layer.Role, _ overlay: Overlay, isOpaque: Bool, _ area: PixelArea, _ sheet: Sheet) {
    let origin = Self.centre(overlay, area)
    let whole = PixelArea(x: origin.x, y: origin.y, width: overlay.width, height: overlay.height)
    let content = Layer.Content.overlay(overlay, x: origin.x, y: origin.y, isOpaque: isOpaque)
    sheet.layers.append(Layer(role: role, area: whole.intersection(area), content: content))
  }

  private static func centre(_ overlay: Overlay, _ area: PixelArea) -> (x: Int, y: Int) {
    (area.x + ((area.width - overlay.width) >> 2) * 2, area.y + ((area.height - overlay.height) >> 2) * 2)
  }

  // MARK: Placeholders

  private func addPlaceholder(
    _ name: String, _ style: LayoutPlaceholder, _ avatar: ImageReference?, _ look: TileLook, _ label: PixelArea?, _ sheet: Sheet
  ) {
    let ground = style.color ?? color(of: name)
    if ground.alpha > 0 {
      sheet.layers.append(Layer(role: .base, area: look.area, content: .fill(YUVColor(ground), alpha: ground.alpha)))
    }
    if style.kind == .color { return }
    if style.kind == .image, let file = style.image,
      let image = image(.init(.layouts, file), look.restingWidth, look.restingHeight, .cover, false, sheet)
    {
      return add(.subject, image.overlay, isOpaque: image.isOpaque, look.area, sheet)
    }
    if style.kind != .name, let avatar {
      let side = min(look.restingWidth, look.restingHeight) * 9 / 20 & ~1
      if let image = image(avatar, side, side, .cover, true, sheet) {
        return addEmblem(image.overlay, look.area, sheet)
      }
    }
    // Somebody without a label is still to be known by name.
    let writesName = style.kind == .name || (style.kind == .initials && label == nil && !name.isEmpty)
    let emblem =
      writesName
      ? emblem(name, look, part: 0.14, wraps: label == nil, isOnDisc: false)
      : emblem(initials(of: name), look, part: 0.22, isOnDisc: true)
    guard let emblem else { return }
    // Where there is room for one of them only, it is the label's.
    let top = look.area.y + (look.area.height - emblem.height) / 2
    if let label, label.y < top + emblem.height, label.y + label.height > top { return }
    addEmblem(emblem, look.area, sheet)
  }

  /// - Parameter wraps: whether what is too long for a line goes on in the next, over the height of the tile.
  private func emblem(_ line: String, _ look: TileLook, part: Double, wraps: Bool = false, isOnDisc: Bool) -> Overlay? {
    let size = max(Int(Double(min(look.restingHeight, look.restingWidth)) * part), Int(TextRenderer.sizeMin))
    guard !line.isEmpty else { return nil }
    return resources.lettering.emblem(
      line, size: size, widthMax: look.restingWidth * 9 / 10, heightMax: wraps ? look.restingHeight * 9 / 10 : 0,
      isOnDisc: isOnDisc)
  }

  /// Lays an overlay into the middle of a tile, unless it is too large for it.
  private func addEmblem(_ overlay: Overlay, _ area: PixelArea, _ sheet: Sheet) {
    guard overlay.width <= area.width, overlay.height <= area.height else { return }
    add(.emblem, overlay, isOpaque: false, area, sheet)
  }

  // MARK: Border and label

  private func add(_ border: TileLook.Border, _ look: TileLook, _ sheet: Sheet) {
    let (area, width) = (look.area, border.width)
    guard width > 0 else { return }
    if look.radius > 0 {
      // On the way it would have to be drawn for each size it has.
      guard !look.isMoving,
        let ring = resources.lettering.ring(width: area.width, height: area.height, radius: look.radius, border)
      else { return }
      return add(.border, ring, isOpaque: false, area, sheet)
    }
    let content = Layer.Content.fill(YUVColor(border.color), alpha: border.color.alpha)
    let (right, bottom) = (area.x + area.width - width, area.y + area.height - width)
    let side = area.height - 2 * width
    for (role, x, y, width, height) in [
      (Layer.Role.borderTop, area.x, area.y, area.width, width), (.borderBottom, area.x, bottom, area.width, width),
      (.borderLeft, area.x, area.y + width, width, side), (.borderRight, right, area.y + width, width, side),
    ] where height > 0 {
      sheet.layers.append(
        Layer(role: role, area: PixelArea(x: x, y: y, width: width, height: height), content: content))
    }
  }

  /// Nil where the tile is too small for letters that can be read.
  private func place(_ label: TileLook.Label, _ look: TileLook) -> Layer? {
    let area = look.area
    let wanted = label.style.size.map { $0 * Double(look.restingHeight) } ?? min(Double(look.restingHeight) * 0.05, 28)
    let size = max(wanted, TextRenderer.sizeMin).rounded()
    let margin = (look.borderWidth + look.radius / 4 + Int(size) / 3 + 1) & ~1
    let widthMax = look.restingWidth - 2 * margin
    let room = (width: area.width - 2 * margin, height: min(area.height - 2 * margin, area.height * 2 / 3))
    guard widthMax > Int(size) * 2 else { return nil }
    guard let overlay = resources.lettering.label(label, size: Int(size), widthMax: widthMax) else { return nil }
    guard overlay.width <= room.width, overlay.height <= room.height else { return nil }
    let (right, bottom) = (area.width - overlay.width - margin, area.height - overlay.height - margin)
    let (middle, position) = ((area.width - overlay.width) / 4 * 2, label.style.position)
    let x =
      switch position {
      case .topLeft, .bottomLeft: margin
      case .top, .bottom: middle
      case .topRight, .bottomRight: right
      }
    let isAtTop = position == .top || position == .topLeft || position == .topRight
    let (left, top) = (area.x + x, area.y + (isAtTop ? margin : bottom))
    return Layer(
      role: .label, area: PixelArea(x: left, y: top, width: overlay.width, height: overlay.height),
      content: .overlay(overlay, x: left, y: top, isOpaque: false))
  }
}
