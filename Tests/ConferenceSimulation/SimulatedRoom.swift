import Codecs
import Conference
import EncodedMedia
import ICE
import Layouts
import Playout
import RawMedia
import Synchronization
import TestPeers
import TestSupport
import Timing
import WebRTCTransport

/// The mixing side's transport within a simulation: commands wait until the endpoint is asked to carry them out.
final class SimulatedTransport: PeerTransport {
  private let commands = Mutex<[Endpoint.Command]>([])

  func add(_ peer: PeerID, _ setup: PeerSetup, observer: any PeerObserver) { note(.add(peer, setup, observer)) }
  func update(_ peer: PeerID, _ setup: PeerSetup) { note(.update(peer, setup)) }
  func remove(_ peer: PeerID) { note(.remove(peer)) }
  func subscribe(_ peer: PeerID, _ kind: MediaKind, to output: OutputID?) { note(.subscribe(peer, kind, output)) }
  func subscribe(_ peer: PeerID, to ladder: VideoLadder) { note(.subscribeToLadder(peer, ladder)) }
  func send(_ frame: EncodedFrame, to output: OutputID) { note(.send(frame, output)) }
  func requestKeyframe(_ peer: PeerID, _ stream: StreamID) { note(.requestKeyframe(peer, stream)) }
  func want(_ peer: PeerID, _ stream: StreamID, temporalLayers: UInt8) {
    note(.want(peer, stream, temporalLayers: temporalLayers))
  }

  private func note(_ command: Endpoint.Command) { commands.withLock { $0.append(command) } }
  func take() -> [Endpoint.Command] {
    commands.withLock { commands in
      defer { commands.removeAll() }
      return commands
    }
  }
}

/// Breaks circles between a participant's parts; a simulation is one thread.
final class Unchecked<Value>: @unchecked Sendable {
  var value: Value
  init(_ value: Value) { self.value = value }
}

/// Numbers that say whether two runs were the same (FNV-1a).
struct Digest: Equatable, CustomStringConvertible {
  private var state: UInt64 = 0xCBF2_9CE4_8422_2325
  mutating func add(_ value: Int64) {
    for shift in stride(from: 0, to: 64, by: 8) { add(UInt8(truncatingIfNeeded: value >> shift)) }
  }
  mutating func add(_ bytes: some Sequence<UInt8>) { for byte in bytes { add(byte) } }
  private mutating func add(_ byte: UInt8) { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
  var description: String { String(state, radix: 16) }
}

/// A whole conference without sockets and clocks: clients, network, endpoint, mix and canvas.
final class SimulatedRoom {
  let simulation: Simulation
  let transport = SimulatedTransport()
  let board: SceneBoard
  let mix: RoomMix
  let canvas: Canvas
  var members: [Member] = []
  /// Whether clients decode what they are sent.
  var listens = true
  private var number: UInt32 = 0
  private var tick: Int64 = 0
  private static let pictureOutput = OutputID(2)

