import Bytes
import CongestionControl
import EncodedMedia
import RTP
import RTPStreams
import TestSupport
import Timing

/// One receiver behind a simulated path: what the sender sends, estimator and pacer, and the receiver's feedback through real RTCP.
struct SimulatedCall {
  /// What is sent.
  enum Content {
    /// Video at 30 frames a second that follows the target, up to so many bits per second.
    case elastic(Int)
    /// The rung that is chosen of these.
    case ladder([Rung])
  }

  struct Sample {
    var time: Instant
    var target: Int
    var estimate: Int
    var queueDelay: Interval
    var rung: Int?
    var layers: Int
  }

  var path: SimulatedPath
  var flow: GreedyFlow?
  var givesTransportFeedback = true
  /// Whether sound is sent beside the pictures.
  var hasSound = true
  /// What a receiver without transport-cc makes of its path, if it does.
  var maximumReceiver: MaximumReceiver?
  /// Frames are larger and smaller than they should be, as those of real encoders are: by so much.
  var frameSizes = 0.7...1.3
  private(set) var now = Instant.zero
  private(set) var estimator: BandwidthEstimator
  private(set) var pacer: Pacer
  private(set) var choice: RungChoice?
  private(set) var samples: [Sample] = []
  private(set) var bytesReceived = 0
  private(set) var audioSent = 0
  private(set) var audioReceived = 0
  private(set) var audioDelayMax = Interval.zero
  private(set) var videoFramesSent = 0
  /// Times a receiver without transport-cc reported.
  private(set) var reports = 0

  private let content: Content
  private let clockOffset = Interval.milliseconds(5_123)
  private var recorder = TransportFeedbackRecorder()
  private var nextNumber: UInt16 = 65_000
  private var feedback: [(time: Instant, bytes: [UInt8])] = []
  private var released: [PacerRelease] = []
  private var frameNumber = 0
  private var nextFrame = Instant.zero
  private var nextAudio = Instant.zero
  private var nextReport = Instant.zero + .seconds(1)
  private var probesSeen = 0
  private var expected = 0
  private var receivedNow = 0
  private var random: SeededRandom

  init(_ content: Content, path: SimulatedPath, bounds: BandwidthEstimator.Bounds = .init()) {
    self.content = content
    self.path = path
    random = SeededRandom(seed: path.seed &* 31 &+ 7)
    frameNumber = Int(path.seed % 7) * 40
    estimator = BandwidthEstimator(bounds)
    pacer = Pacer(targetBitsPerSecond: bounds.start)
    if case .ladder(let rungs) = content { choice = RungChoice(OutputLadder(rungs: rungs), estimate: bounds.start - 52_000) }
  }

  mutating func run(for length: Interval) {
    let end = now + length
    while now < end {
      now += .milliseconds(1)
      produce()
      releasePackets()
      flow?.step(&path, at: now)
      path.step(at: now)
      receive()
      hear()
      if now.nanoseconds % 100_000_000 == 0 { sample() }
    }
  }

  /// The receiver goes over to another network; what is on its way still comes.
  mutating func changePath(_ change: (inout SimulatedPath) -> Void) {
    change(&path)
    estimator.pathChanged(at: now)
  }

  private mutating func sample() {
    samples.append(
      Sample(
        time: now, target: estimator.targetBitsPerSecond, estimate: estimator.estimatedBitsPerSecond,
        queueDelay: path.queueDelay, rung: choice?.forwardedRung, layers: choice?.forwardedLayers ?? 0))
  }

  /// What sound takes: who has little is sent 8 kb/s in long packets, others 24 kb/s.
  private var sound: Int {
    mutating get { !hasSound ? 0 : choice == nil || estimator.estimatedBitsPerSecond > 120_000 ? 52_000 : 25_333 }
  }

  // MARK: Sending

  private mutating func produce() {
    let milliseconds = sound == 52_000 ? 20 : 60
    if hasSound, now >= nextAudio {
      nextAudio = now + .milliseconds(Int64(milliseconds))
      audioSent += 1
      _ = pacer.enqueue(1, .audio, size: (milliseconds == 20 ? 3 : 2) * milliseconds + 70, at: now)
    }
    guard now >= nextFrame else { return }
    nextFrame = now + .nanoseconds(33_333_333)
    frameNumber += 1
    switch content {
    case .elastic(let maximum):
      estimator.wantedBitsPerSecond = maximum
      let rate = min(estimator.targetBitsPerSecond, maximum) - 52_000
      // A frame of the target's size on average; a key frame of six times that now and then.
      enqueueFrame(bytes: unevenly(max(rate, 5_000) / 30 / 8) * (frameNumber % 300 == 0 ? 6 : 1))
    case .ladder(let rungs): produceFrame(of: rungs)
    }
  }

