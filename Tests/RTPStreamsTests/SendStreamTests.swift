import Bytes
import EncodedMedia
import RTP
import RTPStreams
import TestSupport
import Testing
import Timing

private func header(_ packet: [UInt8]) throws -> RTPHeader {
  let header = RTPHeader(parsing: packet.span)
  return try #require(header)
}

private func extensions(_ packet: [UInt8]) throws -> HeaderExtensions {
  let header = try header(packet)
  return HeaderExtensions(header, in: packet.span, map: extensionMap)
}

private func descriptor(_ packet: [UInt8]) throws -> VP8Descriptor {
  let payload = Array(packet[try header(packet).payloadRange])
  var reader = ByteReader(payload.span)
  let descriptor = VP8Descriptor(&reader)
  return try #require(descriptor)
}

private func pictureID(_ packet: [UInt8]) throws -> UInt16? { try descriptor(packet).pictureID }

struct SendStreamTests {
  @Test func sequenceNumbersStartBelow32768AndContinueOverFramesAndTheWrap() throws {
    for seed in 0..<50 as Range<UInt64> {
      var sender = Sender(.vp8, seed: seed)
      let first = try header(sender.send(videoFrame(.vp8, 0, isKeyframe: true))[0]).sequenceNumber
      #expect(first.rawValue < 0x8000)
    }
    var sender = Sender(.vp8, firstSequence: 0x7FFF)
    var expected = SequenceNumber(0x7FFF)
    for number in 0..<7000 {
      for packet in try sender.send(videoFrame(.vp8, number, isKeyframe: false)) {
        let header = try header(packet)
        #expect(header.sequenceNumber == expected)
        expected = expected + 1
      }
    }
  }

  @Test func theMarkerEndsAPictureAndBeginsATalkspurt() throws {
    var sender = Sender(.vp8)
    let markers = try sender.send(videoFrame(.vp8, 0, isKeyframe: true)).map { try header($0).marker }
    #expect(markers == Array(repeating: false, count: markers.count - 1) + [true])
    var voice = Sender(.opus)
    let frame = AudioPacketizer.packetize(audioFrame(1), startsTalkspurt: true)
    let outgoing = try unwrap(voice.stream.begin(frame, at: .zero))
    var bytes = [UInt8](repeating: 0, count: 300)
    var span = bytes.mutableSpan
    let length = try unwrap(voice.stream.write(0, of: outgoing, into: &span))
    #expect(try header(Array(bytes[0..<length])).marker)
    try holds(!header(voice.send(audioFrame(2))[0]).marker)
  }

  @Test func theLevelOfAFrameIsToldWhereItIsKnown() throws {
    var sender = Sender(.opus)
    var frame = audioFrame(1)
    let without = try extensions(sender.send(frame)[0])
    frame.audioLevel = 37
    let with = try extensions(sender.send(frame)[0])
    #expect(without.audioLevel == nil && with.audioLevel == 37)
  }

  @Test func aPictureIDContinuesFromOneOutputToAnother() throws {
    var sender = Sender(.vp8)
    var other = VP8Packetizer(payloadSizeMax: 100)
    for number in 0..<77 { _ = other.packetize(videoFrame(.vp8, number, isKeyframe: false)) }
    let first = try unwrap(pictureID(sender.send(videoFrame(.vp8, 0, isKeyframe: true))[0]))
    let switched = try unwrap(sender.stream.begin(other.packetize(videoFrame(.vp8, 1, isKeyframe: true)), at: .zero))
    for index in 0..<switched.packetCount {
      var bytes = [UInt8](repeating: 0, count: 300)
      var span = bytes.mutableSpan
      let length = try unwrap(sender.stream.write(index, of: switched, into: &span))
      #expect(try pictureID(Array(bytes[0..<length])) == (first + 1) & 0x7FFF)
    }
  }

