import Codecs
import CongestionControl
import EncodedMedia
import RTP
import RTPStreams
import RawMedia
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// An output's frames on their way to a receiver whose path carries more and less of its temporal layers.
@Suite struct TemporalOutputTests {
  private static let codecs: [Codec] = [.vp8, .vp9, .h264]
  private static let (width, height) = (160, 96)

  private func picture(_ time: Int) -> Picture {
    let picture = Picture(width: Self.width, height: Self.height)
    picture.fill(.black)
    for y in 0..<Self.height {
      for x in 0..<Self.width { picture.luma[y * picture.lumaStride + x] = UInt8(60 + (x * 2 + y + time * 3) % 120) }
    }
    return picture
  }

  private func encode(_ codec: Codec, _ count: Int) throws -> [EncodedFrame] {
    let encoder = try VideoEncoder(
      codec: codec, width: Self.width, height: Self.height, settings: .init(bitsPerSecond: 500_000, temporalLayers: 3))
    return try (0..<count).map { index in
      var bytes: [UInt8] = []
      let time = Instant.zero + .ticks(Int64(index), at: 30)
      let outcome = try encoder.encode(picture(index), at: time, asKeyframe: index == 130, into: &bytes)
      return EncodedFrame(
        codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(UInt32(index * 3000)),
        isKeyframe: outcome.isKeyframe,
        time: time, temporal: outcome.temporal)
    }
  }

  /// One receiver's end of it: the stream to him, and what he makes of it.
  private struct Receiver: ~Copyable {
    private var stream: SendStream
    private var assembler = VideoFrameAssembler()
    private var pool = FrameBufferPool(capacity: 8, bytesReserved: 4_000)
    private(set) var frames: [EncodedFrame] = []
    private var expected: SequenceNumber?
    private var sequence: Int64 = 0
    private let codec: Codec

    init(_ codec: Codec, using random: inout SeededRandom) {
      self.codec = codec
      var types = PayloadTypeMap()
      types[96] = .media(codec)
      stream = SendStream(.init(source: SSRC(7), kind: .video, payloadTypes: types, using: &random))
    }

    mutating func send(_ frame: PacketizedFrame) throws {
      let begun = stream.begin(frame, at: frame.time)
      let outgoing = try #require(begun)
      for index in 0..<outgoing.packetCount {
        var bytes = [UInt8](repeating: 0, count: 1_500)
        var span = bytes.mutableSpan
        let written = stream.write(index, of: outgoing, into: &span)
        let packet = Array(bytes[0..<(try #require(written))])
        let parsed = RTPHeader(parsing: packet.span)
        let header = try #require(parsed)
        if let expected { #expect(header.sequenceNumber == expected) }
        expected = header.sequenceNumber + 1
        let payload = Array(packet[header.payloadRange])
        assembler.receive(
          sequence: sequence, timestamp: header.timestamp, marker: header.marker, codec: codec, rotation: nil,
          payload: payload.span, at: frame.time, pool: &pool, frames: &frames)
        sequence += 1
      }
    }
  }

  @Test(arguments: codecs) func aReceiverOfFewerLayersHasAStreamWithoutGapsThatDecodesToTheSamePictures(_ codec: Codec) throws {
    let source = try encode(codec, 300)
    var random = SeededRandom(seed: 4)
    var packetizer = OutputPacketizer()
    var forwarding = LayerForwarding()
    var receiver = Receiver(codec, using: &random)
    let (whole, part) = (try VideoDecoder(codec: codec), try VideoDecoder(codec: codec))
    var wholePool = PicturePool(capacity: 3)
    var partPool = PicturePool(capacity: 3)
    var sent = [0, 0, 0]
    for (index, frame) in source.enumerated() {
      if index % 23 == 0 { forwarding.layersMax = [3, 1, 2, 3, 2][index / 23 % 5] }
      let complete = try whole.decode(frame, pool: &wholePool)
      let cut = packetizer.packetize(frame)
      guard forwarding.admits(cut) else {
        forwarding.leftOut(cut)
        continue
      }
      forwarding.forwarded(cut)
      sent[Int(try #require(frame.temporal).layer)] += 1
      let before = receiver.frames.count
      try receiver.send(cut)
      #expect(receiver.frames.count == before + 1)
      let received = try #require(receiver.frames.last)
      #expect(!received.followsGap || before == 0, "frame \(index)")
      let decoded = try part.decode(received, pool: &partPool)
      let (expected, found) = (try #require(complete), try #require(decoded))
      #expect(
        (0..<Self.height).allSatisfy { y in
          (0..<Self.width).allSatisfy { expected.luma[y * expected.lumaStride + $0] == found.luma[y * found.lumaStride + $0] }
        }, "frame \(index)")
    }
    #expect(sent[0] == source.count { $0.temporal?.layer == 0 })
    #expect(sent[1] > 20 && sent[1] < source.count { $0.temporal?.layer == 1 })
    #expect(codec == .h264 ? sent[2] == 0 : sent[2] > 40)
  }
}
