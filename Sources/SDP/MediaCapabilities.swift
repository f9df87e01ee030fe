/// What this side can send and receive; negotiation answers nothing that is not here.
public struct MediaCapabilities: Hashable, Sendable {
  /// In order of preference.
  public var audio: [CodecCapability]
  /// In order of preference.
  public var video: [CodecCapability]
  /// URIs of the RTP header extensions understood on audio lines; see ``HeaderExtensionURI``.
  public var audioExtensions: [String]
  /// The same for video lines.
  public var videoExtensions: [String]
  /// Highest id accepted for a header extension: 14 for the one-byte form, up to 255 for the two-byte form (RFC 8285).
  public var extensionIDMax: UInt8
  /// Whether both forms of header extensions may come in one stream (`a=extmap-allow-mixed`).
  public var allowsMixedExtensionForms: Bool
  /// Whether RTCP packets that are not compound are understood (RFC 5506).
  public var reducedSizeRTCP: Bool

  public init(
    audio: [CodecCapability], video: [CodecCapability], audioExtensions: [String] = HeaderExtensionURI.audio,
    videoExtensions: [String] = HeaderExtensionURI.video, extensionIDMax: UInt8 = 14, allowsMixedExtensionForms: Bool = true,
    reducedSizeRTCP: Bool = true
  ) {
    self.audio = audio
    self.video = video
    self.audioExtensions = audioExtensions
    self.videoExtensions = videoExtensions
    self.extensionIDMax = extensionIDMax
    self.allowsMixedExtensionForms = allowsMixedExtensionForms
    self.reducedSizeRTCP = reducedSizeRTCP
  }

  /// What the mixer does: Opus, G.711, VP8, VP9 and H.264 constrained baseline both ways, H.264 up to High and AV1 received only. VP8
  /// is what it would rather have, and H.264 what it would rather send, which costs less to encode; VP9 where there is neither.
  public static let mixer = MediaCapabilities(
    audio: [.opus(), .pcmu, .pcma],
    video: [.vp8]
      + H264Profile.allCases.map { profile in
        var capability = CodecCapability.h264(profile, sends: profile == .constrainedBaseline)
        if capability.sends { capability.sendPreference = 1 }
        return capability
      } + [.vp9, .av1(sends: false)])

  func codecs(_ type: MediaType) -> [CodecCapability] { type == .audio ? audio : video }
  func extensions(_ type: MediaType) -> [String] { type == .audio ? audioExtensions : videoExtensions }
}

/// The kinds of media that are negotiated; every other kind of line is rejected.
public enum MediaType: String, Hashable, Sendable, CaseIterable {
  case audio, video
}

/// One codec in one configuration. A codec with several profiles is several of these.
public struct CodecCapability: Hashable, Sendable {
  /// As SDP names it: "opus", "VP8", "H264".
  public var name: String
  /// Ticks of the RTP clock per second.
  public var clockRate: UInt32
  /// As in `a=rtpmap`: 2 for Opus whatever is sent.
  public var channels: UInt8
  /// What an offer and every answer says in `a=fmtp`: what we want to receive.
  public var parameters: FormatParameters
  /// What an answer says besides where the offer has a parameter of that name, such as `stereo` for Opus.
  public var parametersIfOffered: FormatParameters
  /// RTCP feedback understood for it; answered as far as it is offered.
  public var feedback: [FeedbackAttribute]
  /// Whether lost packets are sent again in a stream of their own (RTX, RFC 4588).
  public var retransmission: Bool
  /// Whether packets may carry copies of earlier ones (RFC 2198).
  public var redundancy: Bool
  /// Whether its sender may add parity (RFC 5109) in blocks (RFC 2198), on lines with one direction. Only where pictures have numbers of
  /// their own does a receiver know that what is missing between them was parity: with H.264, Chromium waits for it.
  public var protection: Bool
  /// Whether it can be decoded here.
  public var receives: Bool
  /// Whether it can be encoded here.
  public var sends: Bool
  /// Of what the other side takes, the greatest is sent; among equals the first.
  public var sendPreference = 0

  public init(
    name: String, clockRate: UInt32, channels: UInt8 = 1, parameters: FormatParameters = FormatParameters(),
    parametersIfOffered: FormatParameters = FormatParameters(), feedback: [FeedbackAttribute] = [],
    retransmission: Bool = false, redundancy: Bool = false, protection: Bool = false,
    receives: Bool = true, sends: Bool = true
  ) {
    self.name = name
    self.clockRate = clockRate
    self.channels = channels
    self.parameters = parameters
    self.parametersIfOffered = parametersIfOffered
    self.feedback = feedback
    self.retransmission = retransmission
    self.redundancy = redundancy
    self.protection = protection
    self.receives = receives
    self.sends = sends
  }