  /// They say how many pictures back those are that they build on.
  @Test func numbersOfVP9FramesLeftOutAreLeftOutToo() throws {
    var sender = Sender(.vp9)
    var expected: UInt16?
    for number in 0..<40 {
      var frame = videoFrame(.vp9, number, isKeyframe: number == 0)
      frame.temporal = TemporalPosition(
        layer: [0, 2, 1, 2][number % 4], isLayerSync: [1, 2].contains(number % 4), baseIndex: 0)
      let cut = sender.packetize(frame)
      // The base alone, then another output, then all.
      if number == 20 { sender.stream.sourceWillChange() }
      guard number >= 20 || number % 4 == 0 else { continue }
      for packet in try sender.send(cut) {
        let payload = Array(packet[try header(packet).payloadRange])
        let found = UInt16(payload[1] & 0x7F) << 8 | UInt16(payload[2])
        if let expected { #expect(found == expected, "frame \(number)") } else { expected = found }
      }
      expected = expected.map { ($0 + (number < 16 ? 4 : 1)) & 0x7FFF }
    }
  }

  @Test func layersKeepTheirPlaceAndTheirBaseIndexCountsOnFromOneOutputToAnother() throws {
    var sender = Sender(.vp8)
    var other = VP8Packetizer(payloadSizeMax: 100)
    for number in 0..<77 { _ = other.packetize(layeredFrame(number)) }
    var last: (picture: UInt16, base: UInt8)?
    for number in 0..<700 {
      let frame = layeredFrame(number)
      let cut = other.packetize(frame)
      let packets = try number % 9 < 4 ? sender.send(frame) : sender.send(cut)
      for packet in packets {
        let found = try descriptor(packet)
        let picture = try unwrap(found.pictureID)
        let base = try unwrap(found.temporalBaseIndex)
        #expect(found.temporalLayer == frame.temporal?.layer)
        #expect(found.isLayerSync == frame.temporal?.isLayerSync)
        if let last {
          #expect(picture == (last.picture + 1) & 0x7FFF && base == last.base &+ (number % 4 == 0 ? 1 : 0))
        }
        if packet == packets.last { last = (picture, base) }
      }
    }
  }

  private func layeredFrame(_ number: Int) -> EncodedFrame {
    var frame = videoFrame(.vp8, number, isKeyframe: number == 0)
    frame.temporal = TemporalPosition(
      layer: [0, 2, 1, 2][number % 4], isLayerSync: number % 4 == 2, baseIndex: UInt8(truncatingIfNeeded: number / 4))
    return frame
  }

  @Test func thePacketsOfAPictureAreOfOneLength() throws {
    var sender = Sender(.vp8)
    var paddings = Set<Int>()
    for size in 900..<910 {
      let frame = videoFrame(.vp8, size, isKeyframe: false, size: size)
      let packets = try sender.send(frame)
      #expect(packets.count > 4 && Set(packets.map(\.count)).count == 1)
      var media: [UInt8] = []
      for packet in packets { media += packet[try header(packet).payloadRange].dropFirst(4) }
      #expect(media == frame.payload.bytes)
      let last = try unwrap(packets.last)
      paddings.insert(last.count - (try header(last).payloadRange.upperBound))
    }
    #expect(paddings == [0, 1, 2, 3, 4])
  }

  @Test func paddingIsSentAgainUnderTheSameNumberOnly() throws {
    for hasOwnSource in [false, true] {
      var sender = Sender(.vp8, retransmission: hasOwnSource)
      let packets = try sender.send(videoFrame(.vp8, 1, isKeyframe: false, size: 901))
      let last = try unwrap(packets.last)
      let original = try header(last)
      try #require(original.payloadRange.upperBound < last.count)
      let again = try unwrap(sender.resend(original.sequenceNumber, at: milliseconds(40)))
      if hasOwnSource {
        let repair = try header(again)
        #expect(repair.payloadRange.upperBound == again.count)
        #expect(Array(again[repair.payloadRange].dropFirst(2)) == Array(last[original.payloadRange]))
      } else {
        #expect(again == last, "bit for bit, or two packets would be encrypted with one nonce")
      }
    }
  }

  @Test func paddingIsWhatWasSentInTheStreamOfRetransmissions() throws {
    var sender = Sender(.vp8)
    var bytes = [UInt8](repeating: 0, count: 600)
    var span = bytes.mutableSpan
    let sent = try sender.send(videoFrame(.vp8, 0, isKeyframe: true))
    let length = try unwrap(sender.stream.writePadding(500, transportSequenceNumber: 7, into: &span))
    let padding = try header(Array(bytes[0..<length]))
    let first = try header(sent[0])
    #expect(padding.ssrc == repairSource && padding.payloadType == 97)
    #expect(
      Array(bytes[padding.payloadRange].prefix(2)) == [
        UInt8(first.sequenceNumber.rawValue >> 8), UInt8(first.sequenceNumber.rawValue & 255),
      ])
    #expect(Array(bytes[padding.payloadRange.lowerBound + 2..<length]) == Array(sent[0][first.payloadRange]))
    #expect(sender.stream.counters.paddingPackets == 1 && sender.stream.counters.packetsResent == 0)
  }

