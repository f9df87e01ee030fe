import DatagramIO
import EncodedMedia
import Foundation
import ICE
import RealTime
import SecureTransport
import Synchronization
import Testing
import Timing
import WebRTCTransport

// MARK: As the documentation has it

/// Counts what comes, and sends it back where there is an output for it. Called on the network's thread: must return at once.
final class Echo: PeerObserver {
  let network: NetworkLoop
  let output: OutputID?
  let frames = Atomic(0)

  init(_ network: NetworkLoop, to output: OutputID? = nil) { (self.network, self.output) = (network, output) }

  func peer(_ peer: PeerID, didReceive frame: EncodedFrame, on stream: StreamID) {
    frames.add(1, ordering: .relaxed)
    if let output { network.send(frame, to: output) }
  }
  func peerDidConnect(_ peer: PeerID) { print("\(peer) is connected") }
  func peerDidEnd(_ peer: PeerID, _ reason: PeerEndReason) { print("\(peer): \(reason)") }
  func peer(_ peer: PeerID, needsKeyframeOf output: OutputID) {}
  func peer(_ peer: PeerID, didMeasure statistics: PeerStatistics) {}
}

/// A server that sends back what it hears, and a client of it: how many of so many frames the client has heard in the end.
func hearOneself(frames count: Int) throws -> Int {
  var random = SystemRandomNumberGenerator()
  let peer = PeerID(1)
  let here = TransportAddress(ipv4: 0x7F00_0001, port: 0)
  let server = try NetworkLoop(bind: [here], acceptsTCP: false, seed: random.next())
  let client = try NetworkLoop(bind: [here], acceptsTCP: false, seed: random.next())
  defer { for network in [client, server] { network.stop() } }
  // The text of the offer goes to the server and the answer comes back, by HTTP in life.
  var offerer = PeerOfferer(
    certificate: try DTLSCertificate(), candidates: client.localAddresses.map { .host($0) }, using: &random)
  let negotiator = PeerNegotiator(
    certificate: try DTLSCertificate(), candidates: server.localAddresses.map { .host($0) }, capabilities: .client)
  let offer = offerer.offer([.init(.audio, sends: true, receives: true)])
  let answer = try negotiator.answer(offer, direction: .both, using: &random)
  // The server: what a peer sends goes to output 7, which he receives himself.
  server.add(peer, answer.setup, observer: Echo(server, to: OutputID(7)))
  server.subscribe(peer, .audio, to: OutputID(7))
  // The client: what it has to say is output 1.
  let listener = Echo(client)
  client.add(peer, try offerer.apply(answer: answer.text), observer: listener)
  client.subscribe(peer, .audio, to: OutputID(1))
  var due = MonotonicClock.now()
  for number in 0..<UInt32(1000) where listener.frames.load(ordering: .relaxed) < count {
    // Twenty milliseconds of silence in Opus, 960 ticks of its clock.
    let frame = EncodedFrame(
      codec: .opus, payload: FrameBuffer([0xF8, 0xFF, 0xFE]), timestamp: RTPTimestamp(number &* 960), time: due)
    client.send(frame, to: OutputID(1))
    due += .milliseconds(20)
    MonotonicClock.sleep(until: due)
  }
  return listener.frames.load(ordering: .relaxed)
}

// MARK: The tests of it

@Test func theProgramOfTheDocumentationHearsItself() throws {
  #expect(try hearOneself(frames: 10) >= 10)
}

@Test func theDocumentationShowsTheProgramThatIsTested() throws {
  let file = URL(filePath: #filePath)
  let text = try String(contentsOf: file, encoding: .utf8)
  let program = try #require(text.components(separatedBy: "// MARK: As the documentation has it\n").dropFirst().first)
    .components(separatedBy: "// MARK: The tests of it\n")[0]
  let folder = file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  let page = try String(
    contentsOf: folder.appending(path: "Sources/WebRTCTransport/WebRTCTransport.docc/WebRTCTransport.md"), encoding: .utf8)
  #expect(page.contains(program.trimmingCharacters(in: .whitespacesAndNewlines)))
}
