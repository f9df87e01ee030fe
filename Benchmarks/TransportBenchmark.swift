import Bytes
import EncodedMedia
import RTP
import RealTime
import SecureTransport
import Timing

/// The network thread's work for each packet, beside the encryption alone that others do it with.
enum TransportBenchmark {
  /// Frames for all peers in one measurement.
  private static let rounds = 24

  /// One size of packet, as many to a frame as a sender has.
  private struct Load {
    let name: String
    let packetSize: Int
    let packetsPerFrame: Int
    let codec: Codec
  }
  private static let loads = [
    Load(name: "80 bytes", packetSize: 80, packetsPerFrame: 1, codec: .opus),
    Load(name: "1100 bytes", packetSize: 1100, packetsPerFrame: 6, codec: .vp8),
  ]

  static func run() throws {
    var sending = Table(
      "transport: sending, packets a second of one core",
      note:
        "Ours: a frame for \(TransportRig.peerCount) peers becomes packets with their headers, SRTP, arena, sendmmsg with GSO to loopback"
        + " sockets.\nlibsrtp2: srtp_protect of packets of the same size for as many sessions, nothing else. Limit: sendmmsg with GSO of"
        + " finished datagrams.",
      columns: [
        "", "ours, whole path", "libsrtp2 alone", "ours / it", "libsrtp2, limit's sending", "ours / it", "ours, SRTP alone",
        "/ libsrtp2", "limit",
      ])
    var receiving = Table(
      "transport: receiving, packets a second of one core",
      note:
        "Ours: recvmmsg, the peer, unprotecting, parsing, frames put together, feedback. libsrtp2: srtp_unprotect of packets of the"
        + " same size\nfor as many sessions, nothing else.",
      columns: ["", "ours, whole path", "libsrtp2 alone", "ours / it"])
    for profile in [SRTPProfile.aeadAES128GCM, .aes128CMHMACSHA1_80] {
      for load in loads {
        let name = "\(profile == .aeadAES128GCM ? "AES-GCM" : "AES-CM/SHA-1"), \(load.name)"
        sending.add([name] + (try send(load, profile)))
        receiving.add([name] + (try receive(load, profile)))
      }
    }
    sending.print()
    receiving.print()
  }

  // MARK: Sending

  private static func send(_ load: Load, _ profile: SRTPProfile) throws -> [String] {
    let rig = try TransportRig(profile)
    let frame = try fittingFrame(load, rig)
    let library = try SRTPLoad(profile, sessions: TransportRig.peerCount, size: load.packetSize - profile.rtpOverhead)
    let own = try SenderLoad(profile, sessions: TransportRig.peerCount, size: load.packetSize - profile.rtpOverhead)
    let perRound = TransportRig.peerCount * load.packetsPerFrame
    var bare = PacketArena(capacity: 1 << 20)
    let rates = try alternate([
      {
        let before = rig.packetsSent
        let time = threadTime { for _ in 0..<rounds { rig.send(frame) } }
        rig.drainClients()
        guard rig.packetsSent - before == rounds * perRound else { throw BenchmarkError("not every packet was sent") }
        return rate(rounds * perRound, time)
      },
      { rate(rounds * perRound, threadTime { for _ in 0..<rounds { library.protect(load.packetsPerFrame) } }) },
      { rate(rounds * perRound, threadTime { for _ in 0..<rounds { own.protect(load.packetsPerFrame) } }) },
      {
        let time = threadTime {
          for _ in 0..<rounds { rig.sendBare(packetsPerPeer: load.packetsPerFrame, size: load.packetSize, from: &bare) }
        }
        rig.drainClients()
        return rate(rounds * perRound, time)
      },
      {
        let time = threadTime {
          for _ in 0..<rounds {
            library.protect(load.packetsPerFrame)
            rig.sendBare(packetsPerPeer: load.packetsPerFrame, size: load.packetSize, from: &bare)
          }
        }
        rig.drainClients()
        return rate(rounds * perRound, time)
      },
    ])
    return [
      grouped(rates[0]), grouped(rates[1]), ratio(rates[0], rates[1]), grouped(rates[4]), ratio(rates[0], rates[4]),
      grouped(rates[2]), ratio(rates[2], rates[1]), grouped(rates[3]),
    ]
  }

  /// A frame whose packets have the load's size once they are on the wire.
  private static func fittingFrame(_ load: Load, _ rig: TransportRig) throws -> EncodedFrame {
    var payloadSize = load.packetsPerFrame * (load.packetSize - 48)
    for _ in 0..<4 {
      let frame = makeFrame(load, payloadSize: payloadSize)
      let (packets, bytes) = (rig.packetsSent, rig.bytesSent)
      rig.send(frame)
      let count = (rig.packetsSent - packets) / TransportRig.peerCount
      let excess = (rig.bytesSent - bytes) / TransportRig.peerCount - count * load.packetSize
      if count == load.packetsPerFrame, abs(excess) < load.packetsPerFrame { return frame }
      payloadSize -= excess
    }
    throw BenchmarkError("no frame makes packets of \(load.name)")
  }

  private static func makeFrame(_ load: Load, payloadSize: Int) -> EncodedFrame {
    var bytes = [UInt8](repeating: 0x5A, count: max(payloadSize, 12))
    // What a VP8 keyframe of 640x360 begins with (RFC 6386 section 9.1).
    if load.codec == .vp8 { bytes.replaceSubrange(0..<10, with: [0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0x68, 0x01]) }
    return EncodedFrame(
      codec: load.codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: true, time: MonotonicClock.now())
  }

  // MARK: Receiving

  private static func receive(_ load: Load, _ profile: SRTPProfile) throws -> [String] {
    let rig = try TransportRig(profile)
    let library = try SRTPLoad(profile, sessions: TransportRig.peerCount, size: load.packetSize - profile.rtpOverhead)
    let perRound = TransportRig.peerCount * load.packetsPerFrame
    let payloadSize = load.packetsPerFrame * (load.packetSize - profile.rtpOverhead - 24)
    var timestamp: UInt32 = 0
    let rates = try alternate([
      {
        let (packets, frames) = (rig.packetsReceived, rig.frames.count)
        var time = 0.0
        for _ in 0..<rounds {
          timestamp &+= 960
          var frame = makeFrame(load, payloadSize: payloadSize)
          frame.timestamp = RTPTimestamp(timestamp)
          rig.clientsSend(packetize(frame))
          time += threadTime { rig.receive() }
        }
        rig.drainClients()
        guard rig.frames.count - frames == rounds * TransportRig.peerCount else {
          throw BenchmarkError("\(rig.frames.count - frames) frames came of \(rounds * TransportRig.peerCount)")
        }
        return rate(rig.packetsReceived - packets, time)
      },
      {
        var time = 0.0
        for _ in 0..<rounds {
          library.prepare(load.packetsPerFrame)
          time += threadTime { library.unprotect() }
        }
        return rate(rounds * perRound, time)
      },
    ])
    return [grouped(rates[0]), grouped(rates[1]), ratio(rates[0], rates[1])]
  }

  private static func packetize(_ frame: EncodedFrame) -> PacketizedFrame {
    guard frame.codec == .vp8 else { return AudioPacketizer.packetize(frame) }
    var packetizer = VP8Packetizer(payloadSizeMax: 1124)
    return packetizer.packetize(frame)
  }

  private static func rate(_ packets: Int, _ nanoseconds: Double) -> Double { Double(packets) * 1e9 / nanoseconds }
}
