import Glibc

/// Where a running process spends its CPU time, by thread and stage: linux-perf's samples of its stacks, 1000 a second of CPU.
///
/// A sample belongs to the innermost of its functions that a stage is known by, so that what a library does counts for
/// whoever called it.
struct ServerProfile {
  struct Key: Hashable {
    let thread: String
    let stage: String
  }
  /// Shares of all samples.
  let shares: [Key: Double]

  /// What functions are recognised by, most particular first; module names as Swift mangles them.
  private static let stages: [(stage: String, marks: [String])] = [
    ("Opus encoding", ["OpusEncoder", "opus_encode"]),
    ("Opus decoding", ["OpusDecoder", "opus_decode"]),
    ("limiter", ["Limiter"]),
    ("SRTP of what is sent", ["SRTPSender"]),
    ("SRTP of what came", ["SRTPReceiver", "srtp_unprotect"]),
    ("kernel, sending", ["SendBatch", "sendmmsg", "sendmsg", "__sendto"]),
    ("kernel, receiving", ["recvmmsg", "recvmsg"]),
    ("waiting and waking", ["epoll_pwait", "clock_nanosleep", "EventQueue", "eventfd"]),
    ("playout", ["$s7Playout"]),
    ("voices", ["$s10Conference5Voice"]),
    ("sums, levels, gains", ["$s11AudioMixing"]),
    ("handshakes", ["DTLSConnection", "$s3ICE"]),
    ("RTP streams, RTCP", ["$s10RTPStreams", "$s3RTP"]),
    ("sessions", ["$s15WebRTCTransport"]),
    ("network loop", ["$s10DatagramIO"]),
    ("room mix", ["$s10Conference7RoomMix", "$s10Conference10MixEncoder"]),
    ("rooms", ["$s10Conference"]),
    ("HTTP", ["$s10ControlAPI", "lws_"]),
  ]

  /// Stays where the stack was too deep for the sample to reach who called libopus.
  private static let unknownOpus = "Opus, either way"

  /// Samples a process for so many seconds, while `load` runs.
  ///
  /// - Returns: nil where perf is not there or may not.
  init?(of process: pid_t, seconds: Int, during load: () -> Void) throws {
    let path = "/tmp/tutti-bench-\(getpid())"
    defer {
      unlink(path + ".data")
      unlink(path + ".txt")
    }
    let record = try ChildProcess([
      "sh", "-c",
      "exec perf record -q -e cpu-clock -F 1000 --call-graph dwarf,16384 -p \(process) -o \(path).data -- sleep \(seconds)",
    ])
    load()
    guard record.waitUntilEnded() == 0 else { return nil }
    // Without looking up source lines, which would take minutes.
    let script = try ChildProcess([
      "sh", "-c", "exec perf script --no-inline -i \(path).data -F comm,ip,sym,dso > \(path).txt",
    ])
    guard script.waitUntilEnded() == 0, let counts = Self.read(path + ".txt") else { return nil }
    let total = counts.values.reduce(0, +)
    guard total > 0 else { return nil }
    shares = counts.mapValues { Double($0) / Double(total) }
  }

  /// Counts samples: a line with the thread's name, the functions from the innermost on, an empty line.
  private static func read(_ path: String) -> [Key: Int]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var counts: [Key: Int] = [:]
    var thread: String?
    var stage: String?
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, file) > 0, let start = line {
      let isFunction = start.pointee == 9 || start.pointee == 32
      if start.pointee == 10 {
        if let thread { counts[Key(thread: thread, stage: stage ?? "other"), default: 0] += 1 }
        (thread, stage) = (nil, nil)
      } else if !isFunction {
        thread = String(cString: start).split(whereSeparator: \.isWhitespace).joined(separator: " ")
      } else if stage == nil || stage == unknownOpus {
        let known = stages.first { $0.marks.contains { strstr(start, $0) != nil } }?.stage
        stage = known ?? (strstr(start, "libopus") == nil ? stage : unknownOpus)
      }
    }
    return counts
  }
}
