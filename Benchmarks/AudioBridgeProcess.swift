import DatagramIO
import EncodedMedia
import Glibc
import ICE
import RealTime
import Synchronization
import Timing

/// Janus with its AudioBridge and nothing else, with participants over plain RTP.
final class AudioBridgeProcess: MixingProcess {
  private let process: ChildProcess
  private let participants: [Participant]
  private let receiving: ReceivingThread
  private let folder: String

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
    var template = Array("/tmp/tutti-bench-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw BenchmarkError("no folder for Janus's configuration") }
    folder = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let path = folder + "/api"
    try Self.configure(folder, path)
    process = try ChildProcess(["janus", "--configs-folder=\(folder)"])
    let control = try JanusControl(path)
    try control.createRoom()
    var participants: [Participant] = []
    for number in 0..<count {
      let participant = try Participant(number: number)
      participant.connect(to: try control.join(number, port: participant.port))
      participants.append(participant)
    }
    self.participants = participants
    receiving = try ReceivingThread(participants.map(\.socket), control: control, delivery: delivery)
  }

  fileprivate static func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = LocalPort.host.bigEndian
    return address
  }

  private static func configure(_ folder: String, _ path: String) throws {
    try write(
      """
      general: { configs_folder = "\(folder)" debug_level = 1 session_timeout = 0 }
      media: { rtp_port_range = "20000-40000" }
      plugins: { disable = "libjanus_echotest.so,libjanus_streaming.so,libjanus_videocall.so,libjanus_sip.so,libjanus_nosip.so,libjanus_recordplay.so,libjanus_videoroom.so,libjanus_voicemail.so,libjanus_textroom.so,libjanus_lua.so,libjanus_duktape.so" }
      transports: { disable = "libjanus_http.so,libjanus_websockets.so,libjanus_rabbitmq.so,libjanus_mqtt.so,libjanus_nanomsg.so" }
      """, to: folder + "/janus.jcfg")
    try write(
      "general: { enabled = true json = \"compact\" path = \"\(path)\" type = \"SOCK_SEQPACKET\" }\nadmin: { admin_enabled = false }\n",
      to: folder + "/janus.transport.pfunix.jcfg")
    try write(
      "general: { local_ip = \"127.0.0.1\" rtp_port_range = \"40000-60000\" }\n",
      to: folder + "/janus.plugin.audiobridge.jcfg")
  }

  private static func write(_ text: String, to path: String) throws {
    guard let file = fopen(path, "w") else { throw BenchmarkError("cannot write \(path)") }
    fputs(text, file)
    fclose(file)
  }

  func send(_ frame: EncodedFrame, from client: Int) {
    if participants.indices.contains(client) { participants[client].send(frame) }
  }

  var cpuTime: Int64? { process.cpuTime }

  func stop() {
    receiving.stop()
    process.stop()
    for name in ["janus.jcfg", "janus.transport.pfunix.jcfg", "janus.plugin.audiobridge.jcfg", "api"] {
      unlink(folder + "/" + name)
    }
    rmdir(folder)
  }
}

/// Asks Janus for things over its socket, one after another.
private final class JanusControl: Sendable {
  private let socket: Int32
  private let session: String
  private let lastTransaction = Atomic<Int>(0)
  private static let room = 1

