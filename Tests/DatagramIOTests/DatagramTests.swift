import Bytes
import CLinux
import DatagramIO
import ICE
import TestSupport
import Testing
import Timing
import WebRTCTransport

private let loopback = TransportAddress(ipv4: 0x7F00_0001, port: 0)
private let loopback6 = TransportAddress(ipv6High: 0, low: 1, port: 0)

/// Waits for `count` datagrams, at most two seconds for each.
private func collect(_ count: Int, from socket: UDPSocket, batch: ReceiveBatch) throws -> [[UInt8]] {
  let queue = try EventQueue()
  queue.add(socket.descriptor, token: 1, for: .readable)
  var datagrams: [[UInt8]] = []
  while datagrams.count < count, queue.wait(timeout: .seconds(2), { _, _ in }) > 0 {
    while batch.receive(from: socket) > 0 {
      batch.forEach { bytes, _ in
        var copy: [UInt8] = []
        for place in 0..<bytes.count { copy.append(bytes[place]) }
        datagrams.append(copy)
      }
    }
  }
  return datagrams
}

private func fill(_ arena: inout PacketArena, length: Int, value: Int) -> Range<Int>? {
  arena.append(capacity: length) { bytes in
    for place in 0..<length { bytes[place] = UInt8(truncatingIfNeeded: value &* 31 &+ place) }
    return length
  }
}

private func packet(length: Int, value: Int) -> [UInt8] {
  (0..<length).map { UInt8(truncatingIfNeeded: value &* 31 &+ $0) }
}

@Suite struct DatagramTests {
  @Test(arguments: [loopback, loopback6]) func aBatchArrivesWholeInOrderFromItsSender(address: TransportAddress) throws {
    let a = try UDPSocket(bind: address)
    let b = try UDPSocket(bind: address)
    #expect(a.localAddress.port != 0 && a.localAddress.port != b.localAddress.port)
    var arena = PacketArena()
    let out = SendBatch()
    var expected: [[UInt8]] = []
    for value in 0..<60 {
      let length = 1 + (value * 37) % 1300
      let range = try #require(fill(&arena, length: length, value: value))
      let appended = out.append(range, to: b.localAddress)
      #expect(appended)
      expected.append(packet(length: length, value: value))
    }
    out.send(from: &arena, over: a)
    let batch = ReceiveBatch()
    let received = try collect(60, from: b, batch: batch)
    #expect(received == expected)
    #expect(out.sent == 60 && out.dropped == 0 && out.refused == 0 && out.count == 0)
    var senders: Set<TransportAddress> = []
    let range = try #require(fill(&arena, length: 10, value: 1))
    _ = out.append(range, to: b.localAddress)
    out.send(from: &arena, over: a)
    let queue = try EventQueue()
    queue.add(b.descriptor, token: 1, for: .readable)
    queue.wait(timeout: .seconds(2)) { _, _ in }
    _ = batch.receive(from: b)
    batch.forEach { _, sender in senders.insert(sender) }
    #expect(senders == [a.localAddress])
  }

  @Test(arguments: [1, 3, 20]) func eachSenderIsToldOfAtEachDistanceBeforeHisDatagram(count: Int) throws {
    let (sender, receiver) = (try UDPSocket(bind: loopback), try UDPSocket(bind: loopback))
    var arena = PacketArena(capacity: 4096)
    let out = SendBatch(capacity: 64)
    for value in 0..<count {
      let range = try #require(fill(&arena, length: 10 + value, value: value))
      _ = out.append(range, to: receiver.localAddress)
    }
    out.send(from: &arena, over: sender)
    let queue = try EventQueue()
    queue.add(receiver.descriptor, token: 1, for: .readable)
    queue.wait(timeout: .seconds(2)) { _, _ in }
    let batch = ReceiveBatch()
    #expect(batch.receive(from: receiver) == count)
    var (handed, early) = (0, 0)
    var told: [PeerDistance: Int] = [.far: 0, .middle: 0, .near: 0]
    batch.forEach { _, _ in
      handed += 1
      if told.values.contains(where: { $0 < handed }) { early += 1 }
    } expect: { remote, distance in
      #expect(remote == sender.localAddress)
      told[distance, default: 0] += 1
      let steps = [PeerDistance.far, .middle, .near].map { told[$0] ?? 0 }
      if steps[0] < steps[1] || steps[1] < steps[2] { early += 1 }
    }
    #expect(told.values.allSatisfy { $0 == count } && handed == count && early == 0)
  }

