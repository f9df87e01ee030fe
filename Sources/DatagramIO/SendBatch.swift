import Bytes
internal import CLinux
import ICE
import RealTime
import Timing

/// Packets of a `PacketArena` on their way to the kernel: as few system calls and as few passes of the network stack as may be.
///
/// Runs of packets to one destination which have one length, the last perhaps a shorter one, go as a single message that the kernel
/// cuts (UDP_SEGMENT); `sendmmsg` takes all messages at once. Order is kept. Where the socket's buffer is full the batch waits a
/// little, as long as a keyframe for hundreds takes to leave; what finds no room even then is dropped and counted: media is late
/// soon, and repairs are asked for.
public final class SendBatch {
  /// Packets at most.
  public let capacity: Int
  // Unchecked at run time: nothing that is done while it changes leads back to the batch, and each packet would pay for the check.
  /// Packets appended and not yet sent.
  @exclusivity(unchecked) public private(set) var count = 0
  /// Packets handed to the kernel since the start.
  public private(set) var sent = 0
  /// Packets the kernel had no room for.
  public private(set) var dropped = 0
  /// Times it was waited for that room.
  public private(set) var waits = 0
  /// Packets with a destination the kernel refused: unreachable, forbidden, too long.
  public private(set) var refused = 0
  /// Messages handed to the kernel, each of one or several packets.
  public private(set) var messagesSent = 0

  /// How long one `send` waits at most for the kernel to have room again.
  private static let patience = Interval.milliseconds(10)

  /// A kernel that has little room or refuses, for tests.
  package enum Fault {
    /// It is given no more messages than so many.
    case takesAtMost(messages: Int)
    /// It answers with an error, such as EAGAIN.
    case fails(errno: Int32)
  }

  /// Is told, for tests, how many messages the kernel is about to be given and how many packets are in the first.
  package var faults: ((_ messages: Int, _ packetsInFirst: Int) -> Fault?)?

  /// The kernel's own bounds: UDP_MAX_SEGMENTS, and a datagram's length less the headers.
  private static let mostSegments = 64
  private static let mostSegmentedBytes = 65_507

  private struct Packet {
    var range: Range<Int>
    var destination: TransportAddress
  }

  private let packets: UnsafeMutablePointer<Packet>
  private let messages: UnsafeMutablePointer<mmsghdr>
  private let vectors: UnsafeMutablePointer<iovec>
  private let names: UnsafeMutablePointer<sockaddr_storage>
  private let controls: UnsafeMutableRawPointer
  /// The first packet of each message, and one past the last.
  private let firsts: UnsafeMutablePointer<Int>
  /// Packets before this one go singly: the kernel refused to cut the run they are in.
  private var uncutEnd = 0
  private var patienceLeft = Interval.zero
  private static let controlBytes = Int(shim_segment_control_bytes)

  public init(capacity: Int = 256) {
    precondition(capacity > 0, "a batch holds at least one packet")
    self.capacity = capacity
    packets = .allocate(capacity: capacity)
    messages = .allocate(capacity: capacity)
    vectors = .allocate(capacity: capacity)
    names = .allocate(capacity: capacity)
    firsts = .allocate(capacity: capacity + 1)
    controls = .allocate(byteCount: capacity * Self.controlBytes, alignment: 16)
    messages.initialize(repeating: mmsghdr(), count: capacity)
    vectors.initialize(repeating: iovec(), count: capacity)
    names.initialize(repeating: sockaddr_storage(), count: capacity)
    firsts.initialize(repeating: 0, count: capacity + 1)
  }

  deinit {
    packets.deallocate()
    messages.deallocate()
    vectors.deallocate()
    names.deallocate()
    firsts.deallocate()
    controls.deallocate()
  }

  public var isFull: Bool { count == capacity }

  /// Adds a packet that lies in the arena at `range`; an empty one is left out.
  ///
  /// - Returns: false where the batch is full; `send` first.
  public func append(_ range: Range<Int>, to destination: TransportAddress) -> Bool {
    guard count < capacity else { return false }
    guard !range.isEmpty else { return true }
    (packets + count).initialize(to: Packet(range: range, destination: destination))
    count &+= 1
    return true
  }

