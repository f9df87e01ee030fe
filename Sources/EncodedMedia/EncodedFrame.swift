import Timing

/// One whole encoded frame: what the network side and the mixing side hand to one another.
public struct EncodedFrame: Sendable {
  public var codec: Codec
  /// Received: who sent it. To be sent: unused; each receiver's stream has an SSRC of its own.
  public var source = SSRC(0)
  /// The frame's bytes, depacketised: an Opus packet, a VP8 frame, a VP9 frame or superframe, H.264 in Annex B byte
  /// stream format, an AV1 temporal unit in the low-overhead format.
  public var payload: FrameBuffer
  /// The sampling instant in ticks of the codec's RTP clock. Received: as the sender counts. To be sent: as the output counts;
  /// each receiver's stream adds its own random offset.
  public var timestamp: RTPTimestamp
  /// Received: the extended sequence number of the frame's first packet. Frames whose numbers do not follow on have a gap before them.
  public var sequence: Int64
  /// Whether a decoder can start here. Always true for audio.
  public var isKeyframe: Bool
  /// Whether frames before this one were lost, so that a decoder without a new keyframe would show damage.
  public var followsGap: Bool
  /// Received: when the frame's last packet came. To be sent: the sampling instant, for the sender reports. On the clock of whoever
  /// drives the transport: with `NetworkLoop`, `MonotonicClock`.
  public var time: Instant
  /// Received: the sampling instant by the sender's wall clock, which is the same for his sound and his picture; nil before his
  /// first report (RFC 3550 section 6.4.1).
  public var captureTime: NTPTime?
  /// The level the sender measured (RFC 6464), in -dBov: 0 loudest, 127 silence; nil where it did not say. To be sent: as measured
  /// here, nil where it is not to be told.
  public var audioLevel: UInt8?
  public var rotation: Rotation
  /// Of pictures: where the frame stands among temporal layers; nil without them.
  public var temporal: TemporalPosition?
  /// Received pictures: the frames of spatial layers in the payload; nil where the sender does not tell of layers.
  public var spatial: SpatialLayers?
  /// Who is in the mix, for the CSRC list of audio to be sent.
  public var contributors: ContributorList

  public init(
    codec: Codec, payload: FrameBuffer, timestamp: RTPTimestamp, sequence: Int64 = 0, isKeyframe: Bool = true,
    followsGap: Bool = false, time: Instant, audioLevel: UInt8? = nil, rotation: Rotation = .none,
    temporal: TemporalPosition? = nil, contributors: ContributorList = .init()
  ) {
    self.codec = codec
    self.payload = payload
    self.timestamp = timestamp
    self.sequence = sequence
    self.isKeyframe = isKeyframe
    self.followsGap = followsGap
    self.time = time
    self.audioLevel = audioLevel
    self.rotation = rotation
    self.temporal = temporal
    self.contributors = contributors
  }
}

/// One contributing source and how loud it is in the mix (RFC 3550 section 5.1, RFC 6465).
@frozen public struct Contributor: Hashable, Sendable {
  public var source: SSRC
  /// In -dBov: 0 loudest, 127 silence.
  public var level: UInt8

  @inlinable public init(source: SSRC, level: UInt8) {
    self.source = source
    self.level = level
  }
}

/// At most 15 contributors, which is what an RTP header holds. A reference, since most frames have none and all are copied.
@frozen public struct ContributorList: Sendable {
  private var contributors: [Contributor]?

  public static let capacity = 15

  public init() {}

  public var count: Int { contributors?.count ?? 0 }

  /// Adds one, unless the list is full.
  public mutating func append(_ contributor: Contributor) {
    guard count < Self.capacity else { return }
    if contributors == nil {
      contributors = []
      contributors?.reserveCapacity(4)
    }
    contributors?.append(contributor)
  }

  /// - Parameter index: 0 ..< `count`
  public subscript(index: Int) -> Contributor { contributors?[index] ?? Contributor(source: SSRC(0), level: 127) }
}
