import Bytes
import EncodedMedia
import RTP

extension VideoFrameAssembler {
  /// Notes what a payload says of its frame: above all whether it is a keyframe.
  static func describe(_ payload: Span<UInt8>, in packet: inout PacketStore.Packet) {
    guard packet.codec == .vp8 else {
      return packet.announcesKeyframe = announcesKeyframe(payload, packet.codec)
    }
    var reader = ByteReader(payload)
    guard let descriptor = VP8Descriptor(&reader) else { return }
    packet.descriptorLength = UInt8(clamping: payload.count &- reader.remaining)
    guard descriptor.startsPartition, descriptor.partitionIndex == 0 else { return }
    packet.start = .init(
      position: descriptor.temporalPosition, picture: descriptor.pictureID,
      pictureMask: descriptor.hasLongPictureID ? 0x7FFF : 0x7F)
    packet.announcesKeyframe = reader.readUInt8().map { $0 & 0x01 == 0 } ?? false
  }

  private static func announcesKeyframe(_ payload: Span<UInt8>, _ codec: Codec) -> Bool {
    switch codec {
    case .h264: return H264FrameWriter.announcesKeyframe(payload)
    case .vp9:
      var reader = ByteReader(payload)
      guard let descriptor = VP9Descriptor(&reader), descriptor.startsFrame, !descriptor.isInterPredicted,
        descriptor.spatialLayer ?? 0 == 0, let data = reader.readBytes(reader.remaining)
      else { return false }
      return VP9FrameHeader(data)?.isKeyframe ?? false
    case .av1:
      guard let reader = AV1PayloadReader(payload) else { return false }
      return reader.startsSequence && !reader.continues
    case .vp8, .opus, .pcmu, .pcma: return false
    }
  }

  /// The first packet of the keyframe that a packet announces; nil where it is not known to be there.
  func start(ofKeyframeAt packet: PacketStore.Packet) -> Int64? {
    guard packet.codec == .h264, !DependencyDescriptor.startsFrame(store.descriptor(of: packet)) else { return packet.sequence }
    var first = packet
    while let before = store[first.sequence &- 1] {
      // Behind the end of another frame this one begins for certain.
      if before.marker || before.size > 0 && before.timestamp != packet.timestamp { return first.sequence }
      guard before.size > 0 else { break }
      first = before
    }
    return beginsAccessUnit(store.payload(of: first)) ? first.sequence : nil
  }

  /// Whether a payload whose forerunner is missing is the first of its access unit: what comes before slices, or the slice with
  /// the first macroblock where the parameter sets are known already.
  private func beginsAccessUnit(_ payload: Span<UInt8>) -> Bool {
    switch H264Payload(payload) {
    case nil: return false
    case .singleUnit(let unit)?: return beginsAccessUnit(type: H264Unit.type(unit[0]), slice: unit.extracting(1..<unit.count))
    case .aggregate(var units)?:
      guard let unit = units.next() else { return false }
      return beginsAccessUnit(type: H264Unit.type(unit[0]), slice: unit.extracting(1..<unit.count))
    case .fragment(let header, let isFirst, _, let piece)?:
      return isFirst && beginsAccessUnit(type: H264Unit.type(header), slice: piece)
    }
  }

  private func beginsAccessUnit(type: UInt8, slice: Span<UInt8>) -> Bool {
    switch type {
    // Supplemental information, sequence parameters, delimiters.
    case 6, H264Unit.sequenceParameters, H264Unit.accessUnitDelimiter: true
    // first_mb_in_slice is 0 where its Exp-Golomb code is the single bit 1.
    case H264Unit.instantaneousRefresh: parameterSets.isComplete && slice.count > 0 && slice[0] & 0x80 != 0
    default: false
    }
  }
}
