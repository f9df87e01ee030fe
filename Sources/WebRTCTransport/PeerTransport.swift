import EncodedMedia
import Timing

/// Names one peer behind a transport for as long as it lives.
public struct PeerID: Hashable, Sendable, CustomStringConvertible {
  public var rawValue: UInt32
  public init(_ rawValue: UInt32) { self.rawValue = rawValue }
  public var description: String { "peer-\(rawValue)" }
}

/// Names a stream of encoded frames that any number of peers receive: one mix, one rendition of a picture.
public struct OutputID: Hashable, Sendable, CustomStringConvertible {
  public var rawValue: UInt32
  public init(_ rawValue: UInt32) { self.rawValue = rawValue }
  public var description: String { "output-\(rawValue)" }
}

/// Names one stream a peer sends: an m-line and, with simulcast, a layer of it.
public struct StreamID: Hashable, Sendable {
  /// Index of the m-line in the session description.
  public var media: UInt8
  public var kind: MediaKind
  /// Index of the simulcast layer in the order offered; 0 without simulcast.
  public var layer: UInt8

  public init(media: UInt8, kind: MediaKind, layer: UInt8 = 0) {
    self.media = media
    self.kind = kind
    self.layer = layer
  }
}

/// The network side as the mixing side sees it: peers that come and go, outputs they receive, frames in and out.
///
/// Calls may come from any thread, return at once and take effect in the order made. Two implementations: the network loop of
/// `DatagramIO`, and the simulator that runs whole conferences in virtual time.
public protocol PeerTransport: AnyObject, Sendable {
  /// Takes up a peer whose offer has been answered.
  func add(_ peer: PeerID, _ setup: PeerSetup, observer: any PeerObserver)
  /// Applies a new negotiation of the same session: a re-offer, trickled candidates or an ICE restart.
  func update(_ peer: PeerID, _ setup: PeerSetup)
  /// Says goodbye to a peer (RTCP BYE, DTLS close_notify) and forgets it. The observer hears no more of it.
  func remove(_ peer: PeerID)
  /// Sends a peer the frames of `output` from now on, on its stream of this kind; nil stops the stream. The stream's sequence
  /// numbers and timestamps go on as if it had been one source.
  func subscribe(_ peer: PeerID, _ kind: MediaKind, to output: OutputID?)
  /// Sends a peer pictures of the best output of `ladder` that its path carries, or of its only one as far as it does. What it is given
  /// is told to its observer, and changes without a new negotiation.
  func subscribe(_ peer: PeerID, to ladder: VideoLadder)
  /// Sends a frame to everyone subscribed to `output`.
  func send(_ frame: EncodedFrame, to output: OutputID)
  /// Asks a peer for a keyframe on one of its streams. Requests are merged and throttled.
  func requestKeyframe(_ peer: PeerID, _ stream: StreamID)
  /// Of the temporal layers of a peer's stream only so many are decoded, from the base up: what is lost of the others is not waited
  /// for. All of them before this is called.
  func want(_ peer: PeerID, _ stream: StreamID, temporalLayers: UInt8)
  /// How soon what is handed over is sent.
  var punctuality: SendingPunctuality { get }
}

extension PeerTransport {
  /// Of one that sends at once.
  public var punctuality: SendingPunctuality { SendingPunctuality() }
}

/// How soon what was handed over to be sent was sent, since the start.
///
/// Counted in spans of 20 ms, those of sound: what waited for five of them counts as five that were late, so that a thread that hardly
/// runs is seen for what it is.
public struct SendingPunctuality: Sendable, Equatable {
  private static let span = Interval.milliseconds(20)

  /// Times that something was taken up, or spans that it waited.
  public private(set) var sendings = 0
  /// Of those, the spans that it waited.
  public private(set) var late = 0

  public init() {}

  /// What was handed over was sent.
  ///
  /// - Parameter wait: of the oldest of it, from when it was handed over until it was gone.
  public mutating func note(_ wait: Interval) {
    let spans = Int(min(max(wait.nanoseconds, 0) / Self.span.nanoseconds, 3_000))
    sendings &+= max(spans, 1)
    late &+= spans
  }

  /// What another thread sent counts as well.
  public mutating func add(_ other: SendingPunctuality) {
    sendings &+= other.sendings
    late &+= other.late
  }
}

