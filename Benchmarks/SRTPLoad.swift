import Bytes
import LoadGenerator
import SecureTransport

/// RTP packets of one size for a number of sessions, for libsrtp2.
final class SRTPLoad {
  private let senders: [LibSRTP]
  private let receivers: [LibSRTP]
  private let size: Int
  private let slot: Int
  private var sequence: UInt16 = 0
  private var buffer: [UInt8] = []
  private var lengths: [(session: Int, length: Int)] = []

  init(_ profile: SRTPProfile, sessions: Int, size: Int) throws {
    var random = SeededRandom(seed: 7)
    let keys = (0..<sessions).map { _ in LibSRTP.key(profile, using: &random) }
    senders = try keys.map { try LibSRTP(profile, key: $0, sends: true) }
    receivers = try keys.map { try LibSRTP(profile, key: $0, sends: false) }
    self.size = size
    slot = size + LibSRTP.tailSizeMax
  }

  /// Protects so many new packets of every session, each in a buffer of its own.
  func protect(_ count: Int) { run(count) { $0.protect($1, size) } }

  /// Protected packets for `unprotect`.
  func prepare(_ count: Int) {
    lengths.removeAll(keepingCapacity: true)
    protect(count)
  }

  func unprotect() {
    buffer.withUnsafeMutableBufferPointer { bytes in
      for (index, packet) in lengths.enumerated() {
        keep(receivers[packet.session].unprotect(bytes.baseAddress! + index * slot, packet.length))
      }
    }
  }

  private func run(_ count: Int, _ body: (LibSRTP, UnsafeMutablePointer<UInt8>) -> Int) {
    let needed = senders.count * count * slot
    if buffer.count < needed { buffer = [UInt8](repeating: 0x5A, count: needed) }
    lengths.removeAll(keepingCapacity: true)
    buffer.withUnsafeMutableBufferPointer { bytes in
      for (session, sender) in senders.enumerated() {
        for index in 0..<count {
          let packet = bytes.baseAddress! + lengths.count * slot
          RTPPrefix.write(to: packet, sequence: sequence &+ UInt16(index), source: UInt32(session + 1))
          lengths.append((session, body(sender, packet)))
        }
      }
    }
    sequence &+= UInt16(count)
  }
}

/// The same for our own sender.
final class SenderLoad {
  private let senders: [SRTPSender]
  private let size: Int
  private let slot: Int
  private var sequence: UInt16 = 0
  private var buffer: [UInt8] = []

  init(_ profile: SRTPProfile, sessions: Int, size: Int) throws {
    var random = SeededRandom(seed: 7)
    senders = try (0..<sessions).map { _ in
      let bytes = LibSRTP.key(profile, using: &random)
      let split = SRTPProfile.masterKeyByteCount
      guard let key = SRTPMasterKey(key: Array(bytes[..<split]), salt: Array(bytes[split...]), profile: profile) else {
        throw BenchmarkError("a key has the wrong length")
      }
      return try SRTPSender(SRTPKeys(profile: profile, local: key, remote: key))
    }
    self.size = size
    slot = size + LibSRTP.tailSizeMax
  }

  func protect(_ count: Int) {
    let needed = senders.count * count * slot
    if buffer.count < needed { buffer = [UInt8](repeating: 0x5A, count: needed) }
    buffer.withUnsafeMutableBufferPointer { all in
      for (session, sender) in senders.enumerated() {
        for index in 0..<count {
          let start = all.baseAddress! + (session * count + index) * slot
          RTPPrefix.write(to: start, sequence: sequence &+ UInt16(index), source: UInt32(session + 1))
          var packet = UnsafeMutableBufferPointer(start: start, count: slot).mutableSpan
          keep(try? sender.protectRTP(&packet, length: size))
        }
      }
    }
    sequence &+= UInt16(count)
  }
}

/// The fixed header of RFC 3550 section 5.1.
private enum RTPPrefix {
  static func write(to packet: UnsafeMutablePointer<UInt8>, sequence: UInt16, source: UInt32) {
    packet[0] = 0x80
    packet[1] = 96
    packet[2] = UInt8(sequence >> 8)
    packet[3] = UInt8(truncatingIfNeeded: sequence)
    for index in 0..<4 {
      packet[4 + index] = 0
      packet[8 + index] = UInt8(truncatingIfNeeded: source >> (24 - 8 * UInt32(index)))
    }
  }
}
