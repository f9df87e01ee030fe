import Bytes
import EncodedMedia
import ICE
import SDP
import SecureTransport
import TestSupport
import Timing
import WebRTCTransport

/// A client of the simulated server: a `PeerSession` made by a `PeerOfferer`, and what came of it.
public final class TestClient {
  public static let certificate = try! DTLSCertificate()

  public let id: PeerID
  /// Where its datagrams come from; another one is a NAT that forgot.
  public var address: TransportAddress
  public var offerer: PeerOfferer
  public var session: PeerSession
  public var outputs = PeerOutputs()
  /// Everything received, in order.
  public var frames: [(frame: EncodedFrame, stream: StreamID)] = []
  public var onFrame: ((EncodedFrame, StreamID) -> Void)?
  public private(set) var isConnected = false
  public private(set) var connectedAt: Instant?
  public private(set) var endReason: PeerEndReason?
  public private(set) var keyframeRequests: [Instant] = []
  /// Datagrams that were to be sent, less those lost on purpose by `drops`.
  public var drops: ([UInt8]) -> Bool = { _ in false }
  private var packetizers = [MediaKind: OutputPacketizer]()

  init(id: PeerID, address: TransportAddress, offerer: PeerOfferer, setup: PeerSetup, seed: UInt64, at now: Instant) throws {
    self.id = id
    self.address = address
    self.offerer = offerer
    session = try PeerSession(setup, wallClockAtZero: Simulation.wallClockAtZero, seed: seed, at: now)
  }

  /// Sends a frame of ours.
  public func send(_ frame: EncodedFrame, at now: Instant) {
    session.send(packetizers[frame.codec.kind, default: OutputPacketizer()].packetize(frame), at: now, into: &outputs)
  }

  public func frames(_ kind: MediaKind) -> [EncodedFrame] { frames.filter { $0.stream.kind == kind }.map(\.frame) }

  func receive(_ datagram: [UInt8], from remote: TransportAddress, at now: Instant) {
    var bytes = datagram
    var span = bytes.mutableSpan
    session.receive(&span, from: TransportPath(remote: remote), at: now, into: &outputs)
  }

  func takeEvents(at now: Instant) {
    for event in outputs.events {
      switch event {
      case .connected:
        isConnected = true
        connectedAt = now
      case .frame(let frame, let stream):
        if let onFrame { onFrame(frame, stream) } else { frames.append((frame, stream)) }
      case .keyframeNeeded: keyframeRequests.append(now)
      case .ended(let reason): endReason = reason
      }
    }
    outputs.events.removeAll(keepingCapacity: true)
  }
}

/// Hears what the endpoint tells of one peer.
public final class TestObserver: PeerObserver, @unchecked Sendable {
  // Unchecked: a simulation is one thread.
  public var connectedCount = 0
  public var frames: [(frame: EncodedFrame, stream: StreamID)] = []
  public var keepsFrames = true
  public var keyframeRequests: [OutputID] = []
  /// By output, each time he was said to be its receiver, or no longer.
  public var receptions: [OutputID: [Bool]] = [:]
  public var endReasons: [PeerEndReason] = []
  public var statistics = PeerStatistics()
  public var frameCount = 0

  public init() {}

  public func peerDidConnect(_ peer: PeerID) { connectedCount += 1 }
  public func peer(_ peer: PeerID, didReceive frame: EncodedFrame, on stream: StreamID) {
    frameCount += 1
    if keepsFrames { frames.append((frame, stream)) }
  }
  public func peer(_ peer: PeerID, needsKeyframeOf output: OutputID) { keyframeRequests.append(output) }
  public func peer(_ peer: PeerID, isReceiver: Bool, of output: OutputID) { receptions[output, default: []].append(isReceiver) }
  public func peerDidEnd(_ peer: PeerID, _ reason: PeerEndReason) { endReasons.append(reason) }
  public func peer(_ peer: PeerID, didMeasure statistics: PeerStatistics) { self.statistics = statistics }

  public func frames(_ kind: MediaKind) -> [EncodedFrame] { frames.filter { $0.stream.kind == kind }.map(\.frame) }
}
