import Timing

/// Sizes and times a connection may take.
package struct ConnectionLimits: Sendable {
  package var headBytes = 16 * 1024
  /// From the first byte of a request, or of a fresh connection, to the end of its head.
  package var headTime = Interval.seconds(10)
  package var bodyTime = Interval.seconds(20)
  /// How long an idle connection is kept.
  package var idleTime = Interval.seconds(60)
  /// How long the application may think.
  package var answerTime = Interval.seconds(30)
  /// How long a client may take to read a response.
  package var outputTime = Interval.seconds(60)
  /// How long bytes of a refused body are read and dropped, so that the client gets to see the refusal.
  package var lingerTime = Interval.seconds(2)
  package var pingTime = Interval.seconds(20)
  /// Silence after which a WebSocket client is gone; more than two pings.
  package var silenceTime = Interval.seconds(50)

  package init() {}
}

/// What the application says about requests, on the service thread: decisions without waiting.
struct HTTPPolicy: Sendable {
  var admit: @Sendable (HTTPRequestHead) -> Admission
  /// Adds the headers that every answer carries. The head is nil where it could not be read.
  var decorate: @Sendable (HTTPResponse, HTTPRequestHead?) -> HTTPResponse
}

/// How a request is met once its head is known, before its body is read.
enum Admission: Sendable {
  /// A body of up to so many bytes is read and the request handed on.
  case proceed(bodyBytesMax: Int)
  case refuse(HTTPResponse)
  /// The connection becomes a WebSocket; `acceptKey` and `subprotocol` go into the 101.
  case webSocket(acceptKey: String, subprotocol: String?)
}

/// What the driver has to do for a connection.
enum ConnectionAction: Sendable {
  case answer(HTTPRequest, exchange: Int)
  case openWebSocket(HTTPRequestHead)
}

/// One client's connection: HTTP/1.1 with keep-alive and pipelining, then perhaps a WebSocket. Knows no socket and no clock.
///
///     head ──▶ body ──▶ answering ──▶ head …          the last response ──▶ lingering ──▶ closed
///       └────▶ webSocket ──▶ lingering
struct HTTPConnection: Sendable {
  private enum State: Sendable {
    case head
    case body(HTTPRequestHead)
    case answering(HTTPRequestHead)
    case webSocket
    /// Everything that comes is dropped until the client or the time ends it.
    case lingering
  }
  private var state = State.head
  private var parser: HTTPRequestParser
  private var webSocket = WebSocketReader(payloadBytesMax: 4096)
  private let limits: ConnectionLimits
  private let policy: HTTPPolicy
  private var exchange = 0
  /// When the current state is given up.
  private var stateDeadline: Instant
  private var outputDeadline = Instant.distantFuture
  private var nextPing = Instant.distantFuture
  /// Bytes to send, from `sent` on.
  private var output: [UInt8] = []
  private var sent = 0
  /// No more input is wanted; the connection ends behind the output.
  private(set) var isFinishing = false

  init(limits: ConnectionLimits, policy: HTTPPolicy, at now: Instant) {
    self.limits = limits
    self.policy = policy
    parser = HTTPRequestParser(headBytesMax: limits.headBytes)
    stateDeadline = now + limits.headTime
  }

  var hasOutput: Bool { sent < output.count }
  var isWebSocket: Bool { if case .webSocket = state { true } else { false } }
  /// While a request is being answered the next one waits in the kernel, and so does the end of the stream: a client that
  /// closes its side behind its request still gets the answer.
  var wantsInput: Bool { if case .answering = state { false } else { !hasOutput } }
  /// Whether the driver is to end its sending side now and go on reading.
  var wantsShutdown: Bool { if case .lingering = state { !hasOutput } else { false } }

  var nextDeadline: Instant { min(stateDeadline, outputDeadline, nextPing) }

  // MARK: Input

  mutating func receive(_ bytes: some Sequence<UInt8>, at now: Instant, into actions: inout [ConnectionAction]) {
    switch state {
    case .lingering: return
    case .webSocket:
      webSocket.append(bytes)
      stateDeadline = now + limits.silenceTime
      readFrames(at: now)
    case .head, .body, .answering:
      if case .head = state, parser.isEmpty { stateDeadline = now + limits.headTime }
      parser.append(bytes)
      advance(at: now, into: &actions)
    }
  }

  /// Reads on until bytes are missing or a request has to be answered.
  private mutating func advance(at now: Instant, into actions: inout [ConnectionAction]) {
    while !isFinishing {
      switch state {
      case .head:
        do throws(HTTPFault) {
          guard let head = try parser.head() else { return }
          begin(head, at: now, admission: policy.admit(head), into: &actions)
        } catch {
          send(problem(error.status, error.detail), to: nil, at: now)
        }
      case .body(let head):
        guard let body = parser.body(head.contentLength) else { return }
        hand(HTTPRequest(head: head, body: body), at: now, into: &actions)
      case .answering, .webSocket, .lingering: return
      }
    }
  }

