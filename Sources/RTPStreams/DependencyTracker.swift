import EncodedMedia
import RTP

/// Knows which frames of a stream were handed out, and so which of those that come can be decoded: for senders who tell in each
/// packet what its frame builds on (dependency descriptor of the RTP payload format for AV1, appendix A).
///
///     unknown ── a keyframe's structure ──▶ known ── a picture without descriptor, or with one that cannot be read ──▶ unknown
struct DependencyTracker: Sendable {
  /// A frame of one layer of the picture that is being put together.
  private struct LayerFrame {
    var number: UInt16
    var dependencies: FrameDependencies
    var packets: Range<Int64>
    var isWhole = false
    var isDecodable = false
  }

  /// How many frames back those handed out are remembered; a power of two.
  private static let memory = 1024
  private static let framesMax = SpatialLayers.capacity

  private var structure: DependencyStructure?
  private var activeTargets: UInt32 = 0
  /// Frames handed out, each at the low bits of its number: the number, and its temporal layer above; -1 for none.
  private var handedOut: [Int32] = []
  /// The last frame handed out.
  private var last: (number: UInt16, temporalLayer: UInt8)?
  /// Used again for each picture.
  private var picture: [LayerFrame] = []
  /// A chain of frames broke, and what it protects comes back with a keyframe only.
  private(set) var isChainBroken = false

  /// Whether it is known what the frames after the last one handed out build on.
  var isKnown: Bool { structure != nil }

  mutating func reset() {
    structure = nil
    isChainBroken = false
    picture.removeAll(keepingCapacity: true)
  }

  // MARK: One picture

  /// Reads what the packets of one picture say of its frames.
  ///
  /// - Returns: whether any of it can be decoded, as far as is known.
  mutating func read(_ range: Range<Int64>, in store: borrowing PacketStore) -> Bool {
    picture.removeAll(keepingCapacity: true)
    for sequence in range {
      guard let packet = store[sequence], packet.size > 0 else { continue }
      guard take(packet, store.descriptor(of: packet)) else {
        reset()
        return true
      }
    }
    guard !picture.isEmpty else { return true }
    for index in picture.indices { picture[index].isDecodable = picture[index].isWhole && hasReferences(of: index) }
    noteChains()
    return picture.contains { $0.isDecodable }
  }

  // MARK: What is missing

  /// Whether a frame begins that builds on frames handed out, behind a gap in which nothing is missing that has to be there: no frame of
  /// a chain that is decoded, or without chains none of the base.
  func bridges(_ bytes: Span<UInt8>) -> Bool {
    guard let structure, let told = beginning(bytes), told.dependencies.referenceCount > 0 else { return false }
    let frame = told.dependencies
    for index in 0..<frame.referenceCount {
      if temporalLayer(ofHandedOut: frame.reference(index, of: told.frameNumber)) == nil { return false }
    }
    guard structure.chainCount > 0 else { return frame.temporalLayer == 0 }
    for (place, target) in structure.targets.enumerated() where activeTargets & 1 << UInt32(place) != 0 {
      guard let chain = target.chain else { continue }
      let distance = frame.chainDistance(chain)
      if distance > 0, temporalLayer(ofHandedOut: told.frameNumber &- distance) == nil { return false }
    }
    return true
  }

  /// Whether nothing below a temporal layer is missing before a frame of which `bridges` holds. With the base alone that is so; else
  /// where a single frame is missing between two that are decoded, one of them of the highest layer that is: each layer's frames stand
  /// between those of the layers below.
  func missesOnly(fromLayer wanted: UInt8, before bytes: Span<UInt8>) -> Bool {
    guard wanted > 1 else { return true }
    guard let structure, let told = beginning(bytes), let last, !structure.targets.contains(where: { $0.spatialLayer > 0 })
    else {
      return false
    }
    return max(told.dependencies.temporalLayer, last.temporalLayer) == wanted &- 1 && told.frameNumber &- last.number == 2
  }

  /// What the first packet of a frame that is no keyframe tells.
  private func beginning(_ bytes: Span<UInt8>) -> DependencyDescriptor? {
    guard DependencyDescriptor.startsFrame(bytes), !DependencyDescriptor.tellsStructure(bytes) else { return nil }
    return DependencyDescriptor(bytes, known: structure)
  }

  private mutating func take(_ packet: PacketStore.Packet, _ bytes: Span<UInt8>) -> Bool {
    if DependencyDescriptor.startsFrame(bytes) {
      guard picture.count < Self.framesMax, let told = DependencyDescriptor(bytes, known: structure) else { return false }
      if let new = told.structure { structure = new }
      if let active = told.activeTargets { activeTargets = active }
      picture.append(
        LayerFrame(
          number: told.frameNumber, dependencies: told.dependencies, packets: packet.sequence..<packet.sequence &+ 1))
    } else if picture.isEmpty || bytes.isEmpty {
      return false
    }
    guard let first = picture.last?.packets.lowerBound, picture.last?.isWhole == false else { return false }
    picture[picture.count - 1].packets = first..<packet.sequence &+ 1
    picture[picture.count - 1].isWhole = DependencyDescriptor.endsFrame(bytes)
    return true
  }

