import Conference
import EncodedMedia
import ICE
import Layouts
import SDP
import TestPeers
import TestSupport
import Timing
import WebRTCTransport

/// A webinar without sockets and clocks: one who speaks, sound mixed as in any room, and a ladder of pictures whose encoders say in each
/// frame what it is and what it refers to, and run only while somebody receives them.
final class Webinar {
  /// One output of pictures.
  final class Encoder: @unchecked Sendable {
    // Unchecked: a simulation is one thread.
    let output: OutputID
    let index: Int
    let bitsPerSecond: Int
    let framesPerSecond: Double
    let shares: [Double]
    var receivers = 0
    var wantsKeyframe = true
    /// By how much frames are larger or smaller than their share, as those of real encoders are: 0 to 1.
    var unevenness = 0.0
    private var random: SeededRandom
    private(set) var frames = 0
    private(set) var keyframes = 0
    private var place = 0
    private var cycle = 0
    private var lastKeyframe: Instant?
    private var nextFrame = Instant.zero

    init(_ index: Int, _ bitsPerSecond: Int, _ framesPerSecond: Double, shares: [Double]) {
      self.index = index
      output = OutputID(UInt32(100 + index))
      self.bitsPerSecond = bitsPerSecond
      self.framesPerSecond = framesPerSecond
      self.shares = shares
      random = SeededRandom(seed: UInt64(index))
    }

    var rung: VideoLadder.Rung {
      VideoLadder.Rung(output, bitsPerSecond: bitsPerSecond, framesPerSecond: framesPerSecond, shares: shares)
    }

    private var layers: [UInt8] { shares.count == 3 ? [0, 2, 1, 2] : shares.count == 2 ? [0, 1] : [0] }