  @Test(arguments: [Codec.vp8, .vp9, .h264, .av1]) func beforeAnythingWasSentPaddingIsZeros(codec: Codec) throws {
    var sender = Sender(codec)
    var bytes = [UInt8](repeating: 1, count: 600)
    var span = bytes.mutableSpan
    let length = try unwrap(sender.stream.writePadding(500, transportSequenceNumber: 7, into: &span))
    let padding = try header(Array(bytes[0..<length]))
    #expect(padding.ssrc == repairSource && padding.payloadType == 97 && padding.payloadRange.isEmpty)
    #expect(bytes[0] & 0x20 != 0 && bytes[length - 1] == 255)
    #expect(sender.stream.counters.paddingPackets == 1)
  }

  /// A probe of packets much shorter than it asks for measures nothing.
  @Test func afterATinyFramePaddingIsZeros() throws {
    var sender = Sender(.vp8)
    var bytes = [UInt8](repeating: 1, count: 600)
    var span = bytes.mutableSpan
    _ = try sender.send(videoFrame(.vp8, 0, isKeyframe: true, size: 50))
    let length = try unwrap(sender.stream.writePadding(500, transportSequenceNumber: 7, into: &span))
    #expect(try header(Array(bytes[0..<length])).payloadRange.isEmpty && length > 255)
  }

  @Test func theTimelineContinuesWhenTheSourceChanges() throws {
    var sender = Sender(.opus)
    let first = try header(sender.send(audioFrame(10))[0]).timestamp
    sender.stream.sourceWillChange()
    var moved = audioFrame(11)
    moved.timestamp = RTPTimestamp(0x8000_0000)
    let second = try header(sender.send(moved)[0]).timestamp
    #expect(second.distance(from: first) == 960)
    var next = audioFrame(12)
    next.timestamp = RTPTimestamp(0x8000_0000 + 960)
    try holds(header(sender.send(next)[0]).timestamp.distance(from: second) == 960)
  }

  @Test func contributorsAreListedWithTheirLevels() throws {
    var sender = Sender(.opus)
    var frame = audioFrame(0)
    frame.contributors.append(Contributor(source: SSRC(5), level: 20))
    frame.contributors.append(Contributor(source: SSRC(6), level: 30))
    let packet = try sender.send(frame)[0]
    let header = try header(packet)
    let source = header.contributor(1, in: packet.span)
    #expect(source == SSRC(6))
    let extensions = try extensions(packet)
    #expect(extensions.contributorLevelCount == 2)
    #expect(extensions.contributorLevels[1] == 30)
    #expect(Array(packet[header.payloadRange]) == frame.payload.bytes)
  }

  @Test func theMIDIsCarriedUntilTheReceiverReports() throws {
    var sender = Sender(.opus)
    try holds(extensions(sender.send(audioFrame(0))[0]).mid == ShortToken("a"))
    sender.stream.receive(block(lastSenderReport: 0, delay: 0), wallClock: NTPTime(rawValue: 0))
    try holds(extensions(sender.send(audioFrame(1))[0]).mid == nil)
  }

