import Bytes
import ICE
import TestSupport
import Testing

@Suite struct STUNTests {
  let key = STUNIntegrityKey(password: STUNSamples.password)

  @Test func theSampleRequestIsReadAndVerified() throws {
    let message = try #require(Facts(STUNSamples.request, key))
    #expect(message.type == .bindingRequest)
    #expect(message.transactionID == STUNTransactionID(high: 0xB7E7_A701, low: 0xBC34_D686_FA87_DFAE))
    #expect(message.priority == 0x6E00_01FF)
    #expect(message.controlled == 0x932F_F9B1_5126_3B36)
    #expect(message.controlling == nil)
    #expect(!message.useCandidate)
    #expect(message.username == "evtj:h6vY")
    #expect(message.software == "STUN test client")
    #expect(message.isIntact)
    #expect(message.hasValidFingerprint == true)
    #expect(Facts(STUNSamples.request, STUNIntegrityKey(password: "VOkJxbRl1RmTxUk/WvJxBu"))?.isIntact == false)
  }

  @Test(arguments: [
    (STUNSamples.ipv4Response, "192.0.2.1:32853"),
    (STUNSamples.ipv6Response, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
  ])
  func theSampleResponsesAreReadAndVerified(_ bytes: [UInt8], _ mapped: String) throws {
    let message = try #require(Facts(bytes, key))
    #expect(message.type == .bindingSuccess)
    #expect(message.mappedAddress == TransportAddress(mapped))
    #expect(message.software == "test vector")
    #expect(message.isIntact)
    #expect(message.hasValidFingerprint == true)
  }

  @Test func whatIsWrittenIsReadBack() throws {
    for address in ["192.0.2.1:1", "[2001:db8::1]:65535"].compactMap(TransportAddress.init) {
      var memory = [UInt8](repeating: 0, count: 200)
      var span = memory.mutableSpan
      let room = span.count
      let id = STUNTransactionID(high: 1, low: 0xFFFF_FFFF_0000_0001)
      var writer = STUNWriter(span._mutatingExtracting(0..<room), type: .bindingError, transactionID: id)
      writer.mappedAddress(address)
      writer.errorCode(487)
      writer.controlling(5)
      writer.useCandidate()
      let count = writer.finish(key) ?? 0
      let bytes = Array(memory[..<count])
      let message = try #require(Facts(bytes, key))
      #expect(message.transactionID == id)
      #expect(message.mappedAddress == address)
      #expect(message.errorCode == 487)
      #expect(message.controlling == 5)
      #expect(message.useCandidate)
      #expect(message.isIntact)
      #expect(message.hasValidFingerprint == true)
    }
  }

  @Test func aMessageThatDoesNotFitIsNotWritten() {
    let whole = CheckRequest().encoded().count
    for capacity in 0..<whole {
      var memory = [UInt8](repeating: 0, count: capacity)
      var span = memory.mutableSpan
      let name = Array(CheckRequest().username.utf8)
      var writer = STUNWriter(
        span._mutatingExtracting(0..<capacity), type: .bindingRequest, transactionID: .init(high: 0, low: 0))
      writer.username(name.span)
      writer.priority(1000)
      writer.controlling(7)
      let count = writer.finish(key)
      #expect(count == nil)
    }
  }

  @Test func integrityAgreesWithHMACFromItsDefinition() throws {
    for password in ["short", String(repeating: "x", count: 64), String(repeating: "long", count: 40)] {
      var request = CheckRequest()
      request.password = password
      request.unknown = 0x7FFE
      let bytes = request.encoded()
      let message = try #require(Facts(bytes, STUNIntegrityKey(password: password)))
      #expect(message.isIntact)
      #expect(message.hasValidFingerprint == nil)
      #expect(message.unknown == [0x7FFE])
    }
  }

  @Test func everyTruncationIsRefused() {
    for sample in [STUNSamples.request, STUNSamples.ipv4Response, STUNSamples.ipv6Response] {
      for count in 0..<sample.count {
        let part = Array(sample[..<count])
        let isRefused = STUNMessage(part.span) == nil
        #expect(isRefused)
      }
      let longer = sample + [0]
      let isRefused = STUNMessage(longer.span) == nil
      #expect(isRefused)
    }
  }

  @Test func everyFlippedBitIsNoticed() {
    for bit in 0..<STUNSamples.request.count * 8 {
      var bytes = STUNSamples.request
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      guard let message = Facts(bytes, key) else { continue }
      #expect(!message.isIntact || message.hasValidFingerprint != true, "bit \(bit)")
    }
  }

  @Test func randomAttributesNeverTrap() {
    var random = SeededRandom(seed: 1)
    for _ in 0..<20_000 {
      var bytes = STUNSamples.request
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        bytes[Int.random(in: 20..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      _ = Facts(bytes, key)
      let noise = (0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = Facts(noise, key)
    }
  }

  @Test func attributesBehindIntegrityCountAsAbsent() throws {
    var request = CheckRequest()
    request.isSigned = false
    let bare = Array(request.encoded().dropLast(8))
    var bytes = signed(bare, password: request.password) + [0, 0x25, 0, 0]
    let length = bytes.count - 20
    bytes[2] = UInt8(length >> 8)
    bytes[3] = UInt8(length & 255)
    let message = try #require(Facts(bytes, STUNIntegrityKey(password: request.password)))
    #expect(message.isIntact)
    #expect(!message.useCandidate)
  }

  @Test func nothingMayFollowTheFingerprint() {
    var bytes = STUNSamples.request + [0x80, 0x22, 0, 0]
    bytes[3] += 4
    let isRefused = STUNMessage(bytes.span) == nil
    #expect(isRefused)
  }
}