  private mutating func begin(
    _ head: HTTPRequestHead, at now: Instant, admission: Admission, into actions: inout [ConnectionAction]
  ) {
    exchange += 1
    switch admission {
    case .proceed(let bodyBytesMax):
      guard head.contentLength <= bodyBytesMax else {
        return refuse(head, problem(413, "Send at most \(bodyBytesMax) bytes."), at: now)
      }
      if head.contentLength == 0 { return hand(HTTPRequest(head: head, body: []), at: now, into: &actions) }
      state = .body(head)
      stateDeadline = now + limits.bodyTime
      if head.expectsContinue, parser.isEmpty { write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), at: now) }
    case .refuse(let response): refuse(head, response, at: now)
    case .webSocket(let acceptKey, let subprotocol):
      guard head.contentLength == 0 else { return refuse(head, problem(400, "A WebSocket begins without a body."), at: now) }
      upgrade(acceptKey: acceptKey, subprotocol: subprotocol, at: now)
      actions.append(.openWebSocket(head))
    }
  }

  private mutating func hand(_ request: HTTPRequest, at now: Instant, into actions: inout [ConnectionAction]) {
    state = .answering(request.head)
    stateDeadline = now + limits.answerTime
    actions.append(.answer(request, exchange: exchange))
  }

  /// Answers a head whose body, if it has one, is not read.
  private mutating func refuse(_ head: HTTPRequestHead, _ response: HTTPResponse, at now: Instant) {
    var response = response
    response.closes = response.closes || head.contentLength > 0
    send(response, to: head, at: now)
  }

  // MARK: Output

  /// The application's answer to the request of that exchange; one that comes too late is dropped.
  mutating func respond(
    _ response: HTTPResponse, exchange: Int, at now: Instant, into actions: inout [ConnectionAction]
  ) {
    guard exchange == self.exchange, case .answering(let head) = state else { return }
    send(response, to: head, at: now)
    advance(at: now, into: &actions)
  }

  private mutating func send(_ response: HTTPResponse, to head: HTTPRequestHead?, at now: Instant) {
    let closing = response.closes || !(head?.keepsAlive ?? false)
    let decorated = policy.decorate(response, head)
    write(decorated.encoded(withoutBody: head?.method == "HEAD", closing: closing), at: now)
    if closing { return linger(at: now) }
    state = .head
    stateDeadline = now + (parser.isEmpty ? limits.idleTime : limits.headTime)
  }

  /// Stops listening; what is still to be sent has its own time limit.
  private mutating func linger(at now: Instant) {
    state = .lingering
    stateDeadline = now + limits.outputTime
    nextPing = .distantFuture
    isFinishing = true
    parser.removeAll()
  }

  private mutating func write(_ bytes: [UInt8], at now: Instant) {
    if !hasOutput {
      output.removeAll(keepingCapacity: true)
      sent = 0
      outputDeadline = now + limits.outputTime
    }
    output.append(contentsOf: bytes)
  }

  /// Up to `count` bytes to send next.
  func pendingOutput(upTo count: Int) -> ArraySlice<UInt8> { output[sent..<min(output.count, sent + count)] }

  mutating func didSend(_ count: Int, at now: Instant) {
    sent += count
    if !hasOutput {
      if isFinishing { stateDeadline = now + limits.lingerTime }
      output = []
      sent = 0
      outputDeadline = .distantFuture
    }
  }

  // MARK: WebSocket

  private mutating func upgrade(acceptKey: String, subprotocol: String?, at now: Instant) {
    var response = HTTPResponse(101)
    response.set("Upgrade", "websocket")
    response.set("Connection", "Upgrade")
    response.set("Sec-WebSocket-Accept", acceptKey)
    if let subprotocol { response.set("Sec-WebSocket-Protocol", subprotocol) }
    write(response.encoded(withoutBody: true, closing: false), at: now)
    state = .webSocket
    stateDeadline = now + limits.silenceTime
    nextPing = now + limits.pingTime
    webSocket.append(parser.buffer)
    parser.removeAll()
    readFrames(at: now)
  }

  private mutating func readFrames(at now: Instant) {
    do throws(WebSocketReader.Violation) {
      while !isFinishing, let input = try webSocket.next() {
        switch input {
        case .ping(let payload): write(webSocketFrame(.pong, payload), at: now)
        case .pong, .message: break
        case .close: closeWebSocket(code: 1000, at: now)
        }
        // A client that only pings and never reads is not worth a growing queue.
        if output.count - sent > 64 * 1024 { closeWebSocket(code: 1008, at: now) }
      }
    } catch {
      closeWebSocket(code: error.code, at: now)
    }
  }

  mutating func sendText(_ text: [UInt8], at now: Instant) {
    guard isWebSocket, !isFinishing else { return }
    write(webSocketFrame(.text, text), at: now)
  }

  mutating func closeWebSocket(code: UInt16, reason: String = "", at now: Instant) {
    guard isWebSocket, !isFinishing else { return }
    write(webSocketCloseFrame(code: code, reason: reason), at: now)
    linger(at: now)
  }

  // MARK: Time

  /// False where the connection is to be closed at once.
  mutating func handleTimeout(at now: Instant) -> Bool {
    if outputDeadline <= now { return false }
    if stateDeadline <= now {
      switch state {
      case .head where parser.isEmpty: return false
      case .head, .body:
        send(problem(408, "The request took too long to arrive."), to: nil, at: now)
      case .answering(let head):
        var response = problem(504, "The server did not find the time to answer; try again.")
        response.closes = true
        send(response, to: head, at: now)
      case .webSocket, .lingering: return false
      }
    }
    if nextPing <= now {
      nextPing = now + limits.pingTime
      if !isFinishing, !hasOutput { write(webSocketFrame(.ping, []), at: now) }
    }
    return true
  }
}
