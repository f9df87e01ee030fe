import Bytes

/// Where in memory an `SRTPSender` or `SRTPReceiver` is; meaningless once it is gone, and only ever a hint.
package struct SRTPMemory {
  private let object: UnsafeRawPointer
  private let byteCount: Int
  private let cipher: UnsafeRawPointer?
  private let rtcpCipher: UnsafeRawPointer?
  private let rtcpStream: UnsafeRawPointer?

  /// - Parameters:
  ///   - byteCount: of the object that packets go through.
  ///   - rtcpStream: what the object keeps elsewhere of who sends RTCP.
  init(
    _ object: AnyObject, byteCount: Int, cipher: UnsafeRawPointer?, rtcpCipher: UnsafeRawPointer?,
    rtcpStream: UnsafeRawPointer? = nil
  ) {
    self.object = UnsafeRawPointer(Unmanaged.passUnretained(object).toOpaque())
    self.byteCount = byteCount
    self.cipher = cipher
    self.rtcpCipher = rtcpCipher
    self.rtcpStream = rtcpStream
  }

  /// Asks for all of it that RTP packets go through.
  package func prefetch() { prefetch(cipher) }

  /// Asks for all of it that RTCP packets go through.
  package func prefetchForRTCP() {
    if let rtcpStream { Prefetch.memory(at: rtcpStream, byteCount: 192) }
    prefetch(rtcpCipher)
  }

  private func prefetch(_ cipher: UnsafeRawPointer?) {
    Prefetch.memory(at: object, byteCount: byteCount)
    // A key's block is so long. OpenSSL does not say where a context's key schedule and hash table are: allocated after it, they mostly
    // follow it.
    if let cipher { Prefetch.memory(at: cipher, byteCount: 1024) }
  }
}
