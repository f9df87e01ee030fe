import Bytes
import DatagramIO
import EncodedMedia
import Glibc
import ICE
import LoadGenerator
import RTP
import RTPStreams
import RealTime
import Synchronization
import Timing

/// `gst-launch-1.0` with the pipeline, fed and heard over plain RTP on loopback.
final class GStreamerProcess: MixingProcess {
  private let process: ChildProcess
  private let receiver: PlainReceiver
  private var senders: [PlainSender] = []

  init(_ attendance: Attendance, delivery: @escaping Delivery) throws {
    receiver = try PlainReceiver(clientCount: attendance.count, delivery: delivery)
    func ports() throws -> [UInt16] { try (0..<attendance.participants).map { _ in try LocalPort.free() } }
    let pipeline = GStreamerPipeline(
      pictureInputs: try ports(), soundInputs: try ports(), pictureOutputs: receiver.ports(.video),
      soundOutputs: receiver.ports(.audio))
    process = try ChildProcess(["gst-launch-1.0", "-q"] + pipeline.arguments)
    for index in 0..<attendance.participants {
      senders.append(try PlainSender(picture: pipeline.pictureInputs[index], sound: pipeline.soundInputs[index], number: index))
    }
    for port in pipeline.pictureInputs + pipeline.soundInputs { try LocalPort.waitUntilBound(port) }
  }

  func send(_ frame: EncodedFrame, from client: Int) {
    if senders.indices.contains(client) { senders[client].send(frame) }
  }

  var cpuTime: Int64? { process.cpuTime }

  func stop() {
    receiver.stop()
    process.stop()
  }
}

/// One participant's frames as plain RTP.
private final class PlainSender {
  private let socket: UDPSocket
  private let destinations: [MediaKind: TransportAddress]
  private var streams: [MediaKind: SendStream] = [:]
  private var packetizer = VP8Packetizer(payloadSizeMax: 1124)
  private var arena = PacketArena(capacity: 1 << 20)
  private let batch = SendBatch(capacity: 512)

  init(picture: UInt16, sound: UInt16, number: Int) throws {
    socket = try UDPSocket(bind: TransportAddress(ipv4: LocalPort.host, port: 0))
    destinations = [
      .video: TransportAddress(ipv4: LocalPort.host, port: picture),
      .audio: TransportAddress(ipv4: LocalPort.host, port: sound),
    ]
    var random = SeededRandom(seed: UInt64(number))
    for kind in MediaKind.allCases {
      streams[kind] = SendStream(
        .init(
          source: SSRC(UInt32(number * 2 + (kind == .audio ? 1 : 2))), kind: kind, payloadTypes: plainPayloadTypes,
          using: &random))
    }
  }

  func send(_ frame: EncodedFrame) {
    let kind = frame.codec.kind
    let packetized = kind == .video ? packetizer.packetize(frame) : AudioPacketizer.packetize(frame)
    guard let destination = destinations[kind], let outgoing = streams[kind]?.begin(packetized, at: MonotonicClock.now()) else {
      return
    }
    arena.removeAll()
    for index in 0..<outgoing.packetCount {
      let range = arena.append(capacity: 1500) { streams[kind]?.write(index, of: outgoing, into: &$0) }
      if let range { _ = batch.append(range, to: destination) }
    }
    batch.send(from: &arena, over: socket)
  }
}

/// Puts together the frames that clients are sent as plain RTP, on a thread of its own.
private final class PlainReceiver: @unchecked Sendable {
  // Unchecked: streams are touched by the thread alone, everything else does not change.
  private struct Port {
    let client: Int
    let kind: MediaKind
    let socket: UDPSocket
    var stream: ReceiveStream?
  }
  private var open: [Port] = []
  private let bound: [(kind: MediaKind, port: UInt16)]
  private let queue: EventQueue
  private let batch = ReceiveBatch()
  private var pool = FrameBufferPool(capacity: 64, bytesReserved: 16_384)
  private let delivery: MixingProcess.Delivery
  private let isStopping = Atomic<Bool>(false)

  init(clientCount: Int, delivery: @escaping MixingProcess.Delivery) throws {
    self.delivery = delivery
    queue = try EventQueue()
    for client in 0..<clientCount {
      for kind in MediaKind.allCases {
        let socket = try UDPSocket(bind: TransportAddress(ipv4: LocalPort.host, port: 0))
        queue.add(socket.descriptor, token: UInt64(open.count), for: .readable)
        open.append(Port(client: client, kind: kind, socket: socket))
      }
    }
    bound = open.map { ($0.kind, $0.socket.localAddress.port) }
    MediaThread.start(name: "plain-receiver") { [self] in
      while !isStopping.load(ordering: .relaxed) { queue.wait(timeout: .milliseconds(100)) { token, _ in receive(Int(token)) } }
    }
  }

  func ports(_ kind: MediaKind) -> [UInt16] { bound.filter { $0.kind == kind }.map(\.port) }
  func stop() { isStopping.store(true, ordering: .relaxed) }

  private func receive(_ index: Int) {
    let now = MonotonicClock.now()
    var frames: [EncodedFrame] = []
    while batch.receive(from: open[index].socket) > 0 {
      batch.forEach { datagram, _ in
        guard let header = RTPHeader(parsing: datagram.span) else { return }
        if open[index].stream == nil { open[index].stream = makeStream(header.ssrc, open[index].kind) }
        let extensions = HeaderExtensions(header, in: datagram.span, map: HeaderExtensionMap())
        open[index].stream?.receive(datagram.span, header, extensions, at: now, pool: &pool, frames: &frames)
      }
    }
    for frame in frames { delivery(open[index].client, frame, now) }
  }

  private func makeStream(_ source: SSRC, _ kind: MediaKind) -> ReceiveStream {
    ReceiveStream(
      .init(source: source, kind: kind, payloadTypes: plainPayloadTypes, retransmissionSource: nil, usesNACK: false))
  }
}

private let plainPayloadTypes: PayloadTypeMap = {
  var map = PayloadTypeMap()
  map[GStreamerPipeline.picturePayload] = .media(.vp8)
  map[GStreamerPipeline.soundPayload] = .media(.opus)
  return map
}()
