import Glibc
import CWebSockets
import Synchronization
import RealTime
import Timing

/// Where and for how many a server listens.
struct WebServerSettings: Sendable {
  /// A numeric address.
  var address: String
  /// 0 for any free one.
  var port: UInt16
  var tls: TLSMaterial?
  var connectionsMax: Int
  var limits: ConnectionLimits
}

enum TLSMaterial: Sendable {
  /// Paths of PEM files.
  case files(certificate: String, key: String)
  /// PEM texts.
  case texts(certificate: [UInt8], key: [UInt8])
}

/// What the server asks of the application.
struct WebApplication: Sendable {
  var policy: HTTPPolicy
  var answer: @Sendable (HTTPRequest) async -> HTTPResponse
  /// Connects a new WebSocket with its source of messages; the result ends the subscription.
  var subscribe: @Sendable (HTTPRequestHead, EventChannel) async -> @Sendable () -> Void
}

/// Sockets, TLS and timers by libwebsockets; the only file that knows it.
///
/// libwebsockets accepts, encrypts and waits; requests and frames are read by `HTTPConnection`. Version 4.1.6 reads requests in
/// ways the contract rules out: its WebSocket upgrade has room for 127 bytes of subprotocols, less than a token; it folds `..` out
/// of paths before anybody can refuse them; it hangs up on NUL without a word, and answers a pipelined request twice.
///
///     service thread: accept, read, HTTPConnection, write          tasks: ConferenceControl
///          ▲  mailbox + lws_cancel_service ◀── answers, events ──────────┘
final class WebServer: Sendable {
  /// What other threads leave for the service thread.
  enum Mail: Sendable {
    case answer(connection: UInt64, exchange: Int, HTTPResponse)
    case events(connection: UInt64)
    case subscribed(connection: UInt64, cancel: @Sendable () -> Void)
    case stop
  }

  private struct Shared: ~Copyable {
    var mail: [Mail] = []
    /// Nil once the service thread is gone.
    var context: ServiceContext?
  }
  private let shared = Mutex(Shared())
  /// Signalled by the service thread's end.
  private let ended = Ended()
  let port: UInt16

  /// Listens and starts the service thread.
  ///
  /// - Throws: a sentence that says what is in the way.
  init(_ settings: WebServerSettings, application: WebApplication) throws(ControlServerError) {
    try checkAddress(settings.address, port: settings.port)
    let loop = ServiceLoop(settings, application: application)
    let context = try loop.open()
    port = loop.port
    let handle = ServiceContext(pointer: context)
    shared.withLock { $0.context = handle }
    loop.attach(to: self)
    let isRunning = MediaThread.start(name: "http") { [ended] in
      loop.run()
      ended.signal()
    }
    if !isRunning { throw ControlServerError("the system has no thread to give: raise its limit of processes") }
  }

  func post(_ mail: Mail) {
    shared.withLock { shared in
      guard let context = shared.context else { return }
      shared.mail.append(mail)
      // Where there was some, the thread has been woken and will find this as well.
      if shared.mail.count == 1 { lws_cancel_service(context.pointer) }
    }
  }

  func takeMail() -> [Mail] {
    shared.withLock { shared in
      let mail = shared.mail
      shared.mail = []
      return mail
    }
  }

  /// Called by the service thread before the context goes.
  func detach() { shared.withLock { $0.context = nil } }

  /// Ends all connections and the thread; returns when both are gone.
  func stop() {
    post(.stop)
    ended.wait()
  }
}

/// For `lws_cancel_service` alone, which may be called from every thread while the context lives.
private struct ServiceContext: @unchecked Sendable { let pointer: OpaquePointer }

/// The side of the service thread: owns every connection.
///
/// Unchecked because it moves to its thread once, at the start, and stays there.
private final class ServiceLoop: @unchecked Sendable {
  private struct Client {
    let socket: OpaquePointer
    var connection: HTTPConnection
    var channel: EventChannel?
    var cancelSubscription: (@Sendable () -> Void)?
    var isShutDown = false
  }
  private let settings: WebServerSettings
  private let application: WebApplication
  private weak var server: WebServer?
  private var clients: [UInt64: Client] = [:]
  private var identifiers: [OpaquePointer: UInt64] = [:]
  private var nextIdentifier: UInt64 = 1
  private var stopDeadline: Instant?
  private var context: OpaquePointer?
  private(set) var port: UInt16 = 0
  private let protocols = UnsafeMutablePointer<lws_protocols>.allocate(capacity: 2)
  private var strings: [UnsafeMutablePointer<CChar>] = []
  /// Where a chunk to be written stands behind the bytes that lws_write may use.
  private let chunk = UnsafeMutablePointer<UInt8>.allocate(capacity: chunkBytes + Int(lws_pre_bytes))
  private static let chunkBytes = 16 * 1024

