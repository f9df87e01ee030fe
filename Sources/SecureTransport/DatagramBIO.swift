import COpenSSL

/// What OpenSSL reads datagrams from and writes them to: one datagram in at a time, each one out kept apart.
///
/// OpenSSL's memory BIO would join the datagrams of a flight. This one also holds the retransmission timer, which OpenSSL keeps
/// against the real clock: the timer is told never to run out by itself, and to have run out when `expire` says so.
final class DatagramBIO {
  /// What OpenSSL wrote and nobody has taken yet.
  var outgoing: [[UInt8]] = []
  /// What the peer's certificate must hash to; nil while the session description has not said.
  var expectedFingerprint: Fingerprint?
  private var timerWasStarted = false
  private var flightIsNew = true
  /// The flight sent last awaits an answer.
  private(set) var timerRuns = false
  /// The peer's certificate was compared with the fingerprint expected and differed.
  private(set) var fingerprintDiffered = false

  private var incoming: UnsafeRawBufferPointer?
  private var timeoutField: UnsafeMutableRawPointer?

  /// More than a handshake's flight ever takes; what goes beyond is dropped, as a network would.
  private static let mostOutgoing = 64

  /// Runs `body` with `datagram` ready to be read; what it leaves unread is forgotten.
  func offering(_ datagram: UnsafeRawBufferPointer, _ body: () -> Void) {
    incoming = datagram
    body()
    incoming = nil
  }

  /// Whether the timer was started or restarted since this was last asked.
  func takeTimerStart() -> Bool {
    defer { timerWasStarted = false }
    return timerWasStarted
  }

  /// Whether the peer answered, so that what is sent now is another flight, since this was last asked.
  func takeNewFlight() -> Bool {
    defer { flightIsNew = false }
    return flightIsNew
  }

  /// Whether a certificate is the expected one; true while none is expected, which is checked again before keys are given out.
  func accepts(_ certificate: OpaquePointer) -> Bool {
    guard let expectedFingerprint else { return true }
    if Fingerprint(of: certificate, by: expectedFingerprint.algorithm) == expectedFingerprint { return true }
    fingerprintDiffered = true
    return false
  }

  /// Makes the running timer look run out to OpenSSL.
  func expire() {
    guard timerRuns, let timeoutField else { return }
    shim_timeout_make_past(timeoutField)
  }

  fileprivate func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    guard let datagram = incoming else { return nil }
    incoming = nil
    let count = min(datagram.count, buffer.count)
    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: datagram[..<count]))
    return count
  }

  fileprivate func write(_ datagram: UnsafeRawBufferPointer) {
    if outgoing.count < Self.mostOutgoing { outgoing.append([UInt8](datagram)) }
  }

  fileprivate func noteTimeout(_ field: UnsafeMutableRawPointer) {
    timerRuns = shim_timeout_is_set(field) != 0
    if timerRuns { timerWasStarted = true } else { flightIsNew = true }
    guard shim_next_timeout_is_the_field_itself() != 0 else { return }
    timeoutField = field
    if timerRuns { shim_timeout_make_never(field) }
  }

  /// A new BIO of OpenSSL's around this object, which must outlive it; the caller owns one reference.
  func makeBIO() -> OpaquePointer? {
    guard let method = datagramMethod.pointer, let bio = BIO_new(method) else { return nil }
    BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
    BIO_set_init(bio, 1)
    return bio
  }
}

/// The functions OpenSSL calls on a `DatagramBIO`; made once, never freed.
private struct DatagramMethod: @unchecked Sendable {
  // Unchecked: nobody changes it once it is made.
  let pointer: OpaquePointer?

  init() {
    pointer = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams")
    guard let pointer else { return }
    BIO_meth_set_read(pointer) { bio, buffer, count in
      guard let bio, let buffer, count > 0, let port = port(of: bio) else { return -1 }
      shim_bio_clear_retry(bio)
      guard let read = port.read(into: .init(start: buffer, count: Int(count))) else {
        shim_bio_set_retry_read(bio)
        return -1
      }
      return Int32(truncatingIfNeeded: read)
    }
    BIO_meth_set_write(pointer) { bio, bytes, count in
      guard let bio, let bytes, count > 0, let port = port(of: bio) else { return -1 }
      shim_bio_clear_retry(bio)
      port.write(.init(start: bytes, count: Int(count)))
      return count
    }
    BIO_meth_set_ctrl(pointer) { bio, command, _, argument in
      switch command {
      case BIO_CTRL_FLUSH: return 1
      case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
        if let bio, let argument { port(of: bio)?.noteTimeout(argument) }
        return 1
      default: return 0
      }
    }
  }
}

private let datagramMethod = DatagramMethod()
private let BIO_TYPE_SOURCE_SINK: Int32 = 0x0400

private func port(of bio: OpaquePointer) -> DatagramBIO? {
  BIO_get_data(bio).map { Unmanaged<DatagramBIO>.fromOpaque($0).takeUnretainedValue() }
}
