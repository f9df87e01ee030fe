import Dispatch
import Glibc

/// A client that sends exactly the bytes it is given. Blocking calls stay off the cooperative threads.
final class RawClient: @unchecked Sendable {
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private let queue = DispatchQueue(label: "raw client")

  init(port: UInt16, receiveBuffer: Int32 = 0) {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var timeout = timeval(tv_sec: 600, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    if receiveBuffer > 0 {
      var size = receiveBuffer
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    precondition(result == 0, "the server listens")
  }

  deinit { close(descriptor) }

  private func onQueue<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in queue.async { continuation.resume(returning: body()) } }
  }

  /// Sends all; false where the server no longer takes it.
  @discardableResult
  func send(_ bytes: [UInt8]) async -> Bool {
    await onQueue { [self] in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
      }
      return true
    }
  }

  @discardableResult
  func send(_ text: String) async -> Bool { await send(Array(text.utf8)) }

  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Reads until `isEnough`; false at the end of the stream or after two minutes.
  private func fill(until isEnough: ([UInt8]) -> Bool) -> Bool {
    var part = [UInt8](repeating: 0, count: 65_536)
    while !isEnough(buffer) {
      let count = recv(descriptor, &part, part.count, 0)
      guard count > 0 else { return false }
      buffer += part.prefix(count)
    }
    return true
  }

  struct Response: Sendable {
    var status: Int
    var headers: [String: String]
    var body: String
    subscript(name: String) -> String? { headers[name] }
  }

  /// The next response; nil where the connection ends before it.
  func response(toHead: Bool = false) async -> Response? {
    await onQueue { [self] in
      guard fill(until: { endOfHead($0) != nil }), let end = endOfHead(buffer) else { return nil }
      let lines = String(decoding: buffer[..<end], as: UTF8.self).split(separator: "\r\n").map(String.init)
      buffer.removeFirst(end)
      var headers: [String: String] = [:]
      for line in lines.dropFirst() {
        let colon = line.firstIndex(of: ":") ?? line.endIndex
        let (name, value) = (line[..<colon].lowercased(), String(line[colon...].dropFirst(2)))
        headers[name] = headers[name].map { $0 + ", " + value } ?? value
      }
      let status = Int(lines[0].split(separator: " ")[1]) ?? 0
      let length = toHead || status == 100 ? 0 : Int(headers["content-length"] ?? "") ?? 0
      guard fill(until: { $0.count >= length }) else { return nil }
      let body = String(decoding: buffer[..<length], as: UTF8.self)
      buffer.removeFirst(length)
      return Response(status: status, headers: headers, body: body)
    }
  }

  /// The payload of the next frame of a WebSocket and its opcode.
  func frame() async -> (opcode: UInt8, payload: [UInt8])? {
    await onQueue { [self] in
      guard fill(until: { $0.count >= 2 }) else { return nil }
      var start = 2
      var length = Int(buffer[1] & 0x7F)
      if length == 126 {
        guard fill(until: { $0.count >= 4 }) else { return nil }
        length = Int(buffer[2]) << 8 | Int(buffer[3])
        start = 4
      } else if length == 127 {
        guard fill(until: { $0.count >= 10 }) else { return nil }
        length = buffer[2..<10].reduce(0) { $0 << 8 | Int($1) }
        start = 10
      }
      guard fill(until: { [start, length] in $0.count >= start + length }) else { return nil }
      let frame = (buffer[0] & 0x0F, Array(buffer[start..<(start + length)]))
      buffer.removeFirst(start + length)
      return frame
    }
  }

  /// Whether the server ends the connection without another byte.
  func isClosed() async -> Bool {
    await onQueue { [self] in
      var byte: UInt8 = 0
      return buffer.isEmpty && recv(descriptor, &byte, 1, 0) <= 0 && errno != EAGAIN
    }
  }
}

private func endOfHead(_ bytes: [UInt8]) -> Int? {
  guard bytes.count >= 4 else { return nil }
  for i in 0...(bytes.count - 4) where bytes[i] == 13 && bytes[i + 1] == 10 && bytes[i + 2] == 13 && bytes[i + 3] == 10 {
    return i + 4
  }
  return nil
}
