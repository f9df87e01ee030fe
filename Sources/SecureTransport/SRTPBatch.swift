#if canImport(CIPSecMB)
  import CIPSecMB
#endif
import COpenSSL

/// RTP packets under AES_CM and HMAC-SHA1 (RFC 3711) that wait to be encrypted and authenticated together, each with its own peer's keys.
///
///     SRTPSender ─ place, index, keys ─▶ waiting ─ 16 packets at once ─▶ sealed
///
/// Each step of SHA-1 waits for the one before: one packet leaves most of a core idle, those of 16 peers side by side do not. A packet of
/// 570 bytes takes 0.2 us among 64 and 0.57 us by itself. Packets are known by where they lie in the block that `seal` is given, and their
/// keys are copied: neither has the block to stay where it is, nor the peer to be there still. Where the library or the processor's
/// instructions are missing nothing ever waits.
package struct SRTPBatch: ~Copyable {
  #if canImport(CIPSecMB)
    /// Packets at most.
    package static let capacity = Int(shim_cm_batch_capacity)
    /// How many are authenticated side by side where registers are widest, and the fewest that are: less take longer so than one after
    /// the other.
    private static let (lanes, fewest) = (16, 6)

    private let library: CipherLibrary
    /// Made when first needed: it takes a quarter of a megabyte.
    private var packets: UnsafeMutablePointer<shim_cm_batch>?
    /// Packets that wait.
    package private(set) var count = 0

    package init(library: CipherLibrary = .fastest) { self.library = library }

    deinit {
      if let packets { shim_cm_batch_free(packets) }
    }

    package var isFull: Bool { count == Self.capacity }

    /// Adds a packet whose payload is plain, with room for its tag behind it.
    ///
    /// - Parameters:
    ///   - word: what is authenticated behind it and not sent: the roll-over counter.
    ///   - start: where it begins in the block; its payload begins at `payload`, and it ends before `end`.
    /// - Returns: false where it was not taken.
    mutating func add(
      _ key: borrowing SRTPBatchKey, counter: InlineArray<16, UInt8>, word: UInt32, start: Int, payload: Int, end: Int
    ) -> Bool {
      guard !isFull, start >= 0, start <= payload, payload <= end, let key = key.pointer, let packets = takePackets() else {
        return false
      }
      counter.span.withUnsafeBufferPointer { counter in
        shim_cm_batch_add(packets, key, counter.baseAddress, word, UInt64(start), UInt64(payload), UInt64(end))
      }
      count &+= 1
      return true
    }

    private mutating func takePackets() -> UnsafeMutablePointer<shim_cm_batch>? {
      if packets == nil, library == .fastest { packets = shim_cm_batch_new() }
      return packets
    }

    /// Encrypts and authenticates in place what was added, which lies in `block`.
    package mutating func seal(_ block: UnsafeMutableRawBufferPointer) {
      guard count > 0, let packets, let base = block.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
      let rest = count % Self.lanes
      let together = rest < Self.fewest ? count &- rest : count
      let isDone = shim_cm_batch_apply(packets, base, UInt64(block.count), UInt32(together))
      precondition(isDone, "packets are sealed in the block they were written to, and the library seals all it is given")
      for index in together..<count {
        let packet = shim_cm_batch_packet(packets, UInt32(index))
        let (start, end) = (Int(packet.pointee.start), Int(packet.pointee.end))
        shim_hmac_sha1_with_suffix(
          shim_cm_packet_hmac(packet), base + start, end &- start, packet.pointee.word, base + end, Int(shim_cm_tag_count))
      }
      removeAll()
    }

    /// Forgets what was added: it will not be sent.
    package mutating func removeAll() {
      count = 0
      packets?.pointee.count = 0
    }
  #else
    package let count = 0
    package let isFull = false

    package init(library: CipherLibrary = .fastest) {}

    mutating func add(
      _ key: borrowing SRTPBatchKey, counter: InlineArray<16, UInt8>, word: UInt32, start: Int, payload: Int, end: Int
    ) -> Bool { false }
    package mutating func seal(_ block: UnsafeMutableRawBufferPointer) {}
    package mutating func removeAll() {}
  #endif
}

/// The session keys of RTP to one peer under AES_CM and HMAC-SHA1, as an `SRTPBatch` needs them; none where packets are sealed by themselves.
struct SRTPBatchKey: ~Copyable {
  #if canImport(CIPSecMB)
    fileprivate let pointer: UnsafeMutablePointer<shim_cm_key>?

    init() { pointer = nil }

    /// - Parameter hmac: the states of SHA-1 behind the inner and the outer key block, 10 words.
    init(encryption: [UInt8], hmac: UnsafePointer<UInt32>, library: CipherLibrary) {
      let isUsable = library == .fastest && encryption.count == 16
      pointer = isUsable ? MultiBufferLibrary.shared.pointer.flatMap { shim_cm_new($0, encryption, hmac) } : nil
    }

    deinit {
      if let pointer { shim_cm_free(pointer) }
    }

    var isThere: Bool { pointer != nil }
    /// Where the keys lie.
    var memory: (start: UnsafeRawPointer?, byteCount: Int)? {
      pointer.map { (UnsafeRawPointer($0), MemoryLayout<shim_cm_key>.size) }
    }
  #else
    init() {}
    init(encryption: [UInt8], hmac: UnsafePointer<UInt32>, library: CipherLibrary) {}

    let isThere = false
    let memory: (start: UnsafeRawPointer?, byteCount: Int)? = nil
  #endif
}
