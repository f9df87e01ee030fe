import EncodedMedia
import RTP
import RTPStreams
import TestSupport
import Testing
import Timing

let mediaSource = SSRC(1111)
let repairSource = SSRC(2222)
let ownSource = SSRC(9)

func payloadTypes(_ codec: Codec, retransmission: Bool = true) -> PayloadTypeMap {
  var map = PayloadTypeMap()
  map[96] = .media(codec)
  if retransmission { map[97] = .retransmission(of: 96) }
  return map
}

let extensionMap: HeaderExtensionMap = {
  var map = HeaderExtensionMap()
  map[.mid] = 1
  map[.audioLevel] = 2
  map[.transportSequenceNumber] = 3
  map[.absoluteSendTime] = 4
  map[.videoOrientation] = 5
  map[.contributorAudioLevel] = 6
  map[.playoutDelay] = 7
  return map
}()

/// A sender whose packets are arrays.
struct Sender {
  var stream: SendStream
  private var vp8 = VP8Packetizer(payloadSizeMax: 200)
  private var vp9 = VP9Packetizer(payloadSizeMax: 200)
  private let h264 = H264Packetizer(payloadSizeMax: 200)
  private let codec: Codec

  init(_ codec: Codec, retransmission: Bool = true, firstSequence: UInt16? = nil, seed: UInt64 = 1) {
    self.codec = codec
    var random = SeededRandom(seed: seed)
    var configuration = SendStream.Configuration(
      source: mediaSource, kind: codec.kind, payloadTypes: payloadTypes(codec, retransmission: retransmission),
      retransmissionSource: retransmission ? repairSource : nil, extensionMap: extensionMap, mid: ShortToken("a"),
      using: &random)
    if let firstSequence { configuration.firstSequence = firstSequence }
    stream = SendStream(configuration)
  }

  mutating func packetize(_ frame: EncodedFrame) -> PacketizedFrame {
    switch codec {
    case .vp8: vp8.packetize(frame)
    case .vp9: vp9.packetize(frame)
    case .h264: h264.packetize(frame)
    case .opus, .pcmu, .pcma, .av1: AudioPacketizer.packetize(frame)
    }
  }

  mutating func send(_ frame: EncodedFrame) throws -> [[UInt8]] { try send(packetize(frame)) }

  mutating func send(_ frame: PacketizedFrame) throws -> [[UInt8]] {
    let outgoing = try unwrap(stream.begin(frame, at: frame.time))
    return try (0..<outgoing.packetCount).map { index in
      var bytes = [UInt8](repeating: 0, count: 600)
      var span = bytes.mutableSpan
      let length = stream.write(index, of: outgoing, into: &span)
      return Array(bytes[0..<(try #require(length))])
    }
  }

  mutating func resend(_ number: SequenceNumber, at now: Instant) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 600)
    var span = bytes.mutableSpan
    return stream.retransmit(number, at: now, into: &span).map { Array(bytes[0..<$0]) }
  }
}

/// A receiver that is fed arrays.
struct Receiver: ~Copyable {
  var stream: ReceiveStream
  var pool = FrameBufferPool(capacity: 64, bytesReserved: 4000)
  var frames: [EncodedFrame] = []

  init(_ codec: Codec, types: PayloadTypeMap? = nil, usesNACK: Bool = true) {
    stream = ReceiveStream(
      .init(
        source: mediaSource, kind: codec.kind, payloadTypes: types ?? payloadTypes(codec), retransmissionSource: repairSource,
        usesNACK: usesNACK))
  }

  mutating func receive(_ packet: [UInt8], at now: Instant) {
    guard let header = RTPHeader(parsing: packet.span) else { return }
    let extensions = HeaderExtensions(header, in: packet.span, map: extensionMap)
    stream.receive(packet.span, header, extensions, at: now, pool: &pool, frames: &frames)
  }

  mutating func handleTimeout(at now: Instant) { stream.handleTimeout(at: now, pool: &pool, frames: &frames) }

  /// What is due now: numbers of a NACK, and whether a keyframe is asked for.
  mutating func feedback(at now: Instant) -> (lost: [SequenceNumber], wantsKeyframe: Bool) {
    var bytes = [UInt8](repeating: 0, count: 1200)
    var writer = RTCPWriter(bytes.mutableSpan)
    stream.writeFeedback(sender: ownSource, at: now, into: &writer)
    let count = writer.count
    var lost: [SequenceNumber] = []
    var wantsKeyframe = false
    var reader = RTCPReader(bytes.span.extracting(0..<count))
    while let packet = reader.next() {
      switch packet {
      case .nack(_, var numbers): while let number = numbers.next() { lost.append(number) }
      case .pictureLossIndication: wantsKeyframe = true
      default: break
      }
    }
    return (lost, wantsKeyframe)
  }
}

func milliseconds(_ n: Int) -> Instant { .zero + .milliseconds(Int64(n)) }

/// Frame `number` of a made-up stream at 30 frames a second, which a receiver can tell from the others.
func videoFrame(_ codec: Codec, _ number: Int, isKeyframe: Bool, size: Int = 1000) -> EncodedFrame {
  var body = (0..<size).map { UInt8(1 + ($0 + number) % 250) }
  body[0] = UInt8(1 + number % 250)
  var bytes: [UInt8]
  if codec == .vp8 {
    bytes = isKeyframe ? [0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0xE0, 0x01] : [0x11, 0, 0]
  } else {
    bytes =
      isKeyframe
      ? [0, 0, 0, 1, 0x67, 0x42, 0, 0x1F, 0x88, 0, 0, 0, 1, 0x68, 0xC8, 0, 0, 0, 1, 0x65, 0x88] : [0, 0, 0, 1, 0x41, 0x9A]
  }
  bytes += body
  return EncodedFrame(
    codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: number * 3000)),
    isKeyframe: isKeyframe, time: milliseconds(number * 33))
}

func audioFrame(_ number: Int, _ bytes: [UInt8] = [0x78, 1, 2, 3]) -> EncodedFrame {
  EncodedFrame(
    codec: .opus, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: number * 960)),
    time: milliseconds(number * 20))
}

/// A packet made by hand.
func packet(
  sequence: UInt16, timestamp: UInt32 = 0, payloadType: UInt8 = 96, source: SSRC = mediaSource, marker: Bool = false,
  extensions: HeaderExtensions = .init(), _ payload: [UInt8]
) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: 200)
  var span = bytes.mutableSpan
  let length =
    RTPHeader.write(
      marker: marker, payloadType: payloadType, sequenceNumber: SequenceNumber(sequence), timestamp: RTPTimestamp(timestamp),
      ssrc: source, extensions: extensions, map: extensionMap, into: &span) ?? 0
  return Array(bytes[0..<length]) + payload
}

/// Expects a condition whose parts change something or cannot be copied, as expectations want to.
func holds(_ condition: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(condition, sourceLocation: sourceLocation)
}

/// Requires a value that comes of something that changes.
func unwrap<T>(_ value: T?, sourceLocation: SourceLocation = #_sourceLocation) throws -> T {
  try #require(value, sourceLocation: sourceLocation)
}