  /// Sends every packet appended, from `arena`, which may then be emptied; the batch is empty afterwards.
  public func send(from arena: inout PacketArena, over socket: UDPSocket) {
    guard count > 0 else { return }
    uncutEnd = 0
    patienceLeft = Self.patience
    arena.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      var next = 0
      while next < count {
        let messageCount = describe(from: next, in: base, byteCount: bytes.count, socket: socket)
        next = submit(messageCount, over: socket)
      }
    }
    count = 0
  }

  /// Fills the message headers for the packets from `first` on.
  private func describe(from first: Int, in base: UnsafeMutableRawPointer, byteCount: Int, socket: UDPSocket) -> Int {
    var message = 0
    var next = first
    while next < count {
      let packet = packets[next]
      let family = socket.localAddress.family
      guard packet.range.lowerBound >= 0, packet.range.upperBound <= byteCount,
        let nameLength = packet.destination.write(to: names + message, family: family)
      else {
        // An address of the other family, found before the kernel would: what is described so far goes first.
        if message > 0 { break }
        refused &+= 1
        next &+= 1
        continue
      }
      let end = socket.segmentsInKernel && next >= uncutEnd ? endOfRun(next) : next &+ 1
      var header = msghdr()
      header.msg_name = UnsafeMutableRawPointer(names + message)
      header.msg_namelen = nameLength
      header.msg_iov = vectors + next
      header.msg_iovlen = joinVectors(next..<end, base: base)
      if end &- next > 1 {
        shim_set_segment_size(
          &header, controls + message * Self.controlBytes, UInt16(truncatingIfNeeded: packet.range.count))
      }
      messages[message].msg_hdr = header
      firsts[message] = next
      message &+= 1
      next = end
    }
    firsts[message] = next
    return message
  }

  /// One past the last packet that can travel in a message with packet `first`.
  private func endOfRun(_ first: Int) -> Int {
    let segment = packets[first].range.count
    var total = segment
    var next = first &+ 1
    while next < count, next &- first < Self.mostSegments, packets[next].destination == packets[first].destination {
      let length = packets[next].range.count
      total &+= length
      guard length <= segment, total <= Self.mostSegmentedBytes else { break }
      next &+= 1
      if length < segment { break }
    }
    return next
  }

  /// Describes where the packets lie, those that lie back to back as one piece.
  private func joinVectors(_ run: Range<Int>, base: UnsafeMutableRawPointer) -> Int {
    var used = 0
    var end = -1
    for place in run {
      let range = packets[place].range
      if range.lowerBound == end {
        vectors[run.lowerBound &+ used &- 1].iov_len &+= range.count
      } else {
        vectors[run.lowerBound &+ used] = iovec(iov_base: base + range.lowerBound, iov_len: range.count)
        used &+= 1
      }
      end = range.upperBound
    }
    return used
  }

  /// - Returns: how many messages the kernel took, or, below zero, the error of the first.
  private func give(
    _ messages: UnsafeMutablePointer<mmsghdr>, _ count: Int, _ packetsInFirst: Int, to socket: UDPSocket
  ) -> Int {
    var count = count
    switch faults?(count, packetsInFirst) {
    case .fails(let code)?: return -Int(code)
    case .takesAtMost(let messages)?: count = min(count, max(messages, 1))
    case nil: break
    }
    let taken = shim_send_batch(socket.descriptor, messages, UInt32(count))
    return taken > 0 ? Int(taken) : -Int(shim_errno())
  }

  /// Waits until the kernel has room for a datagram; false where the time for it is up.
  private func waitForRoom(at socket: UDPSocket) -> Bool {
    guard patienceLeft > .zero else { return false }
    waits &+= 1
    let start = MonotonicClock.now()
    let isReady = shim_wait_for_room(socket.descriptor, Int32((patienceLeft.nanoseconds &+ 999_999) / 1_000_000)) != 0
    // Somebody else's answer costs time too: what is ready time and again and takes nothing ends as well.
    patienceLeft = patienceLeft - max(MonotonicClock.now() - start, .nanoseconds(10_000))
    return isReady
  }

  /// Hands the messages to the kernel.
  ///
  /// - Returns: the first packet that is still to be described: `firsts[messageCount]`, or an earlier one where the kernel refused to
  ///   cut and everything from there on must be described anew.
  private func submit(_ messageCount: Int, over socket: UDPSocket) -> Int {
    var message = 0
    while message < messageCount {
      let packetCount = firsts[message &+ 1] &- firsts[message]
      let taken = give(messages + message, messageCount &- message, packetCount, to: socket)
      if taken > 0 {
        let packetsTaken = firsts[message &+ taken] &- firsts[message]
        sent &+= packetsTaken
        messagesSent &+= taken
        if packetsTaken > taken { socket.noteSegmented() }
        message &+= taken
        continue
      }
      switch Int32(-taken) {
      case EINTR, ECONNREFUSED: continue
      case EAGAIN where waitForRoom(at: socket): continue
      case EAGAIN, ENOBUFS, ENOMEM:
        dropped &+= count &- firsts[message]
        return count
      case EINVAL where packetCount > 1, EMSGSIZE where packetCount > 1:
        // This destination's path cannot take the segments whole, or it is no destination at all.
        uncutEnd = firsts[message &+ 1]
        return firsts[message]
      case EIO where packetCount > 1, EOPNOTSUPP where packetCount > 1, ENOPROTOOPT where packetCount > 1:
        // Nothing is cut on this destination's path, or nowhere.
        socket.noteNotSegmented()
        uncutEnd = firsts[message &+ 1]
        return firsts[message]
      default: refused &+= packetCount
      }
      message &+= 1
    }
    return firsts[messageCount]
  }
}
