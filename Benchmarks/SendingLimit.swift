import Bytes
import COpenSSL
import DatagramIO
import EncodedMedia
import Glibc
import ICE
import LoadGenerator
import RealTime
import Synchronization
import Timing

/// The least that sending to many can cost: for each packet AES-128-GCM with a context of OpenSSL's made beforehand, and a call of
/// `send` or a share of a `sendmmsg` with GSO. No header is made, nobody is kept in mind.
///
/// Goes at the pace of life, a burst of sound every 20 ms and one of picture every thirtieth of a second, since between bursts
/// caches are lost that a loop without pauses would keep. Somebody else reads the sockets, as `LoadClient`s are read.
final class SendingLimit {
  /// How packets are handed to the kernel.
  enum Handing {
    /// Each by a `send` of its own, on a socket connected to its viewer.
    case singly
    /// The packets of a frame as one message for the kernel to cut, and as many messages in one call as there are.
    case inRuns
    /// As `inRuns`, where each picture waits for the next packet of sound and both leave as one message.
    case together
  }

  /// What a viewer has here: a key schedule, a counter and an address, with a socket connected to it.
  private struct Viewer {
    let context: OpaquePointer
    let address: TransportAddress
    let connected: Int32
    var counter: UInt64 = 0
  }

  private var viewers: [Viewer] = []
  private let reader: Reader
  private let sending = SendBatch(capacity: 1024)
  private var arena = PacketArena(capacity: 1 << 17)
  private let socket: UDPSocket
  private var handing = Handing.inRuns
  private var refused = 0
  private(set) var packetsSent = 0
  private(set) var bytesSent = 0

  /// A header with extensions that stays in the clear, and the tag.
  private static let headerSize = 24
  private static let tagSize: Int32 = 16