  @Test func roomIsLeftForTheTag() throws {
    var sender = Sender(.opus)
    let length = try sender.send(audioFrame(0))[0].count
    for room in 0..<(length + 20) {
      let outgoing = try unwrap(sender.stream.begin(AudioPacketizer.packetize(audioFrame(1)), at: .zero))
      var bytes = [UInt8](repeating: 0, count: room)
      var span = bytes.mutableSpan
      let written = sender.stream.write(0, of: outgoing, into: &span)
      #expect(written == (room >= length + SendStream.tagSize ? length : nil))
    }
  }

  @Test func aFrameOfACodecThatWasNotNegotiatedIsRefused() {
    var sender = Sender(.opus)
    let frame = PacketizedFrame(
      codec: .pcmu, bytes: [1], ranges: [0..<1], timestamp: RTPTimestamp(0), isKeyframe: true, time: .zero)
    let outgoing = sender.stream.begin(frame, at: .zero)
    #expect(outgoing == nil)
  }

  @Test func steadySendingAllocatesNothing() throws {
    var sender = Sender(.vp8)
    let frames = (0..<400).map { sender.packetize(videoFrame(.vp8, $0, isKeyframe: $0 == 0)) }
    var bytes = [UInt8](repeating: 0, count: 600)
    var written = 0
    let send = { (number: Int) in
      let now = milliseconds(number * 33)
      guard let outgoing = sender.stream.begin(frames[number], at: now) else { return }
      var span = bytes.mutableSpan
      for index in 0..<outgoing.packetCount {
        if sender.stream.write(index, of: outgoing, transportSequenceNumber: 7, sendTime: 8, into: &span) != nil {
          written += 1
        }
      }
      let first = SequenceNumber(UInt16(truncatingIfNeeded: outgoing.firstSequence))
      if sender.stream.retransmit(first, at: now, into: &span) != nil { written += 1 }
    }
    // By then there is room for losses and the history is full, and what the runtime makes once is made.
    for number in 0..<200 { send(number) }
    let count = allocations { for number in 200..<400 { send(number) } }
    #expect(written > 1000)
    #expect(count == 0)
  }
}

struct RetransmissionTests {
  @Test func whatIsSentAgainCarriesTheOriginalNumber() throws {
    var sender = Sender(.vp8)
    let packets = try sender.send(videoFrame(.vp8, 0, isKeyframe: true))
    let original = try header(packets[2])
    let again = try unwrap(sender.resend(original.sequenceNumber, at: milliseconds(5)))
    let repair = try header(again)
    #expect(repair.ssrc == repairSource && repair.payloadType == 97 && repair.sequenceNumber.rawValue < 0x8000)
    #expect(repair.timestamp == original.timestamp && repair.marker == original.marker)
    let payload = Array(again[repair.payloadRange])
    #expect(UInt16(payload[0]) << 8 | UInt16(payload[1]) == original.sequenceNumber.rawValue)
    #expect(Array(payload.dropFirst(2)) == Array(packets[2][original.payloadRange]))
  }

  @Test func withoutASourceOfItsOwnItIsTheSamePacketBitForBit() throws {
    var sender = Sender(.vp8, retransmission: false)
    let packets = try sender.send(videoFrame(.vp8, 0, isKeyframe: true))
    sender.stream.receive(block(lastSenderReport: 0, delay: 0), wallClock: NTPTime(rawValue: 0))
    for packet in packets { try holds(sender.resend(header(packet).sequenceNumber, at: milliseconds(5)) == packet) }
  }

  @Test func aPacketIsSentAgainOnceARoundTripAndAFewTimesAtMost() throws {
    var sender = Sender(.vp8)
    let number = try header(sender.send(videoFrame(.vp8, 0, isKeyframe: true))[0]).sequenceNumber
    var sent: [Int] = []
    for now in 0..<1000 where sender.resend(number, at: milliseconds(now)) != nil { sent.append(now) }
    #expect(sent == [0, 50, 100, 150, 200])
  }

