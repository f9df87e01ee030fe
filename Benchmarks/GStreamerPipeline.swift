/// The pipeline that does a room's work with GStreamer's own elements: decode, compose, encode once for everybody, and for each
/// client a mixer of the others and an encoder.
struct GStreamerPipeline {
  /// Where the pipeline receives each participant's picture and sound.
  var pictureInputs: [UInt16]
  var soundInputs: [UInt16]
  /// Where each client receives.
  var pictureOutputs: [UInt16]
  var soundOutputs: [UInt16]

  /// Payload types in either direction.
  static let picturePayload: UInt8 = 96
  static let soundPayload: UInt8 = 111

  /// For `gst-launch-1.0`.
  var arguments: [String] {
    var words = picture
    for index in pictureInputs.indices { words += pictureInput(index) + soundInput(index) }
    for index in soundOutputs.indices { words += mix(index) }
    return words
  }

  private var picture: [String] {
    let side = (1...16).first { $0 * $0 >= pictureInputs.count } ?? 16
    let (width, height) = (1280 / side & ~1, 720 / side & ~1)
    let pads = pictureInputs.indices.flatMap { index in
      [
        "sink_\(index)::xpos=\(index % side * width)", "sink_\(index)::ypos=\(index / side * height)",
        "sink_\(index)::width=\(width)", "sink_\(index)::height=\(height)",
      ]
    }
    let clients = pictureOutputs.map { "127.0.0.1:\($0)" }.joined(separator: ",")
    return ["compositor", "name=canvas", "background=black"] + pads
      + ["!", "video/x-raw,format=I420,width=1280,height=720,framerate=30/1", "!"]
      + [
        "vp8enc", "deadline=1", "cpu-used=-6", "target-bitrate=1500000", "end-usage=cbr", "lag-in-frames=0", "threads=1",
        "min-quantizer=4", "max-quantizer=56", "keyframe-max-dist=150", "undershoot=100", "overshoot=15",
        "buffer-initial-size=500", "buffer-optimal-size=600", "buffer-size=1000",
      ]
      + ["!", "rtpvp8pay", "mtu=1200", "pt=\(Self.picturePayload)", "ssrc=1", "picture-id-mode=2"]
      + ["!", "multiudpsink", "clients=\(clients)", "sync=false", "async=false"]
  }

  private func pictureInput(_ index: Int) -> [String] {
    [
      "udpsrc", "address=127.0.0.1", "port=\(pictureInputs[index])", "buffer-size=4000000",
      "caps=application/x-rtp,media=video,clock-rate=90000,encoding-name=VP8,payload=\(Self.picturePayload)", "!",
      "rtpvp8depay", "!", "vp8dec", "!", "queue", "!", "canvas.sink_\(index)",
    ]
  }

  private func soundInput(_ index: Int) -> [String] {
    [
      "udpsrc", "address=127.0.0.1", "port=\(soundInputs[index])",
      "caps=application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=\(Self.soundPayload)", "!",
      "rtpopusdepay", "!", "opusdec", "!", "audio/x-raw,format=S16LE,rate=48000,channels=1", "!", "tee", "name=voice_\(index)",
    ]
  }

  /// Everybody but the client himself; viewers hear all.
  private func mix(_ index: Int) -> [String] {
    var words = [
      "audiomixer", "name=mix_\(index)", "output-buffer-duration=20000000", "!",
      "audio/x-raw,format=S16LE,rate=48000,channels=1", "!", "opusenc", "bitrate=32000", "complexity=5", "frame-size=20",
      "inband-fec=true", "packet-loss-percentage=5", "audio-type=voice", "!", "rtpopuspay", "pt=\(Self.soundPayload)",
      "ssrc=\(index + 100)", "!", "udpsink", "host=127.0.0.1", "port=\(soundOutputs[index])", "sync=false", "async=false",
    ]
    for voice in soundInputs.indices where voice != index {
      words += ["voice_\(voice).", "!", "queue", "!", "mix_\(index)."]
    }
    return words
  }
}