  @Test(arguments: 1...10) func cutByTheKernelOrByUsTheDatagramsAreTheSame(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var plan: [(length: Int, toFirst: Bool)] = []
    var length = 1000
    for _ in 0..<150 {
      if Int.random(in: 0..<4, using: &random) == 0 { length = Int.random(in: 1...1200, using: &random) }
      plan.append((length, Int.random(in: 0..<10, using: &random) != 0))
    }
    func deliver(segments: Bool) throws -> (first: [[UInt8]], second: [[UInt8]], messages: Int) {
      let sender = try UDPSocket(bind: loopback)
      if !segments { sender.disableSegmentation() }
      let first = try UDPSocket(bind: loopback)
      let second = try UDPSocket(bind: loopback)
      var arena = PacketArena(capacity: 300_000)
      let out = SendBatch()
      for (value, item) in plan.enumerated() {
        let range = try #require(fill(&arena, length: item.length, value: value))
        _ = out.append(range, to: item.toFirst ? first.localAddress : second.localAddress)
      }
      out.send(from: &arena, over: sender)
      #expect(out.sent == plan.count)
      #expect(sender.segmentsInKernel == segments)
      let batch = ReceiveBatch()
      let toFirst = plan.count { $0.toFirst }
      return (
        try collect(toFirst, from: first, batch: batch), try collect(plan.count - toFirst, from: second, batch: batch),
        out.messagesSent
      )
    }
    let cutByKernel = try deliver(segments: true)
    let cutByUs = try deliver(segments: false)
    #expect(cutByKernel.first == cutByUs.first)
    #expect(cutByKernel.second == cutByUs.second)
    #expect(cutByUs.first.count + cutByUs.second.count == plan.count)
    #expect(cutByKernel.messages < cutByUs.messages)
  }

  @Test func aRunIsOneMessageAndItsLastPacketMayBeShorter() throws {
    let a = try UDPSocket(bind: loopback)
    let b = try UDPSocket(bind: loopback)
    var arena = PacketArena(capacity: 300_000)
    let out = SendBatch()
    func send(_ lengths: [Int]) throws -> Int {
      let before = out.messagesSent
      for (value, length) in lengths.enumerated() {
        let range = try #require(fill(&arena, length: length, value: value))
        _ = out.append(range, to: b.localAddress)
      }
      out.send(from: &arena, over: a)
      arena.removeAll()
      let received = try collect(lengths.count, from: b, batch: ReceiveBatch())
      #expect(received.map(\.count) == lengths)
      return out.messagesSent - before
    }
    #expect(try send([1000, 1000, 1000, 1000]) == 1)
    #expect(try send([1000, 1000, 1000, 400]) == 1)
    #expect(try send([1000, 400, 1000, 1000]) == 2)
    #expect(try send([400, 1000]) == 2)
    #expect(try send(Array(repeating: 100, count: 130)) == 3)
    #expect(try send(Array(repeating: 1200, count: 60)) == 2)
  }

  @Test func whereTheKernelRefusesToCutEachPacketGoesSingly() throws {
    let a = try UDPSocket(bind: loopback)
    let b = try UDPSocket(bind: loopback)
    // Linux cuts no datagrams of a socket that sends without checksums.
    #expect(shim_set_option(a.descriptor, SOL_SOCKET, SO_NO_CHECK, 1) == 0)
    var arena = PacketArena()
    let out = SendBatch()
    var expected: [[UInt8]] = []
    for value in 0..<20 {
      let range = try #require(fill(&arena, length: value < 3 ? 50 + value : 700, value: value))
      _ = out.append(range, to: b.localAddress)
      expected.append(packet(length: range.count, value: value))
    }
    out.send(from: &arena, over: a)
    let received = try collect(20, from: b, batch: ReceiveBatch())
    #expect(received == expected)
    #expect(out.sent == 20 && out.refused == 0 && out.messagesSent == 20)
  }

  @Test func aRunToNowhereDoesNotSlowTheOthersDown() throws {
    let a = try UDPSocket(bind: loopback)
    let b = try UDPSocket(bind: loopback)
    var arena = PacketArena()
    let out = SendBatch()
    for destination in [loopback, b.localAddress] {
      for value in 0..<10 {
        let range = try #require(fill(&arena, length: 300, value: value))
        _ = out.append(range, to: destination)
      }
    }
    out.send(from: &arena, over: a)
    let received = try collect(10, from: b, batch: ReceiveBatch())
    #expect(received.count == 10)
    #expect(out.refused == 10 && out.sent == 10 && out.messagesSent == 1)
    #expect(a.segmentsInKernel)
  }