  @Test func whatIsTooOldOrWasNeverSentIsNot() throws {
    var sender = Sender(.vp8, firstSequence: 100)
    _ = try sender.send(videoFrame(.vp8, 0, isKeyframe: true))
    holds(sender.resend(SequenceNumber(99), at: .zero) == nil)
    holds(sender.resend(SequenceNumber(200), at: .zero) == nil)
    holds(sender.resend(SequenceNumber(100), at: milliseconds(2001)) == nil)
    holds(sender.resend(SequenceNumber(100), at: milliseconds(1999)) != nil)
  }

  @Test func allOfTheLastTwoSecondsCanBeAskedForAgain() throws {
    var sender = Sender(.vp8, firstSequence: 0)
    var firsts: [SequenceNumber] = []
    var last = Instant.zero
    for number in 0..<200 {
      let frame = videoFrame(.vp8, number, isKeyframe: false)
      firsts.append(try header(sender.send(frame)[0]).sequenceNumber)
      last = frame.time
      guard number % 50 == 49 else { continue }
      for first in firsts.suffix(55) { holds(sender.resend(first, at: last) != nil) }
    }
    holds(sender.resend(firsts[100], at: last) == nil)
  }

  @Test func askingForRandomNumbersIsHarmless() throws {
    var random = SeededRandom(seed: 41)
    var sender = Sender(.vp8, firstSequence: 0x7FFF)
    var sent = 0
    for round in 0..<100_000 {
      if round % 100 == 0 { _ = try sender.send(videoFrame(.vp8, round / 100, isKeyframe: false)) }
      let number = SequenceNumber(UInt16(truncatingIfNeeded: random.next()))
      if sender.resend(number, at: milliseconds(round / 3)) != nil { sent += 1 }
    }
    #expect(sent > 10)
  }

  @Test(arguments: [Codec.vp8, .h264]) func lossyPathsAreRepaired(_ codec: Codec) throws {
    for seed in 0..<10 as Range<UInt64> {
      var random = SeededRandom(seed: 500 + seed)
      var sender = Sender(codec)
      var receiver = Receiver(codec)
      var onTheWay: [(at: Int, packet: [UInt8])] = []
      for now in 0..<6000 {
        var outgoing: [[UInt8]] = []
        if now % 33 == 0, now / 33 < 150 {
          var frame = videoFrame(codec, now / 33, isKeyframe: now == 0)
          frame.time = milliseconds(now)
          outgoing = try sender.send(frame)
        }
        for number in receiver.feedback(at: milliseconds(now)).lost where random.next() % 10 != 0 {
          if let again = sender.resend(number, at: milliseconds(now)) { outgoing.append(again) }
        }
        // One in twenty is lost, but for the first frame's; each takes 20 to 50 ms.
        for packet in outgoing where now == 0 || random.next() % 20 != 0 {
          onTheWay.append((now + 20 + Int(random.next() % 30), packet))
        }
        for arrival in onTheWay where arrival.at == now { receiver.receive(arrival.packet, at: milliseconds(now)) }
        onTheWay.removeAll { $0.at <= now }
        receiver.handleTimeout(at: milliseconds(now))
      }
      // The very last packet may be lost without anyone noticing.
      holds(receiver.frames.count >= 149)
      holds(receiver.stream.gapCount == 0)
      for (number, frame) in receiver.frames.enumerated() {
        #expect(frame.payload.bytes == videoFrame(codec, number, isKeyframe: number == 0).payload.bytes)
      }
      holds(receiver.stream.counters.repaired > 10)
    }
  }
}

private func block(lastSenderReport: UInt32, delay: UInt32, fraction: UInt8 = 0) -> ReportBlock {
  ReportBlock(
    source: mediaSource, fractionLost: fraction, cumulativeLost: 0, extendedHighestSequence: 0, jitter: 480,
    lastSenderReport: lastSenderReport, delaySinceLastSenderReport: delay)
}

