import Bytes
import RTP
import Timing

/// One frame of a source, as far as forwarding it goes.
public struct ForwardableFrame: Sendable {
  /// Which encoder it is of.
  public var source: Int
  public var timestamp: RTPTimestamp
  /// The sampling instant, on the clock all sources share.
  public var time: Instant
  public var packetCount: Int
  public var isKeyframe: Bool
  /// TID; 0 without temporal layers.
  public var temporalLayer: UInt8
  /// Y: the frame refers to the base layer only, so that its layer can begin here.
  public var isLayerSync: Bool
  /// TL0PICIDX; nil without temporal layers.
  public var temporalBaseIndex: UInt8?

  public init(
    source: Int, timestamp: RTPTimestamp, time: Instant, packetCount: Int, isKeyframe: Bool, temporalLayer: UInt8 = 0,
    isLayerSync: Bool = false, temporalBaseIndex: UInt8? = nil
  ) {
    self.source = source
    self.timestamp = timestamp
    self.time = time
    self.packetCount = packetCount
    self.isKeyframe = isKeyframe
    self.temporalLayer = temporalLayer
    self.isLayerSync = isLayerSync
    self.temporalBaseIndex = temporalBaseIndex
  }
}

/// A frame's place in the stream one receiver gets.
public struct ForwardedFrame: Hashable, Sendable {
  /// Extended sequence number of the first packet; the others follow on.
  public var firstSequence: Int64
  public var timestamp: RTPTimestamp
  /// 15 bits.
  public var pictureID: UInt16
  public var temporalBaseIndex: UInt8

  public init(firstSequence: Int64, timestamp: RTPTimestamp, pictureID: UInt16, temporalBaseIndex: UInt8) {
    self.firstSequence = firstSequence
    self.timestamp = timestamp
    self.pictureID = pictureID
    self.temporalBaseIndex = temporalBaseIndex
  }
}

/// Makes one stream of what a receiver is given of several encoders and their temporal layers.
///
/// Sequence numbers and picture ids count what is forwarded, so that nothing left out looks lost; TL0PICIDX counts forwarded base
/// layer frames (RFC 7741 section 4.2); timestamps keep the distance of the sampling instants across sources. What a receiver could not
/// decode is left out: a new source before its key frame, a layer before its sync frame, a frame whose base layer frame was left out.
public struct ForwardingRewriter: Sendable {
  /// Ticks per second of video.
  private static let clockRate: Int64 = 90_000

  /// Frames of higher layers than so many are left out; 1 for the base alone.
  public var layersMax: Int = 4
  /// Whose frames are forwarded; nil before the first key frame and after `stop`.
  public private(set) var source: Int?
  /// The source that takes over with its next key frame.
  public private(set) var nextSource: Int?

  private var nextSequence: Int64
  private var nextPictureID: UInt16
  private var baseIndex: UInt8
  private var timestampOffset: UInt32
  private var layersOpen: UInt8 = 1
  private var inputBaseIndex: UInt8?
  private var last: (timestamp: RTPTimestamp, time: Instant)?

  /// - Parameters: where each of the counts begins: random, as RFC 3550 section 5.1 and RFC 7741 section 4.2 want.
  public init(firstSequence: UInt16, timestampOffset: UInt32, firstPictureID: UInt16, firstBaseIndex: UInt8) {
    // Below 2^15, so that SRTP's roll-over counter starts unambiguously.
    nextSequence = Int64(firstSequence & 0x7FFF)
    nextPictureID = firstPictureID & 0x7FFF
    baseIndex = firstBaseIndex
    self.timestampOffset = timestampOffset
  }

  /// Forwards another source from its next key frame on, and this one until then.
  public mutating func switchSource(to source: Int) { nextSource = source == self.source ? nil : source }

  /// Forwards nothing any more, until a source is chosen and sends a key frame.
  public mutating func stop() { (source, nextSource) = (nil, nil) }

