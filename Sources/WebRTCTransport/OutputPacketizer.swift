import EncodedMedia
import RTP
import Timing

/// Cuts one output's frames into packets, once for all who receive it.
public struct OutputPacketizer {
  /// What is left of a packet for payload once the headers, extensions and the SRTP tag have their room: the largest header
  /// written is 12 bytes, 15 CSRCs go with audio only, and extensions take 44.
  private static let payloadSizeMax = PeerSession.packetSizeMax - 76

  private var vp8 = VP8Packetizer(payloadSizeMax: payloadSizeMax)
  private var vp9 = VP9Packetizer(payloadSizeMax: payloadSizeMax)
  private let h264 = H264Packetizer(payloadSizeMax: payloadSizeMax)
  private var lastTimestamp: RTPTimestamp?

  public init() {}

  /// - Parameter frame: the next one of the same output.
  public mutating func packetize(_ frame: EncodedFrame) -> PacketizedFrame {
    defer { lastTimestamp = frame.timestamp }
    switch frame.codec {
    case .vp8: return vp8.packetize(frame)
    case .vp9: return vp9.packetize(frame)
    case .h264: return h264.packetize(frame)
    // Audio is one packet a frame. AV1 is not encoded here.
    case .opus, .pcmu, .pcma, .av1:
      return AudioPacketizer.packetize(frame, startsTalkspurt: startsTalkspurt(frame))
    }
  }

  /// After a pause of more than the longest frame (RFC 3551 section 4.1).
  private func startsTalkspurt(_ frame: EncodedFrame) -> Bool {
    guard let lastTimestamp else { return true }
    return frame.timestamp.distance(from: lastTimestamp) > frame.codec.clockRate * 120 / 1000
  }
}
