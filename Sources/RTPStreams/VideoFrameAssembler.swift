import EncodedMedia
import RTP
import Timing

/// Makes whole frames, in decode order, of packets that come in any order.
///
///     awaiting a keyframe ── start of a keyframe ──▶ assembling at `next` ── frame whole ──▶ emitted, `next` moves on
///              ▲                                           │
///              └──── nothing to jump to ◀── given up ◀─────┘ a packet missing for too long, damage, more than fits
///
/// Frames follow one another without a gap in sequence numbers, whatever the codec, so nothing is emitted that refers to what was
/// lost: after giving up, only a keyframe goes on, and it says `followsGap`. Where packets tell what their frames build on, those
/// go on that build on nothing lost: by a dependency descriptor, or by VP8's temporal layers. Of layers that nobody decodes nothing is
/// waited for.
public struct VideoFrameAssembler: Sendable {
  /// How long a missing packet is waited for.
  public var patience: Interval
  /// How long where a later frame has already begun to come that needs nothing of it: a keyframe, or one of a lower temporal layer.
  public static let patienceBeforeKeyframe = Interval.milliseconds(60)
  /// How many temporal layers are decoded, from the base up.
  public var temporalLayersWanted = UInt8.max

  /// Frames emitted, keyframes among them, and times that packets were given up.
  public internal(set) var frameCount = 0
  public internal(set) var keyframeCount = 0
  public private(set) var gapCount = 0

  var store = PacketStore()
  var dependencies = DependencyTracker()
  var layers = TemporalTracker()
  var parameterSets = H264ParameterSets()
  /// The first packet of the frame that is due; nil while a keyframe is awaited.
  private var next: Int64?
  /// The first packet from `next` on that has not come.
  private var cursor: Int64 = 0
  private var highest: Int64?
  /// Since when something behind the missing `cursor` has been there.
  private var blockedSince: Instant?
  /// Where a keyframe begins that came behind a missing packet.
  private var keyframeAhead: Int64?
  /// The same of a frame that builds on nothing missing, and the missing packet it was found behind.
  private var bridgeAhead: Int64?
  private var bridgedCursor: Int64?
  /// All that is missing before it is of layers that nobody decodes.
  private var missesUnwantedOnly = false
  /// Packets below this were emitted or given up.
  private var floor = Int64.min
  var followsGap = false
  /// With `next` unknown: the next packet that begins a frame goes on, since it tells what it builds on.
  private var awaitsFrame = false
  /// The next frame has to be a keyframe.
  var mustBeKeyframe = true
  var lastCodec: Codec?
  var rotation = Rotation.none

  public init(patience: Interval = .milliseconds(500)) { self.patience = patience }

  /// Whether nothing can be emitted before a keyframe that has not begun to come, or not all that is sent.
  public var needsKeyframe: Bool {
    next == nil && highest != nil && !awaitsFrame || dependencies.isChainBroken || layers.needsKeyframe
  }

  /// Packets below this are of no use any more; nil while that is not known.
  public var lowestWanted: Int64? { floor == .min ? nil : floor }

  /// When to give up what is missing; nil where nothing is.
  public var nextDeadline: Instant? {
    guard next != nil, let blockedSince else { return nil }
    if missesUnwantedOnly, let bridgeAhead, bridgeAhead > cursor { return blockedSince }
    let goesOn = max(keyframeAhead ?? .min, bridgeAhead ?? .min) > cursor
    return blockedSince + (goesOn ? min(patience, Self.patienceBeforeKeyframe) : patience)
  }

