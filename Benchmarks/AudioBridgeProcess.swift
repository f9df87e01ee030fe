import DatagramIO
import EncodedMedia
import Glibc
import ICE
import RealTime
import Synchronization
import Timing

/// The AudioBridge with participants over plain RTP, which is its cheapest.
final class AudioBridgeProcess: MixingProcess {
  private let bridge: AudioBridge
  private let participants: [Participant]
  private let receiving: ReceivingThread

  /// One participant: a socket, and where his packets go.
  private final class Participant: Sendable {
    let socket: Int32
    private let sequence = Atomic<UInt16>(0)
    private let source: UInt32

    init(number: Int) throws {
      socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
      source = 0x1000 + UInt32(number)
      var address = AudioBridgeProcess.loopback(port: 0)
      let status = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
      }
      guard socket >= 0, status == 0 else { throw BenchmarkError("no socket for participant \(number)") }
    }

    deinit { close(socket) }

    var port: UInt16 {
      var address = sockaddr_in()
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      _ = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
      }
      return UInt16(bigEndian: address.sin_port)
    }

    func connect(to port: UInt16) {
      var address = AudioBridgeProcess.loopback(port: port)
      _ = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    }

    func send(_ frame: EncodedFrame) {
      let number = sequence.wrappingAdd(1, ordering: .relaxed).newValue
      let time = frame.timestamp.rawValue
      var packet: [UInt8] = [0x80, 100, UInt8(number >> 8), UInt8(number & 0xFF)]
      for shift in [24, 16, 8, 0] as [UInt32] { packet.append(UInt8(time >> shift & 0xFF)) }
      for shift in [24, 16, 8, 0] as [UInt32] { packet.append(UInt8(source >> shift & 0xFF)) }
      packet += frame.payload.bytes
      _ = packet.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
    }
  }

  init(_ count: Int, delivery: @escaping Delivery) throws {
    bridge = try AudioBridge()
    participants = try (0..<count).map { [bridge] number in
      let participant = try Participant(number: number)
      participant.connect(to: try bridge.join(number, port: participant.port))
      return participant
    }
    receiving = try ReceivingThread(participants.map(\.socket), control: bridge.janus.control, delivery: delivery)
  }

  fileprivate static func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = LocalPort.host.bigEndian
    return address
  }

  func send(_ frame: EncodedFrame, from client: Int) {
    if participants.indices.contains(client) { participants[client].send(frame) }
  }

  var cpuTime: Int64? { bridge.janus.cpuTime }

  func stop() {
    receiving.stop()
    bridge.janus.stop()
  }
}

/// Counts what participants get.
private final class ReceivingThread: Sendable {
  private let isStopping = Atomic<Bool>(false)

  init(_ sockets: [Int32], control: JanusControl, delivery: @escaping MixingProcess.Delivery) throws {
    let queue = try EventQueue()
    for (index, socket) in sockets.enumerated() { queue.add(socket, token: UInt64(index), for: .readable) }
    let handover = Handover(queue)
    MediaThread.start(name: "bridge") { [self] in
      var packet = [UInt8](repeating: 0, count: 2048)
      let payload = FrameBuffer([])
      var nextKeepAlive = MonotonicClock.now()
      while !isStopping.load(ordering: .relaxed) {
        handover.queue.wait(timeout: .milliseconds(20)) { token, _ in
          let socket = sockets[Int(token)]
          while recv(socket, &packet, packet.count, Int32(MSG_DONTWAIT)) > 0 {
            let now = MonotonicClock.now()
            delivery(Int(token), EncodedFrame(codec: .opus, payload: payload, timestamp: RTPTimestamp(0), time: now), now)
          }
        }
        if MonotonicClock.now() >= nextKeepAlive {
          control.keepAlive()
          nextKeepAlive = MonotonicClock.now() + .seconds(20)
        }
      }
    }
  }

  func stop() {
    isStopping.store(true, ordering: .relaxed)
    usleep(50_000)
  }
}

private final class Handover: @unchecked Sendable {
  // Unchecked: handed to one thread, which alone uses it.
  let queue: EventQueue
  init(_ queue: EventQueue) { self.queue = queue }
}
