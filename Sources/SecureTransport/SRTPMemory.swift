import Bytes

/// Where in memory an `SRTPSender` or `SRTPReceiver` is; meaningless once it is gone, and only ever a hint.
package struct SRTPMemory {
  private let object: UnsafeRawPointer
  private let cipher: UnsafeRawPointer?
  private let rtcpCipher: UnsafeRawPointer?
  private let rtcpStream: UnsafeRawPointer?
  // Small, as each session keeps two of these among what every packet needs.
  private let byteCount: UInt16
  private let cipherByteCount: UInt16
  private let rtcpCipherByteCount: UInt16

  /// - Parameters:
  ///   - byteCount: of the object that packets go through.
  ///   - rtcpStream: what the object keeps elsewhere of who sends RTCP.
  init(
    _ object: AnyObject, byteCount: Int, cipher: (start: UnsafeRawPointer?, byteCount: Int),
    rtcpCipher: (start: UnsafeRawPointer?, byteCount: Int), rtcpStream: UnsafeRawPointer? = nil
  ) {
    self.object = UnsafeRawPointer(Unmanaged.passUnretained(object).toOpaque())
    self.cipher = cipher.start
    self.rtcpCipher = rtcpCipher.start
    self.rtcpStream = rtcpStream
    self.byteCount = UInt16(clamping: byteCount)
    cipherByteCount = UInt16(clamping: cipher.byteCount)
    rtcpCipherByteCount = UInt16(clamping: rtcpCipher.byteCount)
  }

  /// Asks for all of it that RTP packets go through.
  package func prefetch() { prefetch(cipher, cipherByteCount) }

  /// Asks for all of it that RTCP packets go through.
  package func prefetchForRTCP() {
    if let rtcpStream { Prefetch.memory(at: rtcpStream, byteCount: 192) }
    prefetch(rtcpCipher, rtcpCipherByteCount)
  }

  private func prefetch(_ cipher: UnsafeRawPointer?, _ cipherByteCount: UInt16) {
    Prefetch.memory(at: object, byteCount: Int(byteCount))
    if let cipher { Prefetch.memory(at: cipher, byteCount: Int(cipherByteCount)) }
  }
}
