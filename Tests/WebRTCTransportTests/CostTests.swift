import EncodedMedia
import RTP
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// What a participant may cost the server who has its keys and means no good.
@Suite struct CostTests {
  @Test func oneDatagramOfNacksIsAnsweredWithFiveHundredPacketsAtMost() throws {
    let observer = TestObserver()
    let (simulation, client) = try makeCall(seed: 71, observer: observer)
    var sent: [(source: SSRC, number: SequenceNumber)] = []
    simulation.tap = { datagram, from, _ in
      // Datagrams so long are of pictures; their headers are not encrypted.
      if from == Simulation.serverAddress, datagram.count > 900, let header = RTPHeader(parsing: datagram.span) {
        sent.append((header.ssrc, header.sequenceNumber))
      }
      return false
    }
    for index in 0..<60 {
      let frame = TestFrames.video(index, at: simulation.now, isKeyframe: index == 0, byteCount: 13_000)
      simulation.execute(.send(frame, OutputID(2)))
      simulation.run(for: .milliseconds(10))
    }
    let first = try #require(sent.first)
    try #require(sent.count == 720 && sent.allSatisfy { $0.source == first.source })
    sent.removeAll()
    client.session.sendRTCP(into: &client.outputs) { _, writer in
      // In three NACKs: together they count, not each for itself.
      for part in 0..<3 {
        let lost = (0..<240).map { first.number + part * 240 + $0 }
        writer.nack(sender: SSRC(1), media: first.source, lost: lost.span)
      }
    }
    simulation.run(for: .milliseconds(50))
    #expect(sent.count == 512 && sent.allSatisfy { $0.source != first.source })
    // Who really lost so many asks again for the rest.
    sent.removeAll()
    client.session.sendRTCP(into: &client.outputs) { _, writer in
      writer.nack(sender: SSRC(1), media: first.source, lost: (512..<720).map { first.number + $0 }.span)
    }
    simulation.run(for: .milliseconds(50))
    #expect(sent.count == 208)
  }
}