  /// Whether all that a frame builds on was handed out, or stands before it in the picture.
  private func hasReferences(of index: Int) -> Bool {
    let frame = picture[index]
    for reference in 0..<frame.dependencies.referenceCount {
      let number = frame.dependencies.reference(reference, of: frame.number)
      if let lower = place(of: number, before: index) {
        guard picture[lower].isDecodable else { return false }
      } else if temporalLayer(ofHandedOut: number) == nil {
        return false
      }
    }
    return true
  }

  private func place(of number: UInt16, before index: Int) -> Int? { picture[..<index].firstIndex { $0.number == number } }

  private func temporalLayer(ofHandedOut number: UInt16) -> UInt8? {
    guard !handedOut.isEmpty else { return nil }
    let entry = handedOut[Int(number) & (Self.memory &- 1)]
    return entry >= 0 && entry & 0xFFFF == Int32(number) ? UInt8(truncatingIfNeeded: entry >> 16) : nil
  }

  /// A chain is whole as long as each of its frames was handed out. Without chains the base layer is all that must be.
  private mutating func noteChains() {
    guard let structure else { return }
    for index in picture.indices {
      let frame = picture[index]
      if structure.chainCount == 0, !frame.isDecodable, frame.dependencies.temporalLayer == 0 { isChainBroken = true }
      for (place, target) in structure.targets.enumerated() {
        guard activeTargets & 1 << UInt32(place) != 0, let chain = target.chain else { continue }
        let distance = frame.dependencies.chainDistance(chain)
        guard distance > 0 else { continue }
        let number = frame.number &- distance
        let isThere =
          self.place(of: number, before: index).map { picture[$0].isDecodable } ?? (temporalLayer(ofHandedOut: number) != nil)
        if !isThere { isChainBroken = true }
      }
    }
  }

  // MARK: What becomes of it

  /// Whether a packet is of a frame that can be decoded, or nothing is known of it.
  func keeps(_ sequence: Int64) -> Bool {
    for frame in picture where !frame.isDecodable && frame.packets.contains(sequence) { return false }
    return true
  }

  /// The picture was handed out, as far as it can be decoded.
  mutating func noteHandedOut(isKeyframe: Bool) {
    guard !picture.isEmpty else { return }
    if isKeyframe || handedOut.isEmpty {
      isChainBroken = false
      if handedOut.isEmpty { handedOut = Array(repeating: -1, count: Self.memory) }
      for index in handedOut.indices { handedOut[index] = -1 }
    }
    for frame in picture where frame.isDecodable {
      last = (frame.number, frame.dependencies.temporalLayer)
      handedOut[Int(frame.number) & (Self.memory &- 1)] = Int32(frame.number) | Int32(frame.dependencies.temporalLayer) << 16
    }
  }

  /// Where the picture stands among temporal layers; nil where there are none or nothing is known.
  var temporalPosition: TemporalPosition? {
    guard let structure, let frame = picture.first(where: { $0.isDecodable }),
      structure.targets.contains(where: { $0.temporalLayer > 0 })
    else { return nil }
    let (layer, dependencies) = (frame.dependencies.temporalLayer, frame.dependencies)
    var isSwitchingPoint = true
    for (place, target) in structure.targets.enumerated()
    where target.spatialLayer == dependencies.spatialLayer && target.temporalLayer > layer {
      if dependencies.indication(for: place) != .switching { isSwitchingPoint = false }
    }
    var buildsOnBase = layer > 0
    for index in 0..<dependencies.referenceCount {
      let number = dependencies.reference(index, of: frame.number)
      if (temporalLayer(ofHandedOut: number) ?? 0) > 0 { buildsOnBase = false }
    }
    return TemporalPosition(layer: layer, isLayerSync: buildsOnBase, isSwitchingPoint: isSwitchingPoint, baseIndex: nil)
  }

  /// The picture's spatial layers, lowest first; nil where there is one only or nothing is known.
  var spatialLayers: SpatialLayers? {
    guard let structure, structure.targets.contains(where: { $0.spatialLayer > 0 }), !picture.isEmpty else { return nil }
    var layers = SpatialLayers()
    for (index, frame) in picture.enumerated() where frame.isDecodable {
      let dependencies = frame.dependencies
      var (earlier, lower) = (false, false)
      for reference in 0..<dependencies.referenceCount {
        let number = dependencies.reference(reference, of: frame.number)
        if place(of: number, before: index) != nil { lower = true } else { earlier = true }
      }
      var isForUpper = false
      for (place, target) in structure.targets.enumerated()
      where target.spatialLayer > dependencies.spatialLayer && activeTargets & 1 << UInt32(place) != 0 {
        if dependencies.indication(for: place) != .notPresent { isForUpper = true }
      }
      let size = Int(dependencies.spatialLayer) < structure.sizes.count ? structure.sizes[Int(dependencies.spatialLayer)] : nil
      layers.append(
        .init(layer: dependencies.spatialLayer, buildsOnEarlier: earlier, buildsOnLower: lower, isNotForUpper: !isForUpper),
        size: size)
    }
    return layers
  }
}