    func frame(at now: Instant) -> EncodedFrame? {
      guard receivers > 0 else {
        wantsKeyframe = true
        return nil
      }
      guard now >= nextFrame else { return nil }
      nextFrame = max(nextFrame, now - .milliseconds(100)) + .nanoseconds(Int64(1e9 / framesPerSecond))
      let isKeyframe = wantsKeyframe && lastKeyframe.map { now - $0 >= .seconds(1) } ?? true
      if isKeyframe { (place, wantsKeyframe, lastKeyframe) = (0, false, now) }
      let layer = layers[place]
      if place == 0 { cycle += 1 }
      defer { place = (place + 1) % layers.count }
      frames += 1
      if isKeyframe { keyframes += 1 }
      return EncodedFrame(
        codec: .vp8, payload: FrameBuffer(bytes(layer, isKeyframe)),
        timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: (now - .zero).ticks(at: 90_000))), isKeyframe: isKeyframe, time: now,
        temporal: TemporalPosition(
          layer: layer, isLayerSync: layer > 0 && place != 3, baseIndex: UInt8(truncatingIfNeeded: cycle)))
    }

    private func bytes(_ layer: UInt8, _ isKeyframe: Bool) -> [UInt8] {
      var header: [UInt8] = isKeyframe ? [0x10, 0, 0, 0x9D, 0x01, 0x2A, 160, 0, 90, 0] : [0x11, 0, 0]
      header += [UInt8(index), layer, UInt8(place), UInt8(truncatingIfNeeded: cycle), UInt8(truncatingIfNeeded: cycle >> 8)]
      // A layer's share is spread over its frames; a key frame has six times the average.
      let below = layer == 0 ? 0 : shares[Int(layer) - 1]
      let rate = (shares[Int(layer)] - below) * Double(bitsPerSecond)
      let own = framesPerSecond / Double(layers.count) * Double(layers.count { $0 == layer })
      let unevenly = unevenness > 0 ? 1 + Double.random(in: -unevenness...unevenness, using: &random) : 1
      let size = (isKeyframe ? Double(bitsPerSecond) / max(framesPerSecond, 5) * 6 : rate / own) / 8 * unevenly
      return header + [UInt8](repeating: 0x5A, count: max(Int(size) - header.count, 1))
    }
  }

  /// One who watches, and what he could make of what he was sent.
  final class Viewer {
    let media: ParticipantMedia
    let client: TestClient
    let events: Unchecked<[ParticipantMedia.Event]>
    let isAutomatic: Bool
    var isSeated = false
    /// When pictures came, and of which rung and layer.
    private(set) var pictures: [(time: Instant, rung: Int, layer: Int)] = []
    private(set) var undecodable = 0
    private(set) var soundSeconds = 0.0
    /// The longest that sound was due and none came.
    private(set) var longestSilence = Interval.zero
    /// The last packet of sound.
    private(set) var lastSound: (time: Instant, length: Interval)?
    private var base: (rung: Int, cycle: Int)?
    private var middle: Int?

    init(_ media: ParticipantMedia, _ client: TestClient, _ events: Unchecked<[ParticipantMedia.Event]>, isAutomatic: Bool) {
      self.media = media
      self.client = client
      self.events = events
      self.isAutomatic = isAutomatic
      client.onFrame = { [weak self] frame, stream in
        if stream.kind == .audio { self?.hear(frame) } else { self?.see(frame) }
      }
    }

    private func hear(_ frame: EncodedFrame) {
      let bytes = frame.payload.bytes
      let samples = OpusPacket(bytes.span)?.sampleCount ?? 960
      let length = Interval.ticks(Int64(samples), at: 48_000)
      soundSeconds += length.seconds
      if let last = lastSound { longestSilence = max(longestSilence, frame.time - last.time - length) }
      lastSound = (frame.time, length)
    }

    private func see(_ frame: EncodedFrame) {
      let bytes = frame.payload.bytes
      let start = frame.isKeyframe ? 10 : 3
      guard bytes.count >= start + 5 else { return undecodable += 1 }
      let (rung, layer, place) = (Int(bytes[start]), Int(bytes[start + 1]), Int(bytes[start + 2]))
      let cycle = Int(bytes[start + 3]) | Int(bytes[start + 4]) << 8
      let isWhole: Bool
      switch layer {
      case 0:
        isWhole = frame.isKeyframe || base.map { $0 == (rung, cycle - 1) } ?? false
        if isWhole { (base, middle) = ((rung, cycle), nil) } else { base = nil }
      case 1:
        isWhole = base.map { $0 == (rung, cycle) } ?? false
        if isWhole { middle = cycle }
      default: isWhole = base.map { $0 == (rung, cycle) } ?? false && (place != 3 || middle == cycle)
      }
      if isWhole { pictures.append((frame.time, rung, layer)) } else { undecodable += 1 }
    }

    /// Pictures a second in a part of the time.
    func rate(_ from: Double, _ to: Double) -> Double {
      let count = pictures.count { $0.time >= Instant.zero + .time(from) && $0.time < Instant.zero + .time(to) }
      return Double(count) / (to - from)
    }

    /// Of the seconds in a part of the time, those with a new picture: 0 to 1.
    func shareOfSecondsWithPicture(_ from: Int, _ to: Int) -> Double {
      let seconds = Set(pictures.map { Int(($0.time - .zero).seconds) })
      return Double((from..<to).count { seconds.contains($0) }) / Double(to - from)
    }

    /// Seconds without a new picture, beyond a fifth of a second each time, in a part of the time.
    func frozen(_ from: Double, _ to: Double) -> Double {
      let times = pictures.map { Double($0.time.nanoseconds) / 1e9 }.filter { $0 >= from && $0 < to }
      return zip(times, times.dropFirst()).reduce(0) { $0 + max($1.1 - $1.0 - 0.2, 0) }
    }

    /// The rung of the last picture before a time; nil before the first.
    func rung(at seconds: Double) -> Int? { pictures.last { $0.time < Instant.zero + .time(seconds) }?.rung }
  }

  let simulation: Simulation
  let transport = SimulatedTransport()
  let encoders: [Encoder]
  let mix: RoomMix
  private(set) var viewers: [Viewer] = []
  private let talker: SimulatedRoom.Member
  private let audio: AudioSettings
  /// When the last datagram in each queue has left it.
  private var queueEmptyAt: [TransportAddress: Instant] = [:]
  private var tick: Int64 = 0
  private var number: UInt32 = 1

  /// - Parameter sound: of the mix as it is encoded, in bits per second.
  init(link: Link, seed: UInt64, outputs: [(Int, Double, [Double])] = Webinar.ladder, sound: Int = 24_000) throws {
    simulation = Simulation(link: link, seed: seed)
    encoders = outputs.enumerated().map { Encoder($0, $1.0, $1.1, shares: $1.2) }
    audio = AudioSettings(bitrate: sound)
    let layout = try LayoutTemplate(
      parsing: Array(#"{ "name": "grid", "variants": [ { "grid": { "columns": 1, "rows": 1 } } ] }"#.utf8), name: "grid")
    mix = RoomMix(
      settings: audio, outputs: OutputIDSource(after: 1_000), transport: transport, board: SceneBoard(layout: layout)
    ) { _ in
    }
    let (media, client, events) = try Self.join(simulation, 1, Simulation.bothWays, encoders)
    talker = try SimulatedRoom.Member(
      media: media, client: client, sources: EncodedSources(onlyHertz: 400, amplitude: 8_000), events: events)
    talker.speaks = true
    let transport = transport
    simulation.commands = { transport.take() }
    simulation.tap = { [weak self] datagram, from, to in
      if from == Simulation.serverAddress { self?.note(datagram.count, to: to) }
      return false
    }
  }

  /// 720p30, 360p30, 180p15 and slides.
  static let ladder: [(Int, Double, [Double])] = [
    (1_500_000, 30, [0.5, 0.7, 1]), (500_000, 30, [0.5, 0.7, 1]), (120_000, 15, [0.6, 1]), (30_000, 2, [0.6, 1]),
  ]

  private static func join(
    _ simulation: Simulation, _ number: UInt32, _ lines: [PeerOfferer.Line], _ encoders: [Encoder],
    capabilities: MediaCapabilities = .client, change: (inout Simulation.Call) -> Void = { _ in }
  ) throws -> (ParticipantMedia, TestClient, Unchecked<[ParticipantMedia.Event]>) {
    let events = Unchecked<[ParticipantMedia.Event]>([])
    let media = ParticipantMedia(number: number, video: VideoSource(execution: .inPlace) {}) { _ in
    } keyframeNeeded: { output in
      encoders.first { $0.output == output }?.wantsKeyframe = true
    } receiversChanged: { output, count in
      encoders.first { $0.output == output }?.receivers += count
    } report: {
      events.value.append($0)
    }
    return (media, try simulation.join(lines, capabilities: capabilities, observer: media, change: change), events)
  }

  /// - Parameters:
  ///   - bitsPerSecond: of the line to him; nil for no limit.
  ///   - wants: what he says he wants at most of pictures, and of everything (`b=`).
  ///   - takesParity: whether he offers to.
  @discardableResult
  func join(
    bitsPerSecond: Int? = nil, wants: (pictures: Int?, all: Int?) = (nil, nil), isAutomatic: Bool = true,
    takesParity: Bool = true
  ) throws -> Viewer {
    number += 1
    var capabilities = MediaCapabilities.client
    if !takesParity { for index in capabilities.video.indices { capabilities.video[index].protection = false } }
    let (media, client, events) = try Self.join(
      simulation, number, Simulation.watching, encoders, capabilities: capabilities
    ) { call in
      for index in call.server.session.media.indices where call.server.session.media[index].type == .video {
        call.server.session.media[index].sendLimit = SendLimit(onWire: wants.pictures)
      }
      call.server.session.sendLimit = SendLimit(onWire: wants.all)
    }
    let viewer = Viewer(media, client, events, isAutomatic: isAutomatic)
    viewers.append(viewer)
    setLine(of: viewer, bitsPerSecond: bitsPerSecond)
    return viewer
  }

  func setLine(of viewer: Viewer, bitsPerSecond: Int?) {
    let way = NetworkEmulator<TransportAddress>.Way(from: Simulation.serverAddress, to: viewer.client.address)
    var link = simulation.network.linksByWay[way] ?? simulation.network.link
    link.bitsPerSecond = bitsPerSecond
    link.queueMax = .milliseconds(500)
    simulation.network.linksByWay[way] = link
  }

  /// Has his line lose packets both ways, and be so long each way.
  func setLine(of viewer: Viewer, loss: Double, delay: Interval) {
    let addresses = [Simulation.serverAddress, viewer.client.address]
    for (from, to) in zip(addresses, addresses.reversed()) {
      let way = NetworkEmulator<TransportAddress>.Way(from: from, to: to)
      var link = simulation.network.linksByWay[way] ?? simulation.network.link
      (link.loss, link.delay, link.jitter) = (loss, delay, .milliseconds(5))
      simulation.network.linksByWay[way] = link
    }
  }

  /// How long a datagram sent to him now would wait, of those whose lines are limited.
  func queueDelay(of viewer: Viewer) -> Interval { max((queueEmptyAt[viewer.client.address] ?? .zero) - simulation.now, .zero) }

  /// Keeps count of a line's queue as the emulated network does.
  private func note(_ byteCount: Int, to address: TransportAddress) {
    let way = NetworkEmulator<TransportAddress>.Way(from: Simulation.serverAddress, to: address)
    guard let link = simulation.network.linksByWay[way], let rate = link.bitsPerSecond else { return }
    let start = max(simulation.now, queueEmptyAt[address] ?? .zero)
    if start - simulation.now <= link.queueMax {
      queueEmptyAt[address] = start + .ticks(Int64(byteCount + Link.headerBytes) * 8, at: Int64(rate))
    }
  }

  /// Lets time pass in steps of 20 ms.
  ///
  /// - Parameter each: called after each step.
  func run(seconds: Double, each: () -> Void = {}) {
    let end = simulation.now + .time(seconds)
    while simulation.now < end {
      step()
      each()
    }
  }

  private func step() {
    let now = simulation.now
    if !talker.isSeated, talker.events.value.contains(.connected) {
      talker.isSeated = true
      mix.join(.init(media: talker.media, peer: talker.client.id, sends: true, receives: true))
    }
    for viewer in viewers where !viewer.isSeated && viewer.events.value.contains(.connected) { seat(viewer) }
    if talker.client.session.isConnected { talker.sendAudio(at: now) }
    mix.tick(tick, due: now)
    // Pictures between the ticks of the sound.
    for half in [0, 10] as [Int64] {
      for encoder in encoders {
        if let frame = encoder.frame(at: simulation.now) { transport.send(frame, to: encoder.output) }
      }
      simulation.run(until: now + .milliseconds(half + 10))
    }
    tick += 1
  }

  private func seat(_ viewer: Viewer) {
    viewer.isSeated = true
    var rules = HearingRules()
    if viewer.isAutomatic { rules.audioOutput = AudioSettings.automaticOutput }
    mix.join(.init(media: viewer.media, peer: viewer.client.id, sends: false, receives: true, rules: rules))
    let rungs = encoders.map(\.rung)
    transport.subscribe(
      viewer.client.id,
      to: viewer.isAutomatic ? VideoLadder(rungs, isAutomatic: true) : VideoLadder([rungs[0]], isAutomatic: false))
  }
}

extension Interval {
  /// Any number of seconds.
  static func time(_ seconds: Double) -> Interval { .nanoseconds(Int64(seconds * 1e9)) }
}