  /// Whether a frame would be forwarded, so that it can be refused for other reasons before it takes numbers.
  public func forwards(_ frame: ForwardableFrame) -> Bool {
    guard frame.packetCount > 0, frame.packetCount <= 0x7FFF else { return false }
    if frame.isKeyframe { return frame.source == nextSource || frame.source == source }
    guard frame.source == source, Int(frame.temporalLayer) < layersMax else { return false }
    guard frame.temporalLayer > 0 else { return true }
    guard frame.temporalBaseIndex == inputBaseIndex else { return false }
    return frame.temporalLayer < layersOpen || frame.isLayerSync
  }

  /// A base layer frame of the forwarded source was not sent although it could have been: what refers to it cannot be decoded either.
  public mutating func baseWasLeftOut() { (nextSource, source) = (nextSource ?? source, nil) }

  /// Gives a frame its place; nil where it is left out.
  public mutating func forward(_ frame: ForwardableFrame) -> ForwardedFrame? {
    guard forwards(frame) else {
      if frame.source == source, Int(frame.temporalLayer) < Int(layersOpen) { layersOpen = max(frame.temporalLayer, 1) }
      return nil
    }
    if frame.source != source { begin(frame) }
    if frame.temporalLayer == 0 {
      baseIndex &+= 1
      inputBaseIndex = frame.temporalBaseIndex
      if frame.isKeyframe { layersOpen = 1 }
    } else if frame.temporalLayer == layersOpen {
      // A sync frame above a layer that is not open refers to the base alone, but what follows it need not.
      layersOpen &+= 1
    }
    let forwarded = ForwardedFrame(
      firstSequence: nextSequence, timestamp: RTPTimestamp(frame.timestamp.rawValue &+ timestampOffset),
      pictureID: nextPictureID, temporalBaseIndex: baseIndex)
    nextSequence &+= Int64(frame.packetCount)
    nextPictureID = (nextPictureID &+ 1) & 0x7FFF
    last = (forwarded.timestamp, frame.time)
    return forwarded
  }

  private mutating func begin(_ frame: ForwardableFrame) {
    (source, nextSource) = (frame.source, nil)
    layersOpen = 1
    guard let last else { return }
    // Later than the last frame by the clock both are sampled on, and never the same.
    let ticks = max((frame.time - last.time).ticks(at: Self.clockRate), 1)
    timestampOffset = (last.timestamp + Int(truncatingIfNeeded: ticks)).rawValue &- frame.timestamp.rawValue
  }
}

extension VP8Descriptor {
  /// Puts a frame's picture id and TL0PICIDX in place of those in a payload descriptor, where it has them; lengths stay.
  ///
  /// - Parameters:
  ///   - payload: where the descriptor begins in `packet`.
  ///   - size: bytes of the payload.
  /// - Returns: false, with nothing written, where the payload ends within the descriptor.
  @_lifetime(packet: copy packet)
  public static func rewrite(
    _ packet: inout MutableSpan<UInt8>, payload: Int, size: Int, for frame: ForwardedFrame
  ) -> Bool {
    guard payload >= 0, size > 0, payload <= packet.count, size <= packet.count &- payload else { return false }
    guard packet[payload] & 0x80 != 0 else { return true }
    guard size >= 2 else { return false }
    let present = packet[payload &+ 1]
    var offset = 2
    let hasID = present & 0x80 != 0
    if hasID, offset >= size { return false }
    let isLong = hasID && packet[payload &+ offset] & 0x80 != 0
    if hasID { offset &+= isLong ? 2 : 1 }
    let hasIndex = present & 0x40 != 0
    let end = offset &+ (hasIndex ? 1 : 0) &+ (present & 0x30 != 0 ? 1 : 0)
    guard end <= size else { return false }
    if isLong {
      packet[payload &+ 2] = 0x80 | UInt8(truncatingIfNeeded: frame.pictureID >> 8)
      packet[payload &+ 3] = UInt8(truncatingIfNeeded: frame.pictureID)
    } else if hasID {
      packet[payload &+ 2] = UInt8(truncatingIfNeeded: frame.pictureID) & 0x7F
    }
    if hasIndex { packet[payload &+ offset] = frame.temporalBaseIndex }
    return true
  }
}
