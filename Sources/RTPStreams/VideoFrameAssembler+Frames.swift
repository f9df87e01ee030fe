import Bytes
import EncodedMedia
import RTP
import Timing

extension VideoFrameAssembler {
  /// Copies the payloads of one frame together and hands it out; its packets are let go of.
  ///
  /// - Returns: false for a damaged frame, and for another than a keyframe where only one would do.
  mutating func emit(_ range: Range<Int64>, pool: inout FrameBufferPool, frames: inout [EncodedFrame]) -> Bool {
    defer { store.remove(range) }
    var first: PacketStore.Packet?
    var lastArrival = Instant(nanoseconds: .min)
    for sequence in range {
      guard let packet = store[sequence] else { return false }
      if let turned = packet.rotation { rotation = turned }
      guard packet.size > 0 else { continue }
      lastArrival = max(lastArrival, packet.arrival)
      if first == nil { first = packet }
      if packet.codec != first?.codec { return false }
    }
    // Padding only: probing for bandwidth, nothing to show.
    guard let first else { return true }
    // What builds on something lost is of no use, and no damage either.
    guard dependencies.read(range, in: store) else { return true }
    if first.codec == .vp8 {
      guard layers.takes(first.start?.position) else { return true }
    }

    var isKeyframe: Bool?
    var temporal = first.start?.position
    var spatial: SpatialLayers?
    let buffer = pool.make { bytes in
      switch first.codec {
      case .vp8: isKeyframe = appendVP8(range, to: &bytes)
      case .h264: isKeyframe = appendH264(range, to: &bytes)
      case .vp9: isKeyframe = appendVP9(range, to: &bytes, &temporal, &spatial)
      case .av1: isKeyframe = appendAV1(range, to: &bytes)
      case .opus, .pcmu, .pcma: isKeyframe = nil
      }
    }
    guard let isKeyframe, isKeyframe || !(mustBeKeyframe || first.codec != lastCodec) else { return false }
    let (spatialLayers, position) = (dependencies.spatialLayers, dependencies.temporalPosition)
    dependencies.noteHandedOut(isKeyframe: isKeyframe)
    layers.noteHandedOut(first.start, isKeyframe: isKeyframe)
    var frame = EncodedFrame(
      codec: first.codec, payload: buffer, timestamp: first.timestamp, sequence: first.sequence, isKeyframe: isKeyframe,
      followsGap: followsGap, time: lastArrival, rotation: rotation, temporal: temporal ?? position)
    frame.spatial = spatial ?? spatialLayers
    frames.append(frame)
    frameCount &+= 1
    if isKeyframe { keyframeCount &+= 1 }
    followsGap = false
    mustBeKeyframe = false
    lastCodec = first.codec
    return true
  }

  /// Whether the frame is a keyframe; nil for a damaged one.
  private func appendVP8(_ range: Range<Int64>, to bytes: inout [UInt8]) -> Bool? {
    var isFirst = true
    for sequence in range {
      guard let packet = store[sequence], packet.size > 0 else { continue }
      guard packet.descriptorLength > 0, packet.start != nil || !isFirst else { return nil }
      isFirst = false
      bytes.append(contentsOf: store.data(of: packet))
    }
    return VP8FrameHeader(bytes.span)?.isKeyframe
  }

  /// Whether the frame is a keyframe; nil for a damaged one.
  private mutating func appendH264(_ range: Range<Int64>, to bytes: inout [UInt8]) -> Bool? {
    var writer = H264FrameWriter(bytes)
    var sets = parameterSets
    for sequence in range {
      guard let packet = store[sequence], packet.size > 0 else { continue }
      writer.append(store.payload(of: packet), to: &bytes, &sets)
    }
    parameterSets = sets
    writer.finish(&bytes, sets)
    return writer.isDamaged ? nil : writer.isKeyframe
  }

  /// Puts the spatial layers of one picture behind one another, with an index where there are several.
  ///
  /// - Returns: whether the frame is a keyframe; nil for a damaged one.
  private func appendVP9(
    _ range: Range<Int64>, to bytes: inout [UInt8], _ temporal: inout TemporalPosition?, _ spatial: inout SpatialLayers?
  ) -> Bool? {
    var layers = SpatialLayers()
    var sizes: [8 of Int] = .init(repeating: 0)
    var count = 0
    var isWithinFrame = false
    for sequence in range {
      guard let packet = store[sequence], packet.size > 0, dependencies.keeps(sequence) else { continue }
      var reader = ByteReader(store.payload(of: packet))
      guard let descriptor = VP9Descriptor(&reader), let data = reader.readBytes(reader.remaining),
        descriptor.startsFrame != isWithinFrame
      else { return nil }
      if descriptor.startsFrame {
        guard count < VP9Superframe.frameCountMax else { return nil }
        if count == 0 { temporal = descriptor.temporalPosition }
        count &+= 1
        if let frame = descriptor.spatialFrame { layers.append(frame) }
      }
      isWithinFrame = !descriptor.endsFrame
      sizes[count &- 1] &+= data.count
      bytes.append(contentsOf: data)
    }
    guard !isWithinFrame, let header = VP9FrameHeader(bytes.span) else { return nil }
    if count > 1 { VP9Superframe.appendIndex(sizes, count: count, to: &bytes) }
    if layers.count == count { spatial = layers }
    return header.isKeyframe
  }

  /// Whether the temporal unit is a keyframe; nil for a damaged one.
  private func appendAV1(_ range: Range<Int64>, to bytes: inout [UInt8]) -> Bool? {
    var writer = AV1FrameWriter()
    for sequence in range {
      guard let packet = store[sequence], packet.size > 0, dependencies.keeps(sequence) else { continue }
      writer.append(store.payload(of: packet), to: &bytes)
    }
    writer.finish(bytes)
    return writer.isDamaged ? nil : writer.isKeyframe
  }
}
