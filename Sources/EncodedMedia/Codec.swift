/// What a stream is encoded with, by the names SDP uses for it.
public enum Codec: String, Hashable, Sendable, CaseIterable {
  case opus = "opus"
  case pcmu = "PCMU"
  case pcma = "PCMA"
  case vp8 = "VP8"
  case vp9 = "VP9"
  case h264 = "H264"
  case av1 = "AV1"

  public var kind: MediaKind {
    switch self {
    case .opus, .pcmu, .pcma: .audio
    case .vp8, .vp9, .h264, .av1: .video
    }
  }

  /// Ticks of the RTP clock per second.
  public var clockRate: Int {
    switch self {
    case .opus: 48_000
    case .pcmu, .pcma: 8_000
    case .vp8, .vp9, .h264, .av1: 90_000
    }
  }
}

/// Sound or picture: the media types of SDP that a mixer mixes.
public enum MediaKind: String, Hashable, Sendable, CaseIterable {
  case audio, video
}

/// A synchronization source identifier (RFC 3550 section 3).
@frozen public struct SSRC: Hashable, Sendable, CustomStringConvertible {
  public var rawValue: UInt32
  @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
  public var description: String { String(rawValue) }
}

/// How far the receiver turns a picture clockwise to show it upright (3GPP TS 26.114 section 7.4.5, "CVO").
public enum Rotation: UInt8, Sendable {
  case none = 0
  case clockwise90 = 1
  case clockwise180 = 2
  case clockwise270 = 3
}