  /// Opus (RFC 7587) with in-band FEC and RED; stereo and DTX where the offer speaks of them.
  public static func opus(receives: Bool = true, sends: Bool = true) -> CodecCapability {
    CodecCapability(
      name: "opus", clockRate: 48_000, channels: 2, parameters: ["minptime": "10", "useinbandfec": "1"],
      parametersIfOffered: ["stereo": "1", "sprop-stereo": "1", "usedtx": "1"], feedback: [.transportCC], redundancy: true,
      receives: receives, sends: sends)
  }

  /// G.711 µ-law (RFC 3551), static payload type 0.
  public static let pcmu = CodecCapability(name: "PCMU", clockRate: 8_000)
  /// G.711 A-law (RFC 3551), static payload type 8.
  public static let pcma = CodecCapability(name: "PCMA", clockRate: 8_000)

  /// The feedback a video receiver wants and a video sender serves.
  public static let videoFeedback: [FeedbackAttribute] = [.remb, .transportCC, .fir, .nack, .pli]

  /// VP8 (RFC 7741) with RTX and parity.
  public static let vp8 = CodecCapability(
    name: "VP8", clockRate: 90_000, feedback: videoFeedback, retransmission: true, protection: true)

  /// VP9 (RFC 9628) profile 0 with RTX.
  public static let vp9 = CodecCapability(
    name: "VP9", clockRate: 90_000, parameters: ["profile-id": "0"], feedback: videoFeedback, retransmission: true)

  /// AV1 (RTP payload format for AV1, section 7.2) main profile with RTX; any level and tier.
  public static func av1(receives: Bool = true, sends: Bool = true) -> CodecCapability {
    CodecCapability(
      name: "AV1", clockRate: 90_000, feedback: videoFeedback, retransmission: true, receives: receives, sends: sends)
  }

  /// H.264 (RFC 6184) in packetization mode 1 with RTX. `level` is ten times the level number, 0x1F for 3.1.
  public static func h264(
    _ profile: H264Profile, level: UInt8 = 0x1F, receives: Bool = true, sends: Bool = true
  ) -> CodecCapability {
    CodecCapability(
      name: "H264", clockRate: 90_000,
      parameters: [
        "level-asymmetry-allowed": "1", "packetization-mode": "1",
        "profile-level-id": H264ProfileLevel(profile: profile, level: level).text,
      ], feedback: videoFeedback, retransmission: true, receives: receives, sends: sends)
  }

  var description: RTPMap { RTPMap(name: name, clockRate: clockRate, channels: channels == 1 ? nil : channels) }

  func matches(_ encoding: RTPMap) -> Bool {
    encoding.name.isEqualIgnoringCase(name) && encoding.clockRate == clockRate && encoding.channels ?? 1 == channels
  }
}

/// URIs of the header extensions a mixer has a use for.
public enum HeaderExtensionURI {
  /// RFC 8843 section 15.
  public static let mid = "urn:ietf:params:rtp-hdrext:sdes:mid"
  /// RFC 8852.
  public static let rid = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
  /// RFC 8852.
  public static let repairedRID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
  /// RFC 6464.
  public static let audioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
  /// RFC 6465.
  public static let csrcAudioLevel = "urn:ietf:params:rtp-hdrext:csrc-audio-level"
  /// When a packet left, as 6.18 fixed point seconds.
  public static let absoluteSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
  /// draft-holmer-rmcat-transport-wide-cc-extensions.
  public static let transportCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
  /// 3GPP TS 26.114 section 7.4.5.
  public static let videoOrientation = "urn:3gpp:video-orientation"
  /// The least and the most delay a receiver should add.
  public static let playoutDelay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
  /// What each frame builds on (RTP payload format for AV1, appendix A).
  public static let dependencyDescriptor =
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"

  /// Those for audio lines.
  public static let audio = [mid, audioLevel, csrcAudioLevel, absoluteSendTime, transportCC]
  /// Those for video lines.
  public static let video = [
    mid, rid, repairedRID, absoluteSendTime, transportCC, videoOrientation, playoutDelay, dependencyDescriptor,
  ]
}
