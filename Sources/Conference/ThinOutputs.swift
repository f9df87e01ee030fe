import WebRTCTransport

/// Pictures for receivers who want less (`b=`) than any output of the room takes: smaller and slower ones of its last output, made for
/// all of them together and only while somebody receives them.
extension OutputSettings {
  /// Bits per second, pixels of the shorter side at most, pictures per second at most.
  private static let thinSteps: [(bitrate: Int, side: Int, fps: Int)] = [
    (800_000, 540, 30), (400_000, 360, 25), (200_000, 240, 20), (100_000, 180, 15), (50_000, 120, 10),
    (30_000, 90, 5),
  ]
  /// What is to spare, so that a step that had to be taken back can be taken again.
  private static let margin = 1.1

  /// Whether it is within what a receiver wants, headers included.
  func fits(_ bitsPerSecondMax: Int) -> Bool {
    let rung = VideoLadder.Rung(OutputID(0), bitsPerSecond: bitrate, framesPerSecond: Double(fps), shares: [1])
    return Double(rung.layers.last?.bitsPerSecond ?? .max) * Self.margin <= Double(bitsPerSecondMax)
  }

  /// What it becomes where it is too much, from the best down. Their names, `auto/` and kb/s, are nobody's to choose.
  var thinned: [OutputSettings] {
    Self.thinSteps.filter { $0.bitrate < bitrate }.map { step in
      let scale = min(Double(step.side) / Double(min(width, height)), 1)
      let even = { (size: Int) in max(Int((Double(size) * scale / 2).rounded()) * 2, 64) }
      return OutputSettings(
        name: "auto/\(step.bitrate / 1_000)", width: even(width), height: even(height), fps: min(step.fps, fps),
        bitrate: step.bitrate, layout: layout)
    }
  }
}

extension Room {
  /// The settings of an output of the room, or of one for who wants less than any of them takes.
  func settings(of output: String) -> OutputSettings? {
    outputs.first { $0.name == output } ?? leanest?.thinned.first { $0.name == output }
  }

  private var leanest: OutputSettings? { outputs.min { $0.bitrate < $1.bitrate } }

  /// Names of the outputs that somebody may be given who leaves the choice to his line, from the best down.
  func ladder(within bitsPerSecondMax: Int?) -> [String] {
    let all = outputs.sorted { $0.bitrate > $1.bitrate }
    guard let limit = bitsPerSecondMax else { return all.map(\.name) }
    let fitting = all.filter { $0.fits(limit) }
    return (fitting.isEmpty ? leanest?.thinned.filter { $0.fits(limit) } ?? [] : fitting).map(\.name)
  }
}

extension PeerSetup {
  /// Of a limit on everything, so much is for the sound beside a picture.
  static let soundShare = 0.4

  /// What pictures may take of what the peer wants (`b=`), in bits per second; nil where he does not say.
  var pictureBitsPerSecondMax: Int? {
    guard sendCodec(.video) != nil else { return nil }
    let limits = bitsPerSecondMax
    let left = limits.all.map { all in soundLine == nil ? all : all - Int(Double(all) * Self.soundShare) }
    return [limits.pictures, left].compactMap { $0 }.min()
  }
}
