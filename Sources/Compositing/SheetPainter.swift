import PixelKernels
import RawMedia

/// Draws sheets on a canvas, only where they are seen and only within a region.
///
/// A picture that is drawn straight into the canvas is drawn whole, so whatever lies over it is drawn again: the region grows by it.
/// Pictures kept scaled, fills and overlays are cut to the region.
struct SheetPainter: ~Copyable, Sendable {
  private let kernels: KernelSet
  private let subscription: ScaledPictures.Subscription
  private var drawer: PictureDrawer
  private var masks: [MaskKey: AlphaMask] = [:]
  /// For each sheet that is blended as a whole: it, drawn flat.
  private var flats: [Int: Flat] = [:]
  /// Whose pictures are subscribed to.
  private var needed: [Sheet] = []
  /// Pixels written so far by any means.
  private(set) var pixelsDrawn = 0
  var pixelsScaled: Int { drawer.pixelsScaled }

  private struct MaskKey: Hashable {
    var width: Int
    var height: Int
    var radius: Int
  }
  private struct Flat {
    var picture: Picture
    var area: PixelArea
    var layers: [Layer]
  }
  private static let masksMax = 32

  init(kernels: KernelSet, scaled: ScaledPictures) {
    self.kernels = kernels
    subscription = ScaledPictures.Subscription(scaled)
    drawer = PictureDrawer(kernels: kernels)
  }

  /// Draws all anew from now on.
  mutating func forget() { flats = [:] }

  /// Says which pictures the sheets show at which sizes, so that what several canvases need is scaled once.
  mutating func need(_ sheets: [Sheet]) {
    let isKnown =
      sheets.count == needed.count
      && zip(sheets, needed).allSatisfy {
        $0 === $1 || $0.isNewPicture(in: $1) || ($0.area == $1.area && $0.placedPicture?.demand == $1.placedPicture?.demand)
      }
    // Also where nothing is new, lest pictures of before are held.
    needed = sheets
    guard !isKnown else { return }
    var demands: [ScaledPictures.Demand: Bool] = [:]
    for sheet in sheets {
      guard let demand = sheet.placedPicture?.demand else { continue }
      let overlaps = sheets.contains { $0 !== sheet && $0.look != nil && !$0.area.intersection(sheet.area).isEmpty }
      demands[demand] = overlaps || demands[demand] != nil
    }
    subscription.need(demands)
  }

  /// - Parameters:
  ///   - sheets: farthest first; together they cover the canvas.
  ///   - region: what is to be right afterwards; everything else has to be right before.
  ///   - canvas: the picture drawn on.
  mutating func paint(_ sheets: [Sheet], _ region: Region, on canvas: Picture) {
    if !flats.isEmpty { flats = flats.filter { flat in sheets.contains { $0.key == flat.key && $0.isGroup } } }
    var region = region
    var visible = Self.visible(sheets, region)
    var kept: [Int: Picture] = [:]
    collect(sheets, visible, &kept)
    while Self.grow(&region, sheets, visible, kept) { visible = Self.visible(sheets, region) }
    // What grew may show pictures that were not looked at before.
    collect(sheets, visible, &kept)
    for (index, sheet) in sheets.enumerated() where !visible[index].isEmpty {
      if sheet.isGroup {
        blend(sheet, kept[index], visible[index], canvas)
      } else {
        paint(sheet, kept[index], visible[index], canvas, x: 0, y: 0)
      }
    }
  }

  // MARK: What is seen

  /// For each sheet what of the region shows it.
  private static func visible(_ sheets: [Sheet], _ region: Region) -> [Region] {
    var rest = region
    var result = Array(repeating: Region(), count: sheets.count)
    for index in sheets.indices.reversed() where !rest.isEmpty {
      result[index] = rest.intersection(sheets[index].area)
      guard !result[index].isEmpty else { continue }
      for area in sheets[index].opaqueAreas { rest.subtract(area) }
    }
    return result
  }

  /// Adds pictures that have to be drawn whole.
  ///
  /// - Returns: whether the region grew.
  private static func grow(_ region: inout Region, _ sheets: [Sheet], _ visible: [Region], _ kept: [Int: Picture]) -> Bool {
    var hasGrown = false
    for (index, sheet) in sheets.enumerated() where !sheet.isGroup && kept[index] == nil && !visible[index].isEmpty {
      guard let place = sheet.pictureLayer, !region.covers(sheet.layers[place].area) else { continue }
      guard !sheet.visible(in: visible[index])[place].isEmpty else { continue }
      region.insert(sheet.layers[place].area)
      hasGrown = true
    }
    return hasGrown
  }

  // MARK: Kept pictures