/// Who hears what becomes of a peer. Called on the transport's thread: must return at once.
public protocol PeerObserver: AnyObject, Sendable {
  /// ICE and DTLS are done and the peer's fingerprint was the one it announced: media may flow.
  func peerDidConnect(_ peer: PeerID)
  /// A whole frame came.
  func peer(_ peer: PeerID, didReceive frame: EncodedFrame, on stream: StreamID)
  /// A receiver of `output` cannot go on without a keyframe.
  func peer(_ peer: PeerID, needsKeyframeOf output: OutputID)
  /// The peer is among those who receive pictures of `output` from now on, or no longer: it is sent them, or waits for a keyframe to
  /// begin with. An output that nobody receives need not be encoded. Told of a removed peer as well.
  func peer(_ peer: PeerID, isReceiver: Bool, of output: OutputID)
  /// The peer is sent pictures of another output of its ladder; nil for none, where the path carries only sound.
  func peer(_ peer: PeerID, didSwitchTo output: OutputID?)
  /// The peer left, fell silent or failed. Nothing more will come; the owner removes it.
  func peerDidEnd(_ peer: PeerID, _ reason: PeerEndReason)
  /// What has been measured so far; about once a second.
  func peer(_ peer: PeerID, didMeasure statistics: PeerStatistics)
}

extension PeerObserver {
  public func peer(_ peer: PeerID, isReceiver: Bool, of output: OutputID) {}
  public func peer(_ peer: PeerID, didSwitchTo output: OutputID?) {}
}

public enum PeerEndReason: Sendable, Equatable, CustomStringConvertible {
  /// The peer closed: DTLS close_notify.
  case closed
  /// No authenticated check came through in time (RFC 7675).
  case connectivityLost
  /// No connection within the time limit.
  case neverConnected
  /// The DTLS handshake failed; the text says why.
  case handshakeFailed(String)

  public var description: String {
    switch self {
    case .closed: "the peer closed the connection"
    case .connectivityLost: "the connection was lost"
    case .neverConnected: "no connection came about in time"
    case .handshakeFailed(let reason): reason
    }
  }
}

/// Counters and measurements of one peer since it was added.
public struct PeerStatistics: Sendable, Equatable {
  public var packetsReceived: UInt64 = 0
  public var bytesReceived: UInt64 = 0
  public var packetsSent: UInt64 = 0
  public var bytesSent: UInt64 = 0
  /// Packets that never came, by the sequence numbers received.
  public var packetsLost: UInt64 = 0
  /// Packets asked for again, and those sent again for the peer.
  public var retransmissionsRequested: UInt64 = 0
  public var retransmissionsSent: UInt64 = 0
  public var keyframesRequested: UInt64 = 0
  /// Datagrams thrown away: not authenticated, replayed, malformed or from an unchecked address.
  public var datagramsRefused: UInt64 = 0
  /// Share of our packets the peer lost, 0 to 1, by its last report.
  public var fractionLostByPeer: Double = 0
  /// What the peer said last that it can be sent (REMB), in bits per second; nil where it says nothing of it.
  public var receivableBitsPerSecond: Int?
  /// What the peer's path is thought to carry of what we send, in bits per second; a guess while `hasEstimate` is false.
  public var estimatedBitsPerSecond: Int = 0
  /// Whether the peer told anything of its path that an estimate could go by.
  public var hasEstimate = false
  /// Whether the path is being asked what it carries, before anything else tells.
  public var isPathAsked = false
  /// How long packets wait on the way, by the peer's feedback; zero where it gives none.
  public var pathQueueDelay: Interval = .zero
  /// How long pictures wait here for their turn.
  public var pacingQueueTime: Interval = .zero
  /// Bursts sent to learn whether the path carries more, and the packets sent again for them.
  public var probesSent: Int = 0
  public var paddingPacketsSent: UInt64 = 0
  /// Packets of parity over pictures (RFC 5109).
  public var parityPacketsSent: UInt64 = 0
  /// Whether the peer is to be sent pictures.
  public var receivesPictures = false
  /// The output whose pictures the peer is sent now, with how many of its temporal layers; nil and 0 for no picture.
  public var pictureOutput: OutputID?
  public var temporalLayers: Int = 0
  /// Pictures not sent for want of room on the path.
  public var framesRefused: Int = 0
  /// Copies of earlier frames in each audio packet sent (RFC 2198), by what the peer reported to lose.
  public var redundantCopies: Int = 0
  /// As many as his loss asks for, whether or not his path has room for them.
  public var redundantCopiesWanted: Int = 0
  /// By the last receiver report; nil before the first.
  public var roundTripTime: Interval?
  /// Interarrival jitter of the peer's audio (RFC 3550 section 6.4.1).
  public var audioJitter: Interval = .zero

  public init() {}
}