  init(_ settings: WebServerSettings, application: WebApplication) {
    self.settings = settings
    self.application = application
    protocols.initialize(repeating: lws_protocols(), count: 2)
    protocols[0].name = copied("tutti")
    protocols[0].callback = serviceCallback
    protocols[0].rx_buffer_size = 16 * 1024
  }

  deinit {
    protocols.deallocate()
    chunk.deallocate()
    for string in strings { free(string) }
  }

  /// A C string that lives as long as the loop: of some lws keeps no copy.
  private func copied(_ text: String) -> UnsafePointer<CChar>? {
    guard let copy = strdup(text) else { return nil }
    strings.append(copy)
    return UnsafePointer(copy)
  }

  func attach(to server: WebServer) { self.server = server }

  // MARK: Life

  func open() throws(ControlServerError) -> OpaquePointer {
    lws_set_log_level(0, nil)
    var info = lws_context_creation_info()
    info.port = Int32(settings.port)
    info.protocols = UnsafePointer(protocols)
    info.user = Unmanaged.passUnretained(self).toOpaque()
    info.gid = -1
    info.uid = -1
    info.fd_limit_per_thread = UInt32(truncatingIfNeeded: settings.connectionsMax + 64)
    info.options = lws_option_only_raw | lws_option_must_bind
    if !settings.address.contains(":") { info.options |= lws_option_disable_ipv6 }
    info.iface = copied(settings.address)
    // Else a client that offers HTTP/2 gets it from lws, past our reader.
    info.alpn = copied("http/1.1")
    var certificate: [UInt8] = []
    var key: [UInt8] = []
    switch settings.tls {
    case .files(let certificatePath, let keyPath):
      info.options |= lws_option_init_tls
      info.ssl_cert_filepath = copied(certificatePath)
      info.ssl_private_key_filepath = copied(keyPath)
    case .texts(let certificateText, let keyText):
      info.options |= lws_option_init_tls
      certificate = certificateText
      key = keyText
    case nil: break
    }
    let created: OpaquePointer? = certificate.withUnsafeBytes { certificate in
      key.withUnsafeBytes { key in
        if !certificate.isEmpty {
          info.server_ssl_cert_mem = certificate.baseAddress
          info.server_ssl_cert_mem_len = UInt32(truncatingIfNeeded: certificate.count)
          info.server_ssl_private_key_mem = key.baseAddress
          info.server_ssl_private_key_mem_len = UInt32(truncatingIfNeeded: key.count)
        }
        return lws_create_context(&info)
      }
    }
    guard let created else {
      let advice = settings.tls == nil ? "" : "; check that certificate and key are PEM files that belong together"
      throw ControlServerError("cannot serve HTTP on \(settings.address):\(settings.port)\(advice)")
    }
    context = created
    guard let vhost = lws_get_vhost_by_name(created, "default") else {
      throw ControlServerError("cannot serve HTTP on \(settings.address):\(settings.port)")
    }
    port = UInt16(truncatingIfNeeded: lws_get_vhost_listen_port(vhost))
    return created
  }

  func run() {
    while !isOver { _ = lws_service(context, 0) }
    server?.detach()
    lws_context_destroy(context)
    for client in clients.values { client.cancelSubscription?() }
    clients = [:]
  }

  private var isOver: Bool {
    guard let stopDeadline else { return false }
    return clients.isEmpty || MonotonicClock.now() >= stopDeadline
  }

  // MARK: Events of libwebsockets

  func handle(_ reason: lws_callback_reasons, _ socket: OpaquePointer?, _ bytes: UnsafeRawBufferPointer) -> Int32 {
    let now = MonotonicClock.now()
    if reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED {
      for mail in server?.takeMail() ?? [] { handle(mail, at: now) }
      return 0
    }
    guard let socket else { return 0 }
    if reason == LWS_CALLBACK_RAW_ADOPT { return adopt(socket, at: now) }
    guard let identifier = identifiers[socket] else { return 0 }
    switch reason {
    case LWS_CALLBACK_RAW_RX:
      var actions: [ConnectionAction] = []
      clients[identifier]?.connection.receive(bytes, at: now, into: &actions)
      perform(actions, for: identifier)
      drive(identifier, at: now)
    case LWS_CALLBACK_RAW_WRITEABLE: return write(identifier, at: now)
    case LWS_CALLBACK_TIMER:
      guard clients[identifier]?.connection.handleTimeout(at: now) ?? false else {
        lws_close_soon(socket)
        return 0
      }
      drive(identifier, at: now)
    case LWS_CALLBACK_RAW_CLOSE: forget(identifier)
    default: break
    }
    return 0
  }