  /// A packet came; appends the frames that are whole now.
  ///
  /// - Parameters:
  ///   - sequence: extended, so that it never wraps.
  ///   - payload: without padding; none at all for a packet of padding only.
  ///   - descriptor: the dependency descriptor of the header extension; empty where there is none.
  public mutating func receive(
    sequence: Int64, timestamp: RTPTimestamp, marker: Bool, codec: Codec, rotation: Rotation?, payload: Span<UInt8>,
    descriptor: Span<UInt8> = .init(), at now: Instant, pool: inout FrameBufferPool, frames: inout [EncodedFrame]
  ) {
    guard sequence >= floor, store[sequence] == nil else { return }
    if let highest, sequence <= highest &- PacketStore.capacity { return }
    while let next, sequence &- next >= PacketStore.capacity { giveUp(at: now, pool: &pool, frames: &frames) }
    var arrived = PacketStore.Packet(
      sequence: sequence, timestamp: timestamp, marker: marker, codec: codec, rotation: rotation, arrival: now,
      size: payload.count)
    Self.describe(payload, in: &arrived)
    if DependencyDescriptor.tellsStructure(descriptor) { arrived.announcesKeyframe = true }
    guard let packet = store.insert(arrived, payload, descriptor) else { return }
    highest = max(highest ?? sequence, sequence)
    if awaitsFrame, descriptor.isEmpty, !payload.isEmpty { awaitKeyframe() }
    if next == nil, awaitsFrame, DependencyDescriptor.startsFrame(descriptor) {
      begin(at: packet.sequence)
    } else if next == nil {
      lookForKeyframe(around: packet)
    } else if packet.announcesKeyframe, sequence > cursor, let start = start(ofKeyframeAt: packet), start > cursor {
      keyframeAhead = max(keyframeAhead ?? start, start)
    }
    advance(pool: &pool, frames: &frames, at: now)
    noteBlock()
    noteBridge(packet)
    if missesUnwantedOnly { handleTimeout(at: now, pool: &pool, frames: &frames) }
  }

  /// Gives up what has been missing for too long.
  public mutating func handleTimeout(at now: Instant, pool: inout FrameBufferPool, frames: inout [EncodedFrame]) {
    // Each round gives up one gap, and there are no more gaps than packets.
    while let deadline = nextDeadline, now >= deadline { giveUp(at: now, pool: &pool, frames: &frames) }
  }

  /// The stream began anew, or its decoder lost track: only a keyframe goes on.
  public mutating func restart() {
    if frameCount > 0 { followsGap = true }
    store.removeAll()
    dependencies.reset()
    layers.reset()
    awaitsFrame = false
    next = nil
    highest = nil
    keyframeAhead = nil
    (bridgeAhead, bridgedCursor, missesUnwantedOnly) = (nil, nil, false)
    floor = .min
    blockedSince = nil
    mustBeKeyframe = true
  }

  /// Goes over the packets that are there without a gap and emits the frames they make.
  private mutating func advance(pool: inout FrameBufferPool, frames: inout [EncodedFrame], at now: Instant) {
    while let first = next, let packet = store[cursor] {
      blockedSince = nil
      // A frame ends with its marker, or where the next one's timestamp begins for senders that forget markers.
      if packet.size > 0, cursor > first, let begun = timestamp(from: first, to: cursor), begun != packet.timestamp {
        guard emit(first..<cursor, pool: &pool, frames: &frames) else { return giveUp(at: now, pool: &pool, frames: &frames) }
        next = cursor
        floor = cursor
      }
      cursor &+= 1
      if packet.marker, let first = next {
        guard emit(first..<cursor, pool: &pool, frames: &frames) else { return giveUp(at: now, pool: &pool, frames: &frames) }
        next = cursor
        floor = cursor
      }
    }
  }

  /// The timestamp of the first packet with a payload.
  private func timestamp(from first: Int64, to end: Int64) -> RTPTimestamp? {
    for sequence in first..<end {
      if let packet = store[sequence], packet.size > 0 { return packet.timestamp }
    }
    return nil
  }

  private mutating func noteBlock() {
    guard next != nil, blockedSince == nil, let highest, highest >= cursor else { return }
    for sequence in cursor...highest {
      if let packet = store[sequence] {
        blockedSince = packet.arrival
        return
      }
    }
  }

  /// Looks behind a missing packet for a frame that builds on nothing missing.
  private mutating func noteBridge(_ packet: PacketStore.Packet) {
    guard layers.isKnown || dependencies.isKnown, blockedSince != nil else {
      (bridgeAhead, missesUnwantedOnly) = (nil, false)
      return
    }
    if bridgedCursor != cursor {
      bridgedCursor = cursor
      take(bridge: firstBridge())
    } else if bridgeAhead == nil, packet.sequence > cursor, bridges(packet) {
      take(bridge: packet.sequence)
    }
  }

  private mutating func take(bridge sequence: Int64?) {
    bridgeAhead = sequence
    missesUnwantedOnly = sequence.flatMap { store[$0] }.map(missesUnwantedOnly) ?? false
  }

  /// Whether nothing that is decoded is missing before a frame that builds on nothing missing.
  private func missesUnwantedOnly(before packet: PacketStore.Packet) -> Bool {
    temporalLayersWanted != .max
      && (dependencies.isKnown
        ? dependencies.missesOnly(fromLayer: temporalLayersWanted, before: store.descriptor(of: packet))
        : layers.missesOnly(fromLayer: temporalLayersWanted, before: packet.start))
  }

