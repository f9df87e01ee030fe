import AudioFiles
import Compositing
import Conference
import EncodedMedia
import ICE
import Synchronization
import TestPeers
import TestSupport
import Testing
import WebRTCTransport

private let stageLayout = """
  { "variants": [ { "slots": [ { "id": "lectern", "x": 0, "y": 0, "width": 180, "height": 360 },
    { "x": 180, "y": 0, "width": 180, "height": 180, "source": "reserved:guest" },
    { "x": 180, "y": 180, "width": 180, "height": 180, "source": "role:interpreter" } ] } ] }
  """

/// The actor with a transport that only notes, and what its rooms tell.
final class House: Sendable {
  let transport = ScriptedTransport()
  let conferences: Conferences
  /// What stands in the log.
  let log = Lines()

  /// - Parameters:
  ///   - sounds: the directory of prompts.
  ///   - layouts: nil for grid, other and stage.
  init(
    sounds: String = "/nowhere", layouts: LayoutLibrary? = nil, resources: CanvasResources = CanvasResources(),
    _ change: (inout ConferenceSettings) -> Void = { _ in }
  ) throws {
    var settings = ConferenceSettings()
    settings.emptySeconds = 0
    // The processor time of this program is that of all tests.
    settings.processorMax = 1
    settings.videoGivesWay = false
    settings.outputs = [OutputSettings(name: "main", width: 64, height: 64, fps: 1, bitrate: 30_000)]
    change(&settings)
    let library = layouts ?? LayoutLibrary()
    if layouts == nil {
      try library.load("grid", source: gridLayout)
      try library.load("other", source: gridLayout)
      try library.load("stage", source: stageLayout)
    }
    conferences = Conferences(
      settings: settings, layouts: library, sounds: SoundLibrary(directory: sounds), resources: resources,
      negotiator: PeerNegotiator(certificate: Simulation.certificate, candidates: [.host(Simulation.serverAddress)]),
      transport: transport, log: { [log] in log.add($0) })
  }

  final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
  }

  static func offer(_ lines: [PeerOfferer.Line] = Simulation.bothWays, seed: UInt64 = 1) -> (PeerOfferer, String) {
    var random = SeededRandom(seed: seed)
    var offerer = PeerOfferer(
      certificate: TestClient.certificate, candidates: [.host(TransportAddress(ipv4: 0x0A00_0001, port: 5))], using: &random)
    let text = offerer.offer(lines)
    return (offerer, text)
  }

  func request(
    _ room: String, kind: JoinRequest.Kind = .takePart, output: String? = nil, audio: String? = nil, mixOf: String? = nil
  )
    -> JoinRequest
  {
    JoinRequest(
      kind: kind, room: room, offer: Self.offer().1, name: "Ada", output: output,
      audioOutput: audio, mixOf: mixOf)
  }

  /// Joins, and is connected as far as the rooms know.
  func connect(
    _ room: String, _ events: Events, kind: JoinRequest.Kind = .takePart, output: String? = nil, audio: String? = nil,
    mixOf: String? = nil
  ) async throws -> (id: String, peer: PeerID) {
    let answer = try await conferences.join(request(room, kind: kind, output: output, audio: audio, mixOf: mixOf))
    let peer = try #require(transport.peers.last)
    transport.observer(peer)?.peerDidConnect(peer)
    await events.next { if case .participantJoined = $0 { true } else { false } }
    return (answer.participant, peer)
  }

  func events(_ room: String) async -> Events {
    let (stream, continuation) = AsyncStream.makeStream(of: ConferenceEvent.self)
    let subscription = await conferences.subscribe(room: room) { continuation.yield($0) }
    return Events(stream: stream, subscription: subscription)
  }

  /// A room's events, waited for rather than polled.
  final class Events: @unchecked Sendable {
    // Unchecked: one test reads it.
    private var iterator: AsyncStream<ConferenceEvent>.AsyncIterator
    private let subscription: EventSubscription
    private(set) var seen: [String] = []

    init(stream: AsyncStream<ConferenceEvent>, subscription: EventSubscription) {
      iterator = stream.makeAsyncIterator()
      self.subscription = subscription
    }
    deinit { subscription.cancel() }

    /// Waits for an event.
    func next(where isWanted: (ConferenceEvent.Change) -> Bool) async {
      while let event = await iterator.next() {
        seen.append(String("\(event.change)".prefix { $0 != "(" }))
        if isWanted(event.change) { return }
      }
    }
  }

  /// Changes one participant.
  @discardableResult
  func patch(
    _ room: String, _ id: String, by requester: Requester = .host, _ change: (inout ParticipantPatch) -> Void
  ) async throws -> ParticipantDescription {
    var patch = ParticipantPatch()
    change(&patch)
    return try await conferences.patchParticipant(room: room, id: id, patch: patch, by: requester)
  }

  /// The kind of refusal a call meets; nil where it is let through.
  func refusal(_ body: (Conferences) async throws -> Void) async -> ConferenceError.Kind? {
    do {
      try await body(conferences)
      return nil
    } catch {
      return (error as? ConferenceError)?.kind
    }
  }

  /// Everything that can be asked of the rooms, as text.
  func state() async -> String {
    let rooms = await conferences.rooms(listing: .everybody)
    return rooms.map { room in
      let people = room.participants.map {
        "\($0.id) \($0.name) \($0.role) \($0.output ?? "") \($0.gain) \($0.audioMuted) \($0.videoMuted) \($0.deaf)"
      }
      return "\(room.name) \(room.layout) \(room.outputs) \(room.audio) \(people)"
    }.joined(separator: "\n")
  }
}