  private func adopt(_ socket: OpaquePointer, at now: Instant) -> Int32 {
    guard clients.count < settings.connectionsMax, stopDeadline == nil else { return -1 }
    let identifier = nextIdentifier
    nextIdentifier += 1
    identifiers[socket] = identifier
    clients[identifier] = Client(
      socket: socket, connection: HTTPConnection(limits: settings.limits, policy: application.policy, at: now))
    var one: Int32 = 1
    setsockopt(lws_get_socket_fd(socket), Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    drive(identifier, at: now)
    return 0
  }

  private func forget(_ identifier: UInt64) {
    guard let client = clients.removeValue(forKey: identifier) else { return }
    identifiers[client.socket] = nil
    client.cancelSubscription?()
  }

  // MARK: Mail

  private func handle(_ mail: WebServer.Mail, at now: Instant) {
    switch mail {
    case .answer(let identifier, let exchange, let response):
      var actions: [ConnectionAction] = []
      clients[identifier]?.connection.respond(response, exchange: exchange, at: now, into: &actions)
      perform(actions, for: identifier)
      drive(identifier, at: now)
    case .events(let identifier):
      guard let client = clients[identifier], let channel = client.channel else { return }
      if channel.hasOverflown { lws_close_soon(client.socket) } else { drive(identifier, at: now) }
    case .subscribed(let identifier, let cancel):
      if clients[identifier] != nil { clients[identifier]?.cancelSubscription = cancel } else { cancel() }
    case .stop:
      stopDeadline = now + .milliseconds(500)
      for (identifier, client) in clients {
        if client.connection.isWebSocket {
          clients[identifier]?.connection.closeWebSocket(code: 1001, reason: "the server stops", at: now)
          drive(identifier, at: now)
        } else if !client.connection.hasOutput {
          lws_close_soon(client.socket)
        }
      }
      lws_cancel_service(context)
    }
  }

  private func perform(_ actions: [ConnectionAction], for identifier: UInt64) {
    guard let server else { return }
    for action in actions {
      switch action {
      case .answer(let request, let exchange):
        Task { [application] in
          let response = await application.answer(request)
          server.post(.answer(connection: identifier, exchange: exchange, response))
        }
      case .openWebSocket(let head):
        let channel = EventChannel { [weak server] in server?.post(.events(connection: identifier)) }
        clients[identifier]?.channel = channel
        Task { [application] in
          let cancel = await application.subscribe(head, channel)
          server.post(.subscribed(connection: identifier, cancel: cancel))
        }
      }
    }
  }

  // MARK: Output

  /// Brings socket and timer in line with what the connection wants.
  private func drive(_ identifier: UInt64, at now: Instant) {
    guard let client = clients[identifier] else { return }
    takeEvents(identifier, at: now)
    guard let connection = clients[identifier]?.connection else { return }
    lws_rx_flow_control(client.socket, connection.wantsInput ? 1 : 0)
    if connection.hasOutput || (connection.wantsShutdown && !client.isShutDown) { lws_callback_on_writable(client.socket) }
    let wait = max(1_000, (connection.nextDeadline - now).nanoseconds / 1_000)
    lws_set_timer_usecs(client.socket, connection.nextDeadline == .distantFuture ? -1 : lws_usec_t(wait))
  }

  /// Moves queued events into the connection, where they are bytes, only as fast as those leave.
  private func takeEvents(_ identifier: UInt64, at now: Instant) {
    guard let client = clients[identifier], let channel = client.channel, !client.connection.hasOutput else { return }
    for message in channel.take() { clients[identifier]?.connection.sendText(message, at: now) }
  }

  private func write(_ identifier: UInt64, at now: Instant) -> Int32 {
    guard let client = clients[identifier] else { return -1 }
    let pending = client.connection.pendingOutput(upTo: Self.chunkBytes)
    if !pending.isEmpty {
      let start = chunk + Int(lws_pre_bytes)
      pending.withUnsafeBufferPointer { if let bytes = $0.baseAddress { start.update(from: bytes, count: $0.count) } }
      let written = lws_write(client.socket, start, pending.count, lws_write_raw)
      guard written >= 0 else { return -1 }
      // What lws could not send it keeps, and calls again when that is gone.
      clients[identifier]?.connection.didSend(pending.count, at: now)
      lws_callback_on_writable(client.socket)
    } else if client.connection.wantsShutdown, !client.isShutDown {
      clients[identifier]?.isShutDown = true
      shutdown(lws_get_socket_fd(client.socket), Int32(SHUT_WR))
    }
    drive(identifier, at: now)
    return 0
  }
}

/// Finds the loop and hands over; a C function, so it captures nothing.
private let serviceCallback:
  @convention(c) (
    OpaquePointer?, lws_callback_reasons, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, Int
  ) -> Int32 = { socket, reason, _, input, length in
    guard let socket, let context = lws_get_context(socket), let user = lws_context_user(context) else { return 0 }
    let loop = Unmanaged<ServiceLoop>.fromOpaque(user).takeUnretainedValue()
    let bytes =
      reason == LWS_CALLBACK_RAW_RX
      ? UnsafeRawBufferPointer(start: input, count: length) : UnsafeRawBufferPointer(start: nil, count: 0)
    return loop.handle(reason, socket, bytes)
  }