struct SenderReportTests {
  @Test func theReportRelatesWallClockAndMediaClock() throws {
    var sender = Sender(.opus)
    holds(sender.stream.senderReport(at: .zero, wallClock: NTPTime(rawValue: 1)) == nil)
    let first = try header(sender.send(audioFrame(10))[0]).timestamp
    let report = try unwrap(sender.stream.senderReport(at: milliseconds(250), wallClock: NTPTime(rawValue: 77)))
    #expect(report.ntp.rawValue == 77)
    #expect(report.timestamp.distance(from: first) == 50 * 48)
    #expect(report.packetCount == 1 && report.octetCount == 4 && report.sender == mediaSource)
  }

  @Test func theRoundTripIsMeasuredFromReports() throws {
    var sender = Sender(.opus)
    let sent = NTPTime(unixNanoseconds: 1_700_000_000_000_000_000)
    let back = sent + .milliseconds(1500)
    sender.stream.receive(block(lastSenderReport: sent.compact, delay: 65_536, fraction: 64), wallClock: back)
    let view = try unwrap(sender.stream.receiverReport)
    #expect(abs((view.roundTripTime ?? .zero).milliseconds - 500) < 1)
    #expect(view.fractionLost == 0.25)
    #expect(view.jitter == .milliseconds(10))
    // A report without a sender report to measure by keeps what was measured.
    sender.stream.receive(block(lastSenderReport: 0, delay: 0), wallClock: back)
    holds(sender.stream.receiverReport?.roundTripTime == view.roundTripTime)
  }
}

struct TransportFeedbackRecorderTests {
  fileprivate func due(_ recorder: inout TransportFeedbackRecorder, at now: Instant, room: Int = 1200)
    -> [[TransportPacketStatus]]
  {
    var bytes = [UInt8](repeating: 0, count: room)
    var writer = RTCPWriter(bytes.mutableSpan)
    recorder.writeDue(sender: ownSource, at: now, into: &writer)
    let count = writer.count
    var found: [[TransportPacketStatus]] = []
    var reader = RTCPReader(bytes.span.extracting(0..<count))
    while let packet = reader.next() {
      guard case .transportFeedback(let feedback) = packet else { continue }
      var statuses: [TransportPacketStatus] = []
      var packets = feedback.packets()
      while let status = packets.next() { statuses.append(status) }
      found.append(statuses)
    }
    return found
  }

  @Test func arrivalsAreToldAHundredMillisecondsAfterTheFirst() {
    var recorder = TransportFeedbackRecorder()
    #expect(recorder.nextDeadline == nil)
    for (sequence, now) in [(65_534, 1000), (65_535, 1010), (1, 1030), (0, 1040)] as [(UInt16, Int)] {
      recorder.receive(sequence, of: mediaSource, size: 100, at: milliseconds(now))
    }
    holds(due(&recorder, at: milliseconds(1099)).isEmpty)
    let statuses = due(&recorder, at: milliseconds(1100))
    #expect(statuses.count == 1)
    #expect(statuses.first?.map(\.sequenceNumber.rawValue) == [65_534, 65_535, 0, 1])
    #expect(statuses.first?.map { $0.arrival?.milliseconds } == [1000, 1010, 1040, 1030])
    #expect(recorder.nextDeadline == nil)
    // One told of already is passed over; a gap is told of as such.
    recorder.receive(1, of: mediaSource, size: 100, at: milliseconds(1110))
    recorder.receive(4, of: mediaSource, size: 100, at: milliseconds(1120))
    let more = due(&recorder, at: milliseconds(1300))
    #expect(more.first?.map(\.sequenceNumber.rawValue) == [2, 3, 4])
    #expect(more.first?.map { $0.arrival == nil } == [true, true, false])
  }

