import Bytes
import EncodedMedia
import Glibc
import ICE
import JSON5
import Layouts
import RTP
import RTPStreams
import SDP
import Timing

/// Feeds parsers what libFuzzer makes up: `./dev fuzz NAME`. A trap is a crash here, as it would be an outage there.
///
/// Not part of any build but its own, which is instrumented throughout.
private let targets: [String: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32] = [
  "stun": { data, count in
    withBytes(data, count) { bytes in
      _ = peekUsername(bytes.span)
      guard let message = STUNMessage(bytes.span) else { return }
      _ = message.verifyIntegrity(STUNIntegrityKey(password: "a password of the other side"))
      _ = (message.hasValidFingerprint, message.mappedAddress, message.errorCode)
    }
  },
  "sdp": { data, count in
    withBytes(data, count) { bytes in
      _ = try? TrickleFragment(parsing: bytes)
      guard let offer = try? SessionDescription(parsing: bytes) else { return }
      let again = try? SessionDescription(parsing: offer.text)
      precondition(again != nil, "what was printed parses")
      let local = LocalTransport(
        credentials: CredentialAttributes(usernameFragment: "abcdefgh", password: "abcdefghijklmnopqrstuvwx"), fingerprints: [])
      var answerer = Answerer(sessionID: 1, capabilities: .mixer)
      guard let answer = try? answerer.answer(to: offer, local: local, sources: { _ in nil }) else { return }
      precondition((try? SessionDescription(parsing: answer.description.text)) != nil, "an answer parses")
    }
  },
  "rtp": { data, count in
    withBytes(data, count) { bytes in
      guard let header = RTPHeader(parsing: bytes.span) else { return }
      var map = HeaderExtensionMap()
      for (id, kind) in HeaderExtensionKind.allCases.enumerated() { map[kind] = UInt8(id + 1) }
      let extensions = HeaderExtensions(header, in: bytes.span, map: map)
      var types = PayloadTypeMap()
      types[96] = .media(.vp8)
      types[97] = .media(.h264)
      types[99] = .media(.vp9)
      types[100] = .media(.av1)
      types[98] = .retransmission(of: 96)
      var stream = ReceiveStream(
        .init(source: header.ssrc, kind: .video, payloadTypes: types, retransmissionSource: header.ssrc))
      var pool = FrameBufferPool(capacity: 2, bytesReserved: 64)
      var frames: [EncodedFrame] = []
      stream.receive(bytes.span, header, extensions, at: .zero, pool: &pool, frames: &frames)
    }
  },
  "dependency": { data, count in
    withBytes(data, count) { bytes in
      // The first of two descriptors tells what the second builds on.
      let cut = min(Int(bytes.first ?? 0), bytes.count)
      let told = DependencyDescriptor(bytes.span.extracting(0..<cut), known: nil)
      guard let second = DependencyDescriptor(bytes.span.extracting(cut..<bytes.count), known: told?.structure) else { return }
      let frame = second.dependencies
      for index in 0..<frame.referenceCount { _ = frame.reference(index, of: second.frameNumber) }
      for index in 0..<32 { _ = (frame.indication(for: index), frame.chainDistance(index)) }
      fuzzAssembly(bytes)
    }
  },
  "vp8": { fuzzDecoder(.vp8, $0, $1) },
  "vp9": { fuzzDecoder(.vp9, $0, $1) },
  "h264": { fuzzDecoder(.h264, $0, $1) },
  "av1": { fuzzDecoder(.av1, $0, $1) },
  "rtcp": { data, count in
    withBytes(data, count) { bytes in
      var reader = RTCPReader(bytes.span)
      while let packet = reader.next() {
        switch packet {
        case .nack(_, var lost): while lost.next() != nil {}
        case .transportFeedback(let feedback):
          var packets = feedback.packets()
          while packets.next() != nil {}
        case .senderReport(_, let blocks): for index in 0..<blocks.count { _ = blocks[index] }
        case .sourceDescription(var names): while names.next() != nil {}
        default: break
        }
      }
    }
  },
  "layout": { data, count in
    withBytes(data, count) { bytes in
      guard let template = try? LayoutTemplate(parsing: bytes, name: "fuzzed") else { return }
      var solver = LayoutSolver(template)
      for count in [1, 5, 60] {
        solver.arrange((0..<count).map { LayoutPerson(id: "\($0)", hasFloor: $0 == 0) })
        _ = solver.tiles(width: 640, height: 360)
      }
    }
  },
]

/// Frames of VP8 as their descriptors, made of the bytes, tell of them; some are missing.
private func fuzzAssembly(_ bytes: [UInt8]) {
  var assembler = VideoFrameAssembler(patience: .milliseconds(10))
  var pool = FrameBufferPool(capacity: 2, bytesReserved: 64)
  var frames: [EncodedFrame] = []
  let (key, inter): ([UInt8], [UInt8]) = ([0x10, 0x10, 0, 0, 0x9D, 0x01, 0x2A, 64, 0, 48, 0, 0], [0x10, 0x11, 0, 0])
  for (index, length) in bytes.prefix(64).enumerated() where length & 1 == 0 {
    let descriptor = bytes.dropFirst(index).prefix(Int(length >> 1))
    let copy = Array(descriptor)
    assembler.receive(
      sequence: Int64(index), timestamp: RTPTimestamp(UInt32(index)), marker: true, codec: .vp8, rotation: nil,
      payload: (index % 8 == 0 ? key : inter).span, descriptor: copy.span, at: .zero + .milliseconds(Int64(index)), pool: &pool,
      frames: &frames)
    assembler.handleTimeout(at: .zero + .milliseconds(Int64(index)), pool: &pool, frames: &frames)
  }
}

func withBytes(_ data: UnsafePointer<UInt8>?, _ count: Int, _ body: ([UInt8]) -> Void) -> Int32 {
  body(Array(UnsafeBufferPointer(start: data, count: count)))
  return 0
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

@_cdecl("fuzzing_main")
func fuzzingMain(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
  let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let target = targets[name] else {
    print("Name one of \(targets.keys.sorted().joined(separator: ", ")).")
    return 64
  }
  // The last argument is the folder of what is to be varied.
  if let codec = videoTargets[name], count > 1, let folder = arguments[Int(count) - 1] {
    writeVideoSeeds(codec, to: String(cString: folder))
  }
  var (count, arguments) = (count, arguments)
  return runDriver(&count, &arguments, target)
}