  /// Finds or makes the kept pictures of sheets that are seen: first those nobody else is at, each canvas beginning elsewhere.
  private mutating func collect(_ sheets: [Sheet], _ visible: [Region], _ kept: inout [Int: Picture]) {
    guard subscription.hasEntries else { return }
    let waiting = sheets.indices.filter { !visible[$0].isEmpty && kept[$0] == nil }
    guard !waiting.isEmpty else { return }
    let start = subscription.number &* 7 % waiting.count
    var late: [Int] = []
    for index in waiting[start...] + waiting[..<start] {
      guard let (placed, entry) = entry(sheets[index]) else { continue }
      let found = entry.pictureIfFree(of: placed.picture, placed.placement) { scaled in
        drawer.draw(placed.picture, placed.placement, placed.shape.rotation, on: scaled, x: 0, y: 0)
      }
      if let found { kept[index] = found } else { late.append(index) }
    }
    for index in late {
      guard let (placed, entry) = entry(sheets[index]) else { continue }
      kept[index] = entry.picture(of: placed.picture, placed.placement) { scaled in
        drawer.draw(placed.picture, placed.placement, placed.shape.rotation, on: scaled, x: 0, y: 0)
      }
    }
  }

  private func entry(_ sheet: Sheet) -> (PlacedPicture, ScaledPictures.Entry)? {
    guard let placed = sheet.placedPicture, let demand = placed.demand else { return nil }
    return subscription.entry(for: demand).map { (placed, $0) }
  }

  // MARK: Drawing

  /// - Parameters: x, y: where the upper left corner of `target` lies on the canvas, even.
  private mutating func paint(
    _ sheet: Sheet, _ kept: Picture?, _ region: Region, _ target: Picture, x: Int, y: Int
  ) {
    for (layer, seen) in zip(sheet.layers, sheet.visible(in: region)) where !seen.isEmpty {
      let (left, top) = (layer.area.x - x, layer.area.y - y)
      if case .picture(let placed) = layer.content, kept == nil {
        drawer.draw(placed.picture, placed.placement, placed.shape.rotation, on: target, x: left, y: top)
        pixelsDrawn += layer.area.width * layer.area.height
        continue
      }
      for area in seen.areas {
        let place = PixelArea(x: area.x - x, y: area.y - y, width: area.width, height: area.height)
        pixelsDrawn += area.width * area.height
        switch layer.content {
        case .fill(let color, 255): target.fill(place, with: color)
        case .fill(let color, let alpha): target.tint(place, with: color, alpha: alpha, kernels: kernels)
        case .overlay(let overlay, let overlayX, let overlayY, _):
          target.blend(overlay, x: overlayX - x, y: overlayY - y, within: place, kernels: kernels)
        case .picture: if let kept { target.copy(place, from: kept, x: left, y: top) }
        }
      }
    }
  }

  /// Draws a sheet flat if it changed, then blends it over what lies beneath.
  private mutating func blend(_ sheet: Sheet, _ kept: Picture?, _ region: Region, _ canvas: Picture) {
    let area = sheet.area
    let flat: Picture
    if let found = flats[sheet.key], found.area == area, found.layers == sheet.layers {
      flat = found.picture
    } else {
      let old = flats[sheet.key]?.picture
      flat =
        old.flatMap { $0.width == area.width && $0.height == area.height ? $0 : nil }
        ?? Picture(width: area.width, height: area.height)
      paint(sheet, kept, Region(area), flat, x: area.x, y: area.y)
      flats[sheet.key] = Flat(picture: flat, area: area, layers: sheet.layers)
    }
    var rest = region
    for opaque in sheet.opaqueAreas {
      for part in rest.intersection(opaque).areas { canvas.copy(part, from: flat, x: area.x, y: area.y) }
      rest.subtract(opaque)
    }
    let mask = sheet.radius > 0 ? mask(MaskKey(width: area.width, height: area.height, radius: sheet.radius)) : nil
    for part in rest.areas {
      canvas.blend(flat, x: area.x, y: area.y, mask: mask, opacity: sheet.opacity, within: part, kernels: kernels)
    }
    pixelsDrawn += region.pixelCount
  }

  private mutating func mask(_ key: MaskKey) -> AlphaMask {
    if let found = masks[key] { return found }
    if masks.count >= Self.masksMax { masks.removeAll() }
    let mask = AlphaMask(width: key.width, height: key.height, cornerRadius: key.radius)
    masks[key] = mask
    return mask
  }
}

extension PlacedPicture {
  var demand: ScaledPictures.Demand? { person.map { .init(person: $0, shape: shape) } }
}

extension AlphaMask {
  /// A box with round corners.
  ///
  /// - Parameter radius: pixels, at most half of either side.
  fileprivate convenience init(width: Int, height: Int, cornerRadius radius: Int) {
    var values = [UInt8](repeating: 255, count: width * height)
    for y in 0..<radius {
      for x in 0..<radius {
        let (dx, dy) = (Double(radius - x) - 0.5, Double(radius - y) - 0.5)
        let inside = Double(radius) - (dx * dx + dy * dy).squareRoot() + 0.5
        let alpha = UInt8(min(max(inside, 0), 1) * 255)
        for row in [y, height - 1 - y] {
          values[row * width + x] = alpha
          values[row * width + width - 1 - x] = alpha
        }
      }
    }
    self.init(width: width, height: height, luma: values)
  }
}