  @Test(arguments: [(60, 0.05...0.10), (160, 0.03...0.06), (1_000, 0.01...0.05)])
  func feedbackTakesATwentiethOfWhatComesAndIsNeverFarApart(size: Int, share: ClosedRange<Double>) {
    var recorder = TransportFeedbackRecorder()
    var (told, bitsReceived) = (0, 0)
    var gapMax = 0
    var last = 0
    for index in 0..<500 {
      let now = index * 20
      recorder.receive(UInt16(index), of: mediaSource, size: size, at: milliseconds(now))
      bitsReceived += size * 8
      if !due(&recorder, at: milliseconds(now + 10)).isEmpty {
        told += 1
        gapMax = max(gapMax, now - last)
        last = now
      }
    }
    #expect(share.contains(Double(told) * 68 * 8 / Double(bitsReceived)))
    #expect(gapMax <= 280)
  }

  @Test func manyPacketsAreToldOfAtOnceAndInSeveralPacketsIfNeedBe() {
    var recorder = TransportFeedbackRecorder()
    for sequence in 0..<300 as Range<UInt16> {
      recorder.receive(sequence, of: mediaSource, size: 100, at: milliseconds(Int(sequence)))
    }
    #expect(recorder.nextDeadline.map { $0 <= milliseconds(299) } == true)
    var told = due(&recorder, at: milliseconds(300), room: 200).joined().count
    #expect(told > 100 && told < 300)
    told += due(&recorder, at: milliseconds(500)).joined().count
    #expect(told == 300)
  }

  @Test func aJumpForgetsTheOldest() {
    var recorder = TransportFeedbackRecorder()
    recorder.receive(0, of: mediaSource, size: 100, at: .zero)
    recorder.receive(30_000, of: mediaSource, size: 100, at: .zero)
    let statuses = due(&recorder, at: milliseconds(100)).flatMap { $0 }
    #expect(statuses.count == TransportFeedbackRecorder.capacity)
    #expect(statuses.last?.sequenceNumber == SequenceNumber(30_000))
  }
}

extension TransportFeedbackRecorderTests {
  @Test func aSenderThatCountsAnewIsFollowed() {
    var recorder = TransportFeedbackRecorder()
    recorder.receive(30_000, of: mediaSource, size: 100, at: .zero)
    recorder.receive(5, of: mediaSource, size: 100, at: .zero)
    recorder.receive(6, of: mediaSource, size: 100, at: .zero)
    let statuses = due(&recorder, at: milliseconds(100)).flatMap { $0 }
    #expect(statuses.map(\.sequenceNumber.rawValue) == [5, 6])
  }

  @Test func randomNumbersAreHarmless() {
    var random = SeededRandom(seed: 31)
    var recorder = TransportFeedbackRecorder()
    var sequence: UInt16 = 0
    for round in 0..<100_000 {
      let bits = random.next()
      sequence = bits % 1000 == 0 ? UInt16(truncatingIfNeeded: bits >> 20) : sequence &+ UInt16(bits % 5) &- 1
      recorder.receive(sequence, of: mediaSource, size: 100, at: milliseconds(round))
      if round % 64 == 0 { _ = due(&recorder, at: milliseconds(round), room: Int(bits >> 40 % 1200)) }
    }
    holds(due(&recorder, at: milliseconds(200_000)).count > 0)
  }
}

struct RTCPScheduleTests {
  @Test func reportsComeAboutOnceASecondAndNeverInStep() {
    var random = SeededRandom(seed: 9)
    var schedule = RTCPSchedule(start: .zero, using: &random)
    holds(schedule.nextDeadline <= milliseconds(700))
    var times: [Int] = []
    for now in 0..<100_000 where schedule.takeDue(at: milliseconds(now), using: &random) { times.append(now) }
    let gaps = zip(times.dropFirst(), times).map { $0 - $1 }
    #expect(gaps.allSatisfy { (500...1501).contains($0) })
    #expect((80...125).contains(times.count))
    #expect(Set(gaps).count > 20)
  }
}