  private mutating func produceFrame(of rungs: [Rung]) {
    if let rung = choice?.awaitedRung, frameNumber % 15 == 0 { _ = choice?.keyframe(of: rung) }
    guard let choice, let rung = choice.forwardedRung else { return }
    let rates = rungs[rung].layers
    guard let layer = rates.firstIndex(where: { frameNumber % Int((30 / $0.framesPerSecond).rounded()) == 0 }),
      layer < choice.forwardedLayers
    else { return }
    // What the layer adds to those below.
    let below = layer > 0 ? rates[layer - 1] : TemporalRate(bitsPerSecond: 0, framesPerSecond: 0)
    let bits = Double(rates[layer].bitsPerSecond - below.bitsPerSecond)
    let bytes = unevenly(Int(bits / (rates[layer].framesPerSecond - below.framesPerSecond) / 8))
    enqueueFrame(bytes: max(bytes - 60 * (bytes / 1_160 + 1), 50))
  }

  private mutating func unevenly(_ bytes: Int) -> Int { Int(Double(bytes) * Double.random(in: frameSizes, using: &random)) }

  private mutating func enqueueFrame(bytes: Int) {
    let count = bytes / 1_100 + 1
    guard pacer.admits(bytes: bytes, packets: count) else { return }
    videoFramesSent += 1
    for _ in 0..<count { _ = pacer.enqueue(2, .video, size: bytes / count + 60, at: now) }
  }

  private mutating func releasePackets() {
    pacer.setTarget(estimator.targetBitsPerSecond - sound, headroom: estimator.headroom(at: now), at: now)
    if let probe = estimator.takeProbe(at: now) { pacer.begin(probe, at: now) }
    guard let deadline = pacer.nextDeadline, deadline <= now else { return }
    released.removeAll(keepingCapacity: true)
    pacer.pop(at: now, into: &released)
    for release in released {
      switch release {
      case .packet(let packet, let cluster): transmit(Int(packet.size), cluster, isAudio: packet.priority == .audio)
      case .padding(let size, let cluster): transmit(size, cluster, isAudio: false)
      }
    }
  }

  private mutating func transmit(_ size: Int, _ cluster: UInt8, isAudio: Bool) {
    nextNumber &+= 1
    expected += 1
    estimator.packetSent(nextNumber, size: size, cluster: cluster, at: now)
    _ = path.send(.init(number: nextNumber, size: size, isAudio: isAudio, sentAt: now))
  }

  // MARK: Receiving

  private mutating func receive() {
    for arrival in path.takeArrivals(at: now) {
      guard let number = arrival.packet.number else {
        flow?.arrived(at: arrival.time, returning: path.delay)
        continue
      }
      bytesReceived += arrival.packet.size
      receivedNow += 1
      if arrival.packet.isAudio {
        audioReceived += 1
        audioDelayMax = max(audioDelayMax, arrival.time - arrival.packet.sentAt)
      }
      let delay = arrival.time - arrival.packet.sentAt
      maximumReceiver?.receive(size: arrival.packet.size, delay: delay, at: arrival.time)
      if givesTransportFeedback {
        recorder.receive(number, of: SSRC(7), size: arrival.packet.size, at: arrival.time + clockOffset)
      }
    }
    guard givesTransportFeedback else { return }
    var bytes = [UInt8](repeating: 0, count: 1_200)
    var writer = RTCPWriter(bytes.mutableSpan)
    recorder.writeDue(sender: SSRC(8), at: now + clockOffset, into: &writer)
    let count = writer.count
    if count > 0 { feedback.append((now + path.delay, Array(bytes[0..<count]))) }
  }

  private mutating func hear() {
    while let first = feedback.first, first.time <= now {
      feedback.removeFirst()
      var reader = RTCPReader(first.bytes.span)
      while let packet = reader.next() {
        if case .transportFeedback(let transport) = packet { estimator.receive(transport, at: now) }
      }
    }
    if !givesTransportFeedback, now >= nextReport {
      nextReport = now + .seconds(1)
      reports += 1
      let lost = expected == 0 ? 0 : max(1 - Double(receivedNow) / Double(expected), 0)
      (expected, receivedNow) = (0, 0)
      estimator.receiveReport(fractionLost: lost, roundTripTime: path.delay * 2 + path.queueDelay, at: now)
    }
    if let named = maximumReceiver?.word(at: now) { estimator.receiveMaximumBitrate(UInt64(named), at: now) }
    if let deadline = estimator.nextDeadline, deadline <= now { estimator.handleTimeout(at: now) }
    guard choice != nil else { return }
    let measured = estimator.probesMeasured
    let before = choice?.forwardedRung
    let estimate = estimator.estimatedBitsPerSecond - sound
    _ = choice?.update(estimate: estimate, wasProbed: measured != probesSeen, at: now)
    probesSeen = measured
    if before != nil, choice?.forwardedRung == nil { pacer.removeVideo(keepingFirst: 0) }
    estimator.wantedBitsPerSecond = (choice?.wantedBitsPerSecond ?? 0) + sound
  }
}

extension SimulatedCall {
  /// The samples from one second to another.
  func samples(_ from: Double, _ to: Double) -> [Sample] {
    samples.filter { $0.time.nanoseconds >= Int64(from * 1e9) && $0.time.nanoseconds < Int64(to * 1e9) }
  }

  func meanTarget(_ from: Double, _ to: Double) -> Double {
    let chosen = samples(from, to)
    return Double(chosen.reduce(0) { $0 + $1.target }) / Double(max(chosen.count, 1))
  }

  func queueDelayMax(_ from: Double, _ to: Double) -> Double { samples(from, to).map(\.queueDelay.milliseconds).max() ?? 0 }
}
