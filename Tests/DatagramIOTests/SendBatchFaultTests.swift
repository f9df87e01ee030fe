import Bytes
import DatagramIO
import Glibc
import ICE
import Testing
import Timing

/// What becomes of a batch where the kernel takes part of it, or nothing.
@Suite struct SendBatchFaultTests {
  private let loopback = TransportAddress(ipv4: 0x7F00_0001, port: 0)

  /// Sends twelve packets of 300 bytes, three in a row to each of four receivers, and returns what came to each.
  private func deliver(_ faults: @escaping (_ call: Int, _ messages: Int, _ packetsInFirst: Int) -> SendBatch.Fault?) throws
    -> (received: [[UInt8]], batch: SendBatch, socket: UDPSocket)
  {
    let sender = try UDPSocket(bind: loopback)
    let receivers = try (0..<4).map { _ in try UDPSocket(bind: loopback) }
    var arena = PacketArena()
    let batch = SendBatch()
    var calls = 0
    batch.faults = { messages, packets in
      calls += 1
      return faults(calls, messages, packets)
    }
    for number in 0..<12 {
      let range = arena.append(capacity: 300) { bytes in
        bytes[0] = UInt8(number)
        return 300
      }
      _ = batch.append(try #require(range), to: receivers[number / 3].localAddress)
    }
    batch.send(from: &arena, over: sender)
    let receiving = ReceiveBatch()
    let received = receivers.map { receiver in
      var numbers: [UInt8] = []
      while receiving.receive(from: receiver) > 0 { receiving.forEach { bytes, _ in numbers.append(bytes[0]) } }
      return numbers
    }
    #expect(batch.count == 0)
    return (received, batch, sender)
  }

  private let all: [[UInt8]] = [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]

  @Test func whatTheKernelTakesPieceByPieceArrivesWholeAndOnce() throws {
    for most in 1...3 {
      let (received, batch, _) = try deliver { _, _, _ in .takesAtMost(messages: most) }
      #expect(received == all)
      #expect(batch.sent == 12 && batch.messagesSent == 4 && batch.dropped == 0 && batch.refused == 0)
    }
  }

  @Test func aFullBufferIsWaitedFor() throws {
    let (received, batch, _) = try deliver { call, _, _ in
      call % 2 == 1 ? .fails(errno: EAGAIN) : .takesAtMost(messages: 1)
    }
    #expect(received == all)
    #expect(batch.waits == 4 && batch.dropped == 0)
  }

  @Test func aBufferThatStaysFullLosesTheRestAndCountsIt() throws {
    let (received, batch, _) = try deliver { call, _, _ in
      call == 1 ? .takesAtMost(messages: 1) : .fails(errno: EAGAIN)
    }
    #expect(received == [[0, 1, 2], [], [], []])
    #expect(batch.sent == 3 && batch.dropped == 9)
  }

  @Test(arguments: [ENOBUFS, ENOMEM]) func aKernelWithoutMemoryIsNotAskedAgain(code: Int32) throws {
    let (received, batch, _) = try deliver { call, _, _ in call == 1 ? .takesAtMost(messages: 2) : .fails(errno: code) }
    #expect(received == [[0, 1, 2], [3, 4, 5], [], []])
    #expect(batch.sent == 6 && batch.dropped == 6 && batch.waits == 0)
  }

  @Test(arguments: [EMSGSIZE, EINVAL]) func aPathThatTakesNoSegmentsIsSentSinglePackets(code: Int32) throws {
    // The second receiver's path is too narrow for its run; which one is known by how many are left.
    let (received, batch, socket) = try deliver { _, messages, packets in
      messages == 3 && packets > 1 ? .fails(errno: code) : messages > 3 && packets > 1 ? .takesAtMost(messages: 1) : nil
    }
    #expect(received == all)
    #expect(batch.sent == 12 && batch.messagesSent == 6 && batch.refused == 0)
    #expect(socket.segmentsInKernel)
  }

  @Test(arguments: [EIO, EOPNOTSUPP, ENOPROTOOPT]) func aKernelThatCutsNothingIsAskedOnce(code: Int32) throws {
    var refusals = 0
    let (received, batch, socket) = try deliver { _, _, packets in
      guard packets > 1 else { return nil }
      refusals += 1
      return .fails(errno: code)
    }
    #expect(received == all)
    #expect(refusals == 1 && batch.messagesSent == 12)
    #expect(!socket.segmentsInKernel)
  }

  @Test(arguments: [EIO, EOPNOTSUPP, ENOPROTOOPT]) func aPathOnWhichNothingIsCutIsNoReasonToCutForNobody(code: Int32) throws {
    // The first receiver's run has gone when the second's is refused.
    let (received, batch, socket) = try deliver { call, messages, packets in
      call == 1 ? .takesAtMost(messages: 1) : messages == 3 && packets > 1 ? .fails(errno: code) : nil
    }
    #expect(received == all)
    #expect(batch.sent == 12 && batch.messagesSent == 6 && batch.refused == 0)
    #expect(socket.segmentsInKernel)
  }

  @Test(arguments: [EMSGSIZE, EPERM, ENETUNREACH]) func aSinglePacketRefusedHarmsNoOther(code: Int32) throws {
    var wasRefused = false
    let (received, batch, _) = try deliver { _, messages, packets in
      if packets > 1, !wasRefused { return .fails(errno: EMSGSIZE) }
      guard packets == 1, !wasRefused else { return nil }
      wasRefused = true
      return .fails(errno: code)
    }
    #expect(received == [[1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]])
    #expect(batch.sent == 11 && batch.refused == 1)
  }
}