  init(_ path: String) throws {
    socket = try Self.connect(path)
    let answer = try Self.exchange(socket, #"{"janus":"create","transaction":"s"}"#) { $0.contains("\"success\"") }
    guard let id = Self.number("id", in: answer) else { throw BenchmarkError("Janus made no session: \(answer)") }
    session = id
  }

  deinit { close(socket) }

  private static func connect(_ path: String) throws -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(100)) }
    for _ in 0..<100 {
      let socket = Glibc.socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0)
      let status = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      if status == 0 { return socket }
      close(socket)
      usleep(50_000)
    }
    throw BenchmarkError("Janus does not listen; is Debian's package `janus` installed?")
  }

  func createRoom() throws {
    let handle = try attach()
    let answer = try ask(
      handle,
      #"{"request":"create","room":\#(Self.room),"sampling_rate":48000,"default_bitrate":24000,"allow_rtp_participants":true,"audiolevel_event":false}"#
    )
    guard answer.contains("\"created\"") else { throw BenchmarkError("Janus made no room: \(answer)") }
  }

  /// - Returns: the port to which the participant's packets go.
  func join(_ number: Int, port: UInt16) throws -> UInt16 {
    let handle = try attach()
    let answer = try ask(
      handle,
      #"{"request":"join","room":\#(Self.room),"display":"P\#(number)","codec":"opus","quality":5,"bitrate":24000,"rtp":{"ip":"127.0.0.1","port":\#(port),"payload_type":100}}"#
    )
    guard let rtp = answer.range(after: "\"rtp\""), let port = Self.number("port", in: rtp).flatMap({ UInt16($0) }) else {
      throw BenchmarkError("Janus let nobody in: \(answer)")
    }
    return port
  }

  func keepAlive() {
    let message = #"{"janus":"keepalive","session_id":\#(session),"transaction":"k"}"#
    _ = message.utf8.withContiguousStorageIfAvailable { Glibc.send(socket, $0.baseAddress, $0.count, 0) }
  }

  private func attach() throws -> String {
    let answer = try Self.exchange(
      socket, #"{"janus":"attach","session_id":\#(session),"plugin":"janus.plugin.audiobridge","transaction":"\#(next())"}"#
    ) { $0.contains("\"success\"") || $0.contains("\"error\"") }
    guard let data = answer.range(after: "\"data\""), let id = Self.number("id", in: data) else {
      throw BenchmarkError("Janus has no AudioBridge: \(answer)")
    }
    return id
  }

  private func ask(_ handle: String, _ body: String) throws -> String {
    try Self.exchange(
      socket,
      #"{"janus":"message","session_id":\#(session),"handle_id":\#(handle),"transaction":"\#(next())","body":\#(body)}"#
    ) { $0.contains("plugindata") || $0.contains("\"error\"") }
  }

  private func next() -> String { "t\(lastTransaction.wrappingAdd(1, ordering: .relaxed).newValue)" }

  /// Sends a message and reads until what answers it has come; acknowledgements and events of others are passed over.
  private static func exchange(_ socket: Int32, _ message: String, _ answers: (String) -> Bool) throws -> String {
    let transaction = message.range(after: "\"transaction\":\"").map { String($0.prefix { $0 != "\"" }) } ?? ""
    var bytes = Array(message.utf8)
    guard send(socket, &bytes, bytes.count, 0) == bytes.count else { throw BenchmarkError("Janus takes no message") }
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = recv(socket, &buffer, buffer.count, 0)
      guard count > 0 else { throw BenchmarkError("Janus does not answer") }
      let text = String(decoding: buffer[0..<count], as: UTF8.self)
      if text.contains("\"\(transaction)\""), answers(text) { return text }
    }
  }

  /// The digits behind `"name":`.
  private static func number(_ name: String, in text: some StringProtocol) -> String? {
    guard let rest = String(text).range(after: "\"\(name)\":") else { return nil }
    let digits = rest.drop { $0 == " " }.prefix { $0.isNumber }
    return digits.isEmpty ? nil : String(digits)
  }
}

extension String {
  /// What stands behind the first occurrence of `text`.
  fileprivate func range(after text: String) -> Substring? {
    let (own, wanted) = (Array(utf8), Array(text.utf8))
    guard own.count >= wanted.count else { return nil }
    for start in 0...(own.count - wanted.count) where own[start..<(start + wanted.count)].elementsEqual(wanted) {
      return Substring(decoding: own[(start + wanted.count)...], as: UTF8.self)
    }
    return nil
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
