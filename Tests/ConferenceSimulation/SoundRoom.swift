import AudioMixing
import Codecs
import Conference
import EncodedMedia
import Layouts
import RawMedia
import Synchronization
import TestSupport
import Timing
import WebRTCTransport

/// Delivers what is sent to an output to whoever is subscribed at that moment; no network between.
final class DirectTransport: PeerTransport {
  /// A frame and the output it came by: the same pair is the same packet, whoever got it.
  struct Delivery {
    var frame: EncodedFrame
    var output: OutputID
  }

  private struct State {
    var listeners: [OutputID: Set<PeerID>] = [:]
    var outputs: [PeerID: OutputID] = [:]
    var delivered: [PeerID: [Delivery]] = [:]
  }
  private let state = Mutex(State())

  func subscribe(_ peer: PeerID, _ kind: MediaKind, to output: OutputID?) {
    guard kind == .audio else { return }
    state.withLock { state in
      if let old = state.outputs[peer] { state.listeners[old]?.remove(peer) }
      state.outputs[peer] = output
      if let output { state.listeners[output, default: []].insert(peer) }
    }
  }

  func send(_ frame: EncodedFrame, to output: OutputID) {
    state.withLock { state in
      for peer in state.listeners[output] ?? [] {
        state.delivered[peer, default: []].append(Delivery(frame: frame, output: output))
      }
    }
  }

  /// Takes what one peer was sent.
  func takeDelivered(_ peer: PeerID) -> [Delivery] {
    state.withLock { state in
      defer { state.delivered[peer]?.removeAll(keepingCapacity: true) }
      return state.delivered[peer] ?? []
    }
  }

  func subscribe(_ peer: PeerID, to ladder: VideoLadder) {}
  func remove(_ peer: PeerID) { subscribe(peer, .audio, to: nil) }
  func add(_ peer: PeerID, _ setup: PeerSetup, observer: any PeerObserver) {}
  func update(_ peer: PeerID, _ setup: PeerSetup) {}
  func requestKeyframe(_ peer: PeerID, _ stream: StreamID) {}
  func want(_ peer: PeerID, _ stream: StreamID, temporalLayers: UInt8) {}
}

/// The sound of a room in virtual time: packets go in and packets come out, a tick of 20 ms at a time.
final class SoundRoom {
  /// One who is in the room: sends what he is given, keeps what he is sent.
  final class Person {
    let number: UInt32
    let peer: PeerID
    let media: ParticipantMedia
    /// Everything he was sent since it was last taken away.
    var received: [DirectTransport.Delivery] = []
    private var sequence: Int64 = 0

    init(_ number: UInt32) {
      self.number = number
      peer = PeerID(number)
      media = ParticipantMedia(number: number, video: VideoSource(execution: .inPlace) {}) { _ in
      } keyframeNeeded: { _ in
      } report: { _ in
      }
    }

    func send(_ packet: [UInt8], level: UInt8?, tick: Int, at now: Instant) {
      sequence += 1
      var frame = EncodedFrame(
        codec: .opus, payload: FrameBuffer(packet), timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: tick * 960)),
        sequence: sequence, time: now, audioLevel: level)
      frame.source = SSRC(1_000 + number)
      media.peer(peer, didReceive: frame, on: StreamID(media: 0, kind: .audio))
    }
  }

  let transport = DirectTransport()
  private(set) var people: [Person] = []
  private(set) var tick = 0
  private let mix: RoomMix
  private var now = Instant.zero + .seconds(100)

  init(_ settings: AudioSettings) throws {
    let layout = try LayoutTemplate(
      parsing: Array(#"{ "name": "one", "variants": [ { "grid": { "columns": 1, "rows": 1 } } ] }"#.utf8), name: "one")
    mix = RoomMix(settings: settings, outputs: OutputIDSource(), transport: transport, board: SceneBoard(layout: layout)) { _ in
    }
  }

  @discardableResult
  func join(sends: Bool = true, hears output: String? = nil, group: String? = nil) -> Person {
    let person = Person(UInt32(people.count + 1))
    people.append(person)
    var rules = HearingRules()
    rules.audioOutput = output
    rules.group = group
    mix.join(.init(media: person.media, peer: person.peer, sends: sends, receives: true, rules: rules))
    return person
  }

  /// Lets 20 ms pass, after `speak` has sent what is said in them.
  func step(_ speak: (_ tick: Int, _ now: Instant) throws -> Void) rethrows {
    try speak(tick, now)
    mix.tick(Int64(tick), due: now)
    for person in people { person.received += transport.takeDelivered(person.peer) }
    now += .milliseconds(20)
    tick += 1
  }
}

/// A microphone and its encoder.
struct Microphone {
  private let encoder: OpusEncoder
  private let statesLevels: Bool

  /// - Parameter statesLevels: whether packets say how loud they are (RFC 6464).
  init(statesLevels: Bool = true, bitsPerSecond: Int = 128_000) throws {
    encoder = try OpusEncoder(channelCount: 1, settings: .init(bitsPerSecond: bitsPerSecond, complexity: 5, hasFEC: false))
    self.statesLevels = statesLevels
  }

  /// Encodes 20 ms.
  func take(_ samples: [Int16]) throws -> (packet: [UInt8], level: UInt8?) {
    var packet: [UInt8] = []
    _ = try encoder.encode(samples.span, into: &packet)
    return (packet, statesLevels ? LevelMeter.level(of: samples.span) : nil)
  }
}

extension [DirectTransport.Delivery] {
  /// What is heard of packets that follow one another, the first coming to a decoder that heard nothing before.
  ///
  /// - Parameter channelCount: 1 or 2, interleaved.
  func decoded(channelCount: Int = 1) throws -> [Int16] {
    let decoder = try OpusDecoder(channelCount: channelCount)
    var heard: [Int16] = []
    for delivery in self {
      var samples = [Int16](repeating: 0, count: OpusDecoder.samplesPerPacketMax * channelCount)
      var room = samples.mutableSpan
      let bytes = delivery.frame.payload.bytes
      heard += samples[..<(try decoder.decode(bytes.span, into: &room) * channelCount)]
    }
    return heard
  }

  /// The same for packets that are the same.
  var key: [UInt64] { map { UInt64($0.output.rawValue) << 32 | UInt64($0.frame.timestamp.rawValue) } }
}
