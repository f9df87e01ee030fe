import EncodedMedia
import Synchronization
import WebRTCTransport

/// A transport without a network: notes what it is told, and delivers what is sent to whoever is subscribed at that moment.
final class ScriptedTransport: PeerTransport {
  enum Call: Equatable {
    case add(PeerID), update(PeerID), remove(PeerID)
    case subscribe(PeerID, MediaKind, OutputID?)
    case subscribeToLadder(PeerID, VideoLadder)
    case requestKeyframe(PeerID, StreamID)
  }

  private struct State {
    var calls: [Call] = []
    var observers: [PeerID: any PeerObserver] = [:]
    var subscriptions: [PeerID: [MediaKind: OutputID]] = [:]
    var ladders: [PeerID: VideoLadder] = [:]
    var delivered: [PeerID: [EncodedFrame]] = [:]
    var sent: [(frame: EncodedFrame, output: OutputID)] = []
  }
  private let state = Mutex(State())

  func add(_ peer: PeerID, _ setup: PeerSetup, observer: any PeerObserver) {
    state.withLock {
      $0.calls.append(.add(peer))
      $0.observers[peer] = observer
    }
  }
  func update(_ peer: PeerID, _ setup: PeerSetup) { state.withLock { $0.calls.append(.update(peer)) } }
  func remove(_ peer: PeerID) {
    state.withLock {
      $0.calls.append(.remove(peer))
      $0.observers[peer] = nil
      $0.subscriptions[peer] = nil
    }
  }
  func subscribe(_ peer: PeerID, _ kind: MediaKind, to output: OutputID?) {
    state.withLock {
      $0.calls.append(.subscribe(peer, kind, output))
      $0.subscriptions[peer, default: [:]][kind] = output
    }
  }
  /// Everybody's path carries the best rung.
  func subscribe(_ peer: PeerID, to ladder: VideoLadder) {
    let (observer, old) = state.withLock { state in
      state.calls.append(.subscribeToLadder(peer, ladder))
      let old = state.subscriptions[peer]?[.video]
      state.subscriptions[peer, default: [:]][.video] = ladder.rungs.first?.output
      state.ladders[peer] = ladder
      return (state.observers[peer], old)
    }
    if let old { observer?.peer(peer, isReceiver: false, of: old) }
    if let best = ladder.rungs.first { observer?.peer(peer, isReceiver: true, of: best.output) }
  }
  func send(_ frame: EncodedFrame, to output: OutputID) {
    state.withLock { state in
      state.sent.append((frame, output))
      for (peer, outputs) in state.subscriptions where outputs[frame.codec.kind] == output {
        state.delivered[peer, default: []].append(frame)
      }
    }
  }
  func requestKeyframe(_ peer: PeerID, _ stream: StreamID) {
    state.withLock { $0.calls.append(.requestKeyframe(peer, stream)) }
  }
  func want(_ peer: PeerID, _ stream: StreamID, temporalLayers: UInt8) {}

  var calls: [Call] { state.withLock { $0.calls } }
  var peers: [PeerID] { state.withLock { $0.observers.keys.sorted { $0.rawValue < $1.rawValue } } }
  func observer(_ peer: PeerID) -> (any PeerObserver)? { state.withLock { $0.observers[peer] } }
  func subscription(_ peer: PeerID, _ kind: MediaKind) -> OutputID? { state.withLock { $0.subscriptions[peer]?[kind] } }
  func ladder(_ peer: PeerID) -> VideoLadder? { state.withLock { $0.ladders[peer] } }
  /// Takes what was sent to all outputs.
  func takeSent() -> [(frame: EncodedFrame, output: OutputID)] {
    state.withLock { state in
      defer { state.sent.removeAll() }
      return state.sent
    }
  }
  /// Takes what one peer was sent.
  func takeDelivered(_ peer: PeerID) -> [EncodedFrame] {
    state.withLock { state in
      defer { state.delivered[peer] = nil }
      return state.delivered[peer] ?? []
    }
  }
}
