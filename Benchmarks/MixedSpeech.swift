import Codecs
import Conference
import EncodedMedia
import Layouts
import RawMedia
import Synchronization
import Timing
import WebRTCTransport

/// Speech through a room in virtual time: the one talker's packets, decoded, mixed and encoded anew for somebody who listens.
enum MixedSpeech {
  private static let (talker, listener): (UInt32, UInt32) = (1, 2)

  /// - Returns: what the listener hears, at 48 kHz, when nothing is lost.
  static func carry(_ speech: [Int16]) throws -> [Int16] {
    let packets = try SpeechLine.packets(
      speech, settings: .init(bitsPerSecond: SpeechLine.bitsPerSecond, hasFEC: false, expectedLossPercent: 0))
    let transport = ListeningTransport(PeerID(listener))
    let layout = try LayoutTemplate(
      parsing: Array(#"{ "name": "one", "variants": [ { "grid": { "columns": 1, "rows": 1 } } ] }"#.utf8), name: "one")
    let mix = RoomMix(
      settings: AudioSettings(bitrate: SpeechLine.bitsPerSecond), outputs: OutputIDSource(), transport: transport,
      board: SceneBoard(layout: layout)
    ) { _ in
    }
    let media = [talker, listener].map { number in
      ParticipantMedia(number: number, video: VideoSource(execution: .inPlace) {}) { _ in
      } keyframeNeeded: { _ in
      } report: { _ in
      }
    }
    mix.join(.init(media: media[0], peer: PeerID(talker), sends: true, receives: true))
    mix.join(.init(media: media[1], peer: PeerID(listener), sends: false, receives: true))
    var ear = try Ear()
    for index in 0..<packets.count + 25 {
      let now = Instant.zero + .seconds(10) + .milliseconds(Int64(index * AudioFormat.millisecondsPerTick))
      if index < packets.count {
        media[0].peer(
          PeerID(talker), didReceive: SpeechLine.frame(packets, index, at: now), on: StreamID(media: 0, kind: .audio))
      }
      mix.tick(Int64(index), due: now)
      try ear.listen(transport.take())
    }
    return ear.heard
  }

  /// Decodes what comes; where nothing came it was silent.
  private struct Ear {
    private(set) var heard: [Int16] = []
    private let decoder: OpusDecoder

    init() throws { decoder = try OpusDecoder(channelCount: 1) }

    mutating func listen(_ frames: [EncodedFrame]) throws {
      guard !frames.isEmpty else {
        heard += [Int16](repeating: 0, count: AudioFormat.samplesPerTick)
        return
      }
      for frame in frames {
        var samples = [Int16](repeating: 0, count: OpusDecoder.samplesPerPacketMax)
        var room = samples.mutableSpan
        let bytes = frame.payload.bytes
        heard += samples[..<(try decoder.decode(bytes.span, into: &room))]
      }
    }
  }
}

/// Delivers to one peer what is sent to the output it is subscribed to.
private final class ListeningTransport: PeerTransport {
  private struct State {
    var output: OutputID?
    var frames: [EncodedFrame] = []
  }
  private let listener: PeerID
  private let state = Mutex(State())

  init(_ listener: PeerID) { self.listener = listener }

  func take() -> [EncodedFrame] {
    state.withLock { state in
      defer { state.frames.removeAll() }
      return state.frames
    }
  }

  func subscribe(_ peer: PeerID, _ kind: MediaKind, to output: OutputID?) {
    if peer == listener, kind == .audio { state.withLock { $0.output = output } }
  }
  func send(_ frame: EncodedFrame, to output: OutputID) {
    state.withLock { if $0.output == output { $0.frames.append(frame) } }
  }
  func subscribe(_ peer: PeerID, to ladder: VideoLadder) {}
  func add(_ peer: PeerID, _ setup: PeerSetup, observer: any PeerObserver) {}
  func update(_ peer: PeerID, _ setup: PeerSetup) {}
  func remove(_ peer: PeerID) {}
  func requestKeyframe(_ peer: PeerID, _ stream: StreamID) {}
  func want(_ peer: PeerID, _ stream: StreamID, temporalLayers: UInt8) {}
}