  /// Where the first such frame begins, among all that is kept behind the missing packet.
  private func firstBridge() -> Int64? {
    guard let highest, cursor <= highest else { return nil }
    return (max(cursor, highest &- PacketStore.capacity)...highest).first { store[$0].map(bridges) ?? false }
  }

  /// Whether a frame begins with a packet that builds on emitted frames alone, and nothing missing is needed by all that follow.
  private func bridges(_ packet: PacketStore.Packet) -> Bool {
    guard packet.codec == lastCodec, !mustBeKeyframe else { return false }
    if dependencies.isKnown { return dependencies.bridges(store.descriptor(of: packet)) }
    return packet.codec == .vp8 && layers.bridges(packet.start, wanted: temporalLayersWanted)
  }

  /// Drops the frame that is due and goes on with the next keyframe that is there, or awaits one.
  private mutating func giveUp(at now: Instant, pool: inout FrameBufferPool, frames: inout [EncodedFrame]) {
    guard let first = next, let highest else { return }
    gapCount &+= 1
    if dependencies.isKnown, !mustBeKeyframe { return goOn(first..<cursor, to: highest, at: now, pool: &pool, frames: &frames) }
    if let start = firstBridge() {
      layers.noteGap(fromLayer: missesUnwantedOnly && start == bridgeAhead ? temporalLayersWanted : 1)
      blockedSince = nil
      begin(at: start)
      advance(pool: &pool, frames: &frames, at: now)
      return noteBlock()
    }
    if frameCount > 0 { followsGap = true }
    mustBeKeyframe = true
    next = nil
    blockedSince = nil
    let from = cursor > first ? cursor : first &+ 1
    floor = from
    if from <= highest {
      for sequence in max(from, highest &- PacketStore.capacity)...highest {
        guard let packet = store[sequence], packet.announcesKeyframe, let start = start(ofKeyframeAt: packet), start >= from
        else { continue }
        begin(at: start)
        advance(pool: &pool, frames: &frames, at: now)
        noteBlock()
        return
      }
    }
    store.remove(first..<from)
  }

  /// The sender tells no longer what frames build on.
  private mutating func awaitKeyframe() {
    awaitsFrame = false
    dependencies.reset()
    mustBeKeyframe = true
    if frameCount > 0 { followsGap = true }
  }

  /// Lets go of what is missing behind `range`, where packets tell what their frames build on: the frames that were whole before
  /// the gap are emitted, and the next that begins behind it goes on.
  private mutating func goOn(
    _ range: Range<Int64>, to highest: Int64, at now: Instant, pool: inout FrameBufferPool, frames: inout [EncodedFrame]
  ) {
    let from = range.isEmpty ? range.lowerBound &+ 1 : range.upperBound
    next = nil
    blockedSince = nil
    awaitsFrame = true
    if store[range.upperBound] == nil,
      let last = range.last(where: { store[$0].map { DependencyDescriptor.endsFrame(store.descriptor(of: $0)) } ?? false })
    {
      // Damage in it is found again by those that build on it.
      _ = emit(range.lowerBound..<last &+ 1, pool: &pool, frames: &frames)
    }
    floor = from
    store.remove(range.lowerBound..<from)
    guard from <= highest else { return }
    for sequence in max(from, highest &- PacketStore.capacity)...highest {
      guard let packet = store[sequence], DependencyDescriptor.startsFrame(store.descriptor(of: packet)) else { continue }
      begin(at: sequence)
      advance(pool: &pool, frames: &frames, at: now)
      noteBlock()
      return
    }
  }

  /// Whether the packet that came makes the start of a keyframe known.
  private mutating func lookForKeyframe(around packet: PacketStore.Packet) {
    if packet.announcesKeyframe {
      if let start = start(ofKeyframeAt: packet) { begin(at: start) }
    } else {
      // It may be the beginning of one that was announced by a packet behind it.
      for step in 1...Int64(32) {
        guard let other = store[packet.sequence &+ step], other.timestamp == packet.timestamp else { break }
        guard other.announcesKeyframe else { continue }
        if let start = start(ofKeyframeAt: other) { begin(at: start) }
        break
      }
    }
    // While a keyframe is awaited, only what may still turn out to belong to it is kept.
    if next == nil, let highest { store.remove((highest &- PacketStore.capacity)..<(highest &- 256)) }
  }

  private mutating func begin(at start: Int64) {
    store.remove((start &- PacketStore.capacity)..<start)
    awaitsFrame = false
    next = start
    cursor = start
    floor = start
  }
}