  init(link: Link, seed: UInt64, audio: AudioSettings = AudioSettings(bitrate: 48_000)) throws {
    simulation = Simulation(link: link, seed: seed)
    let layout = try LayoutTemplate(
      parsing: Array(#"{ "name": "grid", "variants": [ { "grid": { "columns": 2, "rows": 2 } } ] }"#.utf8), name: "grid")
    board = SceneBoard(layout: layout)
    mix = RoomMix(
      settings: audio, outputs: OutputIDSource(after: 2), transport: transport, board: board
    ) { _ in
    }
    canvas = Canvas(
      settings: .init(name: "main", width: 160, height: 90, fps: 10, bitrate: 100_000),
      board: board, transport: transport, execution: .inPlace)
    canvas.add(.vp8, as: Self.pictureOutput)
    let transport = transport
    simulation.commands = { transport.take() }
  }

  /// A participant: what the server holds of him, and his client.
  final class Member {
    let media: ParticipantMedia
    let client: TestClient
    let listener: Listener
    let sources: EncodedSources?
    let events: Unchecked<[ParticipantMedia.Event]>
    /// Says the tone from its beginning.
    var speaks = false { didSet { if speaks, !oldValue { speechStart = audioCount } } }
    /// Keeps what the decoder asks for keyframes by.
    var holder: AnyObject?
    var isSeated = false
    private var audioCount = 0
    private var speechStart = 0
    private var pictureCount = 0
    private var loopStart = 0
    private var answered = 0

    init(
      media: ParticipantMedia, client: TestClient, sources: EncodedSources?, events: Unchecked<[ParticipantMedia.Event]>
    ) throws {
      self.media = media
      self.client = client
      self.sources = sources
      self.events = events
      listener = try Listener(client)
    }

    func sendAudio(at now: Instant) {
      guard let sources else { return }
      let packets = speaks ? sources.tone : sources.silence
      client.send(
        EncodedFrame(
          codec: .opus, payload: FrameBuffer(packets[(audioCount - (speaks ? speechStart : 0)) % packets.count]),
          timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: audioCount * 960)), time: now), at: now)
      audioCount += 1
    }

    func sendPicture(at now: Instant) {
      guard let sources, !sources.pictures.isEmpty else { return }
      if client.keyframeRequests.count != answered {
        answered = client.keyframeRequests.count
        loopStart = pictureCount
      }
      let index = (pictureCount - loopStart) % sources.pictures.count
      client.send(
        EncodedFrame(
          codec: .vp8, payload: FrameBuffer(sources.pictures[index]),
          timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: pictureCount * 9_000)), isKeyframe: index == 0, time: now), at: now
      )
      pictureCount += 1
    }
  }

  @discardableResult
  func join(_ sources: EncodedSources?) throws -> Member {
    number += 1
    let (transport, canvas, number) = (transport, canvas, number)
    let holder = Unchecked<(media: ParticipantMedia?, peer: PeerID)>((nil, PeerID(number)))
    let events = Unchecked<[ParticipantMedia.Event]>([])
    let video = VideoSource(execution: .inPlace) { [weak holder] in
      if let holder, let stream = holder.value.media?.videoStream { transport.requestKeyframe(holder.value.peer, stream) }
    }
    let media = ParticipantMedia(number: number, video: video) { _ in
    } keyframeNeeded: { _ in
      canvas.requestKeyframe(Self.pictureOutput)
    } report: {
      events.value.append($0)
    }
    let client = try simulation.join(sources == nil ? Simulation.watching : Simulation.bothWays, observer: media)
    holder.value.peer = client.id
    let member = try Member(media: media, client: client, sources: sources, events: events)
    holder.value.media = media
    member.holder = holder
    members.append(member)
    return member
  }

  func leave(_ member: Member, politely: Bool) {
    members.removeAll { $0 === member }
    simulation.leave(member.client, politely: politely)
    member.holder = nil
    guard member.isSeated else { return }
    mix.leave(member.media.number)
    publish()
  }

  /// Lets 20 ms pass.
  func step() {
    for member in members where !member.isSeated && member.events.value.contains(.connected) { seat(member) }
    let now = simulation.now
    for member in members where member.client.session.isConnected {
      member.sendAudio(at: now)
      if tick % 5 == 0 { member.sendPicture(at: now) }
    }
    mix.tick(tick, due: now)
    if tick % 5 == 0 { canvas.tick(tick / 5, due: now) }
    if listens { for member in members { member.listener.listen(at: now) } }
    tick += 1
    simulation.run(until: now + .milliseconds(20))
  }

  private func seat(_ member: Member) {
    member.isSeated = true
    mix.join(
      .init(
        media: member.media, peer: member.client.id, sends: member.sources != nil, receives: true))
    transport.subscribe(member.client.id, .video, to: Self.pictureOutput)
    canvas.requestKeyframe(Self.pictureOutput)
    publish()
  }

  private func publish() {
    let people = members.filter { $0.isSeated && $0.sources != nil }.map {
      // Names come again, as in life: what is drawn of them is kept, up to a limit.
      SceneBoard.Person(media: $0.media, name: "P\($0.media.number % 40)", sendsVideo: true)
    }
    board.change { $0.people = people }
  }
}

/// A client's ears and eyes: playout, decoders, and what became of it.
final class Listener {
  private(set) var heard: [Int16] = []
  private(set) var digest = Digest()
  /// The longest time between two pictures decoded, after the first.
  private(set) var longestFreeze = Interval.zero
  private(set) var playoutDelayMax = Interval.zero
  private(set) var ticks = 0
  let video: VideoSource
  private var buffer = PlayoutBuffer()
  private var receiver: OpusReceiver
  private var steps: [PlayoutStep] = []
  private var pictureCount = 0
  private var lastPicture: Instant?

  init(_ client: TestClient) throws {
    receiver = try OpusReceiver(channelCount: 1)
    // The session itself asks for keyframes where packets stay lost.
    video = VideoSource(execution: .inPlace) {}
    client.onFrame = { [weak self] frame, stream in self?.take(frame, stream) }
  }

  private func take(_ frame: EncodedFrame, _ stream: StreamID) {
    digest.add(frame.time.nanoseconds)
    digest.add(Int64(frame.timestamp.rawValue))
    digest.add(frame.payload.bytes)
    if stream.kind == .audio { buffer.insert(frame) } else { video.receive(frame) }
  }

  func listen(at now: Instant) {
    steps.removeAll(keepingCapacity: true)
    buffer.pull(at: now, into: &steps)
    for step in steps { receiver.carryOut(step) }
    var samples = [Int16](repeating: 0, count: 960)
    var span = samples.mutableSpan
    _ = receiver.take(into: &span)
    heard += samples
    ticks += 1
    if buffer.isPlaying { playoutDelayMax = max(playoutDelayMax, buffer.statistics.delay) }
    if video.decodedCount != pictureCount {
      pictureCount = video.decodedCount
      lastPicture = now
    } else if let lastPicture {
      longestFreeze = max(longestFreeze, now - lastPicture)
    }
  }

  var statistics: PlayoutStatistics { buffer.statistics }
}