  @Test func packetsThatDoNotLieBackToBackAreJoinedToo() throws {
    let a = try UDPSocket(bind: loopback)
    let b = try UDPSocket(bind: loopback)
    let c = try UDPSocket(bind: loopback)
    var arena = PacketArena()
    let ranges = (0..<10).compactMap { fill(&arena, length: 500, value: $0) }
    let out = SendBatch()
    for place in stride(from: 0, to: 10, by: 2) { _ = out.append(ranges[place], to: b.localAddress) }
    for place in stride(from: 1, to: 10, by: 2) { _ = out.append(ranges[place], to: c.localAddress) }
    out.send(from: &arena, over: a)
    #expect(out.messagesSent == 2)
    let batch = ReceiveBatch()
    let even = try collect(5, from: b, batch: batch)
    let odd = try collect(5, from: c, batch: batch)
    #expect(even == stride(from: 0, to: 10, by: 2).map { packet(length: 500, value: $0) })
    #expect(odd == stride(from: 1, to: 10, by: 2).map { packet(length: 500, value: $0) })
  }

  @Test func tooLongDatagramsAreDroppedAndCounted() throws {
    let a = try UDPSocket(bind: loopback)
    let b = try UDPSocket(bind: loopback)
    var arena = PacketArena()
    let out = SendBatch()
    for length in [100, 2049, 5000, 2048] {
      let range = try #require(fill(&arena, length: length, value: 1))
      _ = out.append(range, to: b.localAddress)
    }
    out.send(from: &arena, over: a)
    let batch = ReceiveBatch()
    let received = try collect(2, from: b, batch: batch)
    #expect(received.map(\.count) == [100, 2048])
    #expect(batch.truncated == 2)
  }

  @Test func destinationsOfTheWrongFamilyAndClosedPortsHarmNobodyElse() throws {
    let a = try UDPSocket(bind: loopback)
    let b = try UDPSocket(bind: loopback)
    let closed = try UDPSocket(bind: loopback).localAddress
    var arena = PacketArena()
    let out = SendBatch()
    for _ in 0..<3 {
      for destination in [
        loopback6.withPort(9), b.localAddress, closed, loopback6.withPort(9), TransportAddress(ipv4: 0, port: 0),
      ] {
        let range = try #require(fill(&arena, length: 50, value: 2))
        _ = out.append(range, to: destination)
      }
      out.send(from: &arena, over: a)
      arena.removeAll()
    }
    let received = try collect(3, from: b, batch: ReceiveBatch())
    #expect(received.count == 3)
    #expect(out.refused >= 6)
    #expect(out.sent + out.refused + out.dropped == 15)
  }

  @Test func aFullBatchSaysSo() throws {
    let out = SendBatch(capacity: 2)
    var arena = PacketArena()
    let range = try #require(fill(&arena, length: 10, value: 1))
    let first = out.append(range, to: loopback)
    let second = out.append(range, to: loopback)
    let third = out.append(range, to: loopback)
    #expect(first && second && !third && out.isFull)
  }

  @Test func aPortInUseIsAClearSentence() throws {
    let a = try UDPSocket(bind: loopback)
    do {
      _ = try UDPSocket(bind: a.localAddress)
      Issue.record("two sockets share a port")
    } catch {
      #expect(error.description.contains("another program uses this port"))
      #expect(error.description.contains(a.localAddress.description))
    }
    #expect(throws: SocketError.self) { try UDPSocket(bind: TransportAddress(ipv4: 0x0102_0304, port: 0)) }
  }

  @Test func sendingAndReceivingAllocateNothing() throws {
    let a = try UDPSocket(bind: loopback)
    let b = try UDPSocket(bind: loopback)
    let destination = b.localAddress
    var arena = PacketArena()
    let out = SendBatch()
    let batch = ReceiveBatch()
    let queue = try EventQueue()
    queue.add(b.descriptor, token: 7, for: .readable)
    var total = 0
    func round() {
      for _ in 0..<40 {
        let range = arena.append(capacity: 1000) { bytes in
          bytes[0] = 1
          return 1000
        }
        guard let range else { return }
        _ = out.append(range, to: destination)
      }
      out.send(from: &arena, over: a)
      arena.removeAll()
      queue.wait(timeout: .seconds(1)) { _, _ in }
      while batch.receive(from: b) > 0 { batch.forEach { bytes, _ in total &+= bytes.count } }
    }
    for _ in 0..<5 { round() }
    let count = allocations { for _ in 0..<50 { round() } }
    #expect(count == 0)
    #expect(total == 55 * 40 * 1000)
  }
}