  init(viewers count: Int) throws {
    socket = try UDPSocket(bind: TransportAddress(ipv4: LocalPort.host, port: 0))
    var random = SeededRandom(seed: 11)
    var sockets: [UDPSocket] = []
    for _ in 0..<count {
      let key = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
      guard let context = EVP_CIPHER_CTX_new(), EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nil, key, key) == 1 else {
        throw BenchmarkError("OpenSSL has no context to give")
      }
      let receiver = try UDPSocket(bind: TransportAddress(ipv4: LocalPort.host, port: 0), bufferBytes: 1 << 19)
      viewers.append(
        Viewer(context: context, address: receiver.localAddress, connected: try Self.connect(to: receiver.localAddress)))
      sockets.append(receiver)
    }
    reader = try Reader(sockets)
  }

  deinit {
    reader.stop()
    for viewer in viewers {
      EVP_CIPHER_CTX_free(viewer.context)
      close(viewer.connected)
    }
  }

  private static func connect(to address: TransportAddress) throws -> Int32 {
    let descriptor = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = address.port.bigEndian
    name.sin_addr.s_addr = LocalPort.host.bigEndian
    let status = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw BenchmarkError("no socket could be connected to a viewer") }
    return descriptor
  }

  /// Sends for so long.
  ///
  /// - Returns: CPU nanoseconds for each packet.
  func run(for duration: Interval, _ content: EncodedContent, _ handing: Handing) throws -> Double {
    self.handing = handing
    let before = packetsSent
    var waiting: [UInt8]?
    let start = MonotonicClock.now()
    var (sounds, pictures) = (0, 0)
    let time = threadTime {
      while true {
        let soundDue = start + .milliseconds(20) * Int64(sounds)
        let pictureDue = start + .ticks(Int64(pictures), at: 30)
        guard min(soundDue, pictureDue) - start < duration else { break }
        MonotonicClock.sleep(until: min(soundDue, pictureDue))
        if soundDue <= pictureDue {
          send(waiting, content.sounds[sounds % content.sounds.count].payload.bytes)
          waiting = nil
          sounds += 1
        } else {
          let picture = content.pictures[pictures % content.pictures.count].payload.bytes
          if handing == .together { waiting = picture } else { send(nil, picture) }
          pictures += 1
        }
      }
    }
    let refused = refused + sending.dropped + sending.refused
    guard refused == 0 else { throw BenchmarkError("the kernel took \(refused) packets fewer than it was given") }
    return time / Double(max(packetsSent - before, 1))
  }

  /// One frame to everybody, or one right behind another, each in as many equal packets as it needs.
  private func send(_ first: [UInt8]?, _ second: [UInt8]) {
    for index in viewers.indices {
      // All of one length, or what comes behind would be another message: of the last few bytes some are left out.
      if let first { send(first, cut: first.count / Self.packetCount(first), to: index) }
      send(second, cut: (second.count + Self.packetCount(second) - 1) / Self.packetCount(second), to: index)
    }
    flush()
  }

  private static func packetCount(_ frame: [UInt8]) -> Int { max((frame.count + 1_099) / 1_100, 1) }

  private func send(_ frame: [UInt8], cut size: Int, to index: Int) {
    for number in 0..<Self.packetCount(frame) {
      send(frame.span.extracting(number * size..<min((number + 1) * size, frame.count)), to: index)
    }
  }

  private func send(_ payload: Span<UInt8>, to index: Int) {
    let length = Self.headerSize + payload.count + Int(Self.tagSize)
    if sending.isFull || arena.room < length { flush() }
    viewers[index].counter += 1
    let (context, counter) = (viewers[index].context, viewers[index].counter)
    let range = arena.append(capacity: length) { packet in
      packet.withUnsafeMutableBufferPointer { Self.seal(payload, context, counter, $0) } ? length : nil
    }
    guard let range else { return }
    if handing == .singly {
      let sent = arena.withUnsafeBytes { packets in
        Glibc.send(viewers[index].connected, packets.baseAddress.map { $0 + range.lowerBound }, length, 0)
      }
      if sent != length { refused += 1 }
      arena.removeAll()
    } else {
      _ = sending.append(range, to: viewers[index].address)
    }
    packetsSent += 1
    bytesSent += length
  }

  private static func seal(
    _ payload: Span<UInt8>, _ context: OpaquePointer, _ counter: UInt64, _ packet: UnsafeMutableBufferPointer<UInt8>
  ) -> Bool {
    guard let base = packet.baseAddress else { return false }
    var written: Int32 = 0
    var vector: (UInt64, UInt64) = (counter, counter)
    return payload.withUnsafeBufferPointer { payload in
      withUnsafeBytes(of: &vector) { vector in
        EVP_EncryptInit_ex(context, nil, nil, nil, vector.bindMemory(to: UInt8.self).baseAddress) == 1
      }
        && EVP_EncryptUpdate(context, nil, &written, base, Int32(headerSize)) == 1
        && EVP_EncryptUpdate(context, base + headerSize, &written, payload.baseAddress, Int32(payload.count)) == 1
        && EVP_EncryptFinal_ex(context, base, &written) == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tagSize, base + headerSize + payload.count) == 1
    }
  }

  private func flush() {
    sending.send(from: &arena, over: socket)
    arena.removeAll()
  }

  /// Reads what came and throws it away, in turns as far apart as those of `ClientLoop`.
  private final class Reader: @unchecked Sendable {
    // Unchecked: the queue belongs to the thread.
    private let sockets: [UDPSocket]
    private let queue: EventQueue
    private let isStopping = Atomic<Bool>(false)

    init(_ sockets: [UDPSocket]) throws {
      self.sockets = sockets
      queue = try EventQueue()
      for (index, socket) in sockets.enumerated() { queue.add(socket.descriptor, token: UInt64(index), for: .readable) }
      MediaThread.start(name: "limit") { [self] in
        let batch = ReceiveBatch()
        while !isStopping.load(ordering: .relaxed) {
          let start = MonotonicClock.now()
          while read(batch) == EventQueue.capacity {}
          MonotonicClock.sleep(until: start + .milliseconds(4))
        }
      }
    }

    private func read(_ batch: ReceiveBatch) -> Int {
      queue.wait(timeout: .milliseconds(20)) { token, _ in
        while batch.receive(from: sockets[Int(token)]) == ReceiveBatch.capacity {}
      }
    }

    func stop() { isStopping.store(true, ordering: .relaxed) }
  }
}
