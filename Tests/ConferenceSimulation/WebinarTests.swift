import EncodedMedia
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// Each viewer is given what his line carries, in one stream, and nobody pays for another's line.
@Suite struct WebinarTests {
  private static let seeds = 1..<4 as Range<UInt64>

  @Test(arguments: seeds) func aGoodLineIsSoonGivenTheBestOutputAndNobodyEncodesTheOthers(seed: UInt64) throws {
    let webinar = try Webinar(link: Link(), seed: seed)
    let viewer = try webinar.join(bitsPerSecond: 4_000_000)
    webinar.run(seconds: 12)
    #expect(viewer.rung(at: 8) == 0, "\(viewer.rung(at: 8) ?? -1)")
    #expect(viewer.rate(8, 12) > 28)
    #expect(viewer.undecodable == 0)
    #expect(webinar.encoders.map(\.receivers) == [1, 0, 0, 0])
    let statistics = viewer.media.statistics
    #expect(statistics.pictureOutput == webinar.encoders[0].output && statistics.temporalLayers == 3)
    #expect(statistics.estimatedBitsPerSecond > 1_500_000 && statistics.probesSent > 0)
  }

  @Test(arguments: seeds) func aLineThatFallsAndComesBackIsFollowed(seed: UInt64) throws {
    let webinar = try Webinar(link: Link(), seed: seed)
    let viewer = try webinar.join(bitsPerSecond: 2_000_000)
    webinar.run(seconds: 20)
    #expect(viewer.rung(at: 20) == 0)
    webinar.setLine(of: viewer, bitsPerSecond: 150_000)
    let fell = webinar.simulation.now
    var queueAfterTwo = Interval.zero
    webinar.run(seconds: 20) {
      let since = webinar.simulation.now - fell
      if since > .seconds(2), since < .seconds(4) { queueAfterTwo = max(queueAfterTwo, webinar.queueDelay(of: viewer)) }
    }
    #expect(queueAfterTwo < .milliseconds(150), "\(queueAfterTwo.milliseconds) ms in the queue")
    let below = viewer.pictures.filter { $0.time > .zero + .seconds(23) && $0.time < .zero + .seconds(40) }
    #expect(!below.isEmpty && below.allSatisfy { $0.rung >= 2 }, "settled within three seconds")
    webinar.setLine(of: viewer, bitsPerSecond: 2_000_000)
    webinar.run(seconds: 20)
    #expect(viewer.rung(at: 55) == 0, "\(viewer.rung(at: 55) ?? -1) fifteen seconds after the return")
    #expect(viewer.longestSilence < .milliseconds(700), "\(viewer.longestSilence.milliseconds) ms without sound")
  }

  /// What he named is sent as long as its base layer fits, or nearly; his sound is not given up for it.
  @Test(arguments: [100_000, 300_000], seeds)
  func aNamedOutputThatDoesNotFitGivesWayToSound(bitsPerSecond: Int, seed: UInt64) throws {
    let webinar = try Webinar(link: Link(), seed: seed)
    let viewer = try webinar.join(bitsPerSecond: bitsPerSecond, isAutomatic: false)
    webinar.run(seconds: 15)
    let heard = viewer.soundSeconds
    var queue = Interval.zero
    webinar.run(seconds: 25) { queue = max(queue, webinar.queueDelay(of: viewer)) }
    #expect(viewer.soundSeconds - heard > 24.3, "\(viewer.soundSeconds - heard) of 25 s heard")
    #expect(queue < .milliseconds(250), "\(queue.milliseconds) ms in the queue")
    webinar.setLine(of: viewer, bitsPerSecond: 3_000_000)
    webinar.run(seconds: 20)
    #expect(viewer.rate(50, 60) > 25, "\(viewer.rate(50, 60)) pictures a second once it fits")
    #expect(viewer.undecodable == 0)
  }

  /// A good line does not make more welcome than the offer says.
  @Test(arguments: seeds) func whoLimitsWhatHeWantsIsSentNoMore(seed: UInt64) throws {
    let webinar = try Webinar(link: Link(), seed: seed)
    let limits: [(pictures: Int?, all: Int?)] = [(150_000, nil), (nil, 200_000), (45_000, nil), (15_000, nil)]
    let viewers = try limits.map { try webinar.join(wants: $0) }
    let free = try webinar.join()
    webinar.run(seconds: 5)
    let before = viewers.map { $0.client.session.statistics.bytesReceived }
    webinar.run(seconds: 20)
    let rates = zip(viewers, before).map { Int(($0.client.session.statistics.bytesReceived - $1) * 8 / 20) }
    #expect(viewers.prefix(3).map { $0.rung(at: 25) } == [2, 2, 3] && free.rung(at: 25) == 0)
    #expect(viewers[3].pictures.isEmpty, "not even the least of pictures is within it")
    // Beside pictures, sound and reports.
    #expect(rates[0] < 150_000 + 55_000 && rates[1] < 200_000 && rates[2] < 45_000 + 55_000, "\(rates)")
    #expect(viewers[1].media.statistics.estimatedBitsPerSecond <= 200_000)
    #expect(viewers.allSatisfy { $0.undecodable == 0 })
  }

  /// What carries a rung and not the next is asked for more now and then, and never loses what it has by that.
  @Test(arguments: [250_000, 260_000, 300_000], seeds)
  func aLineJustAboveARungStaysOnIt(bitsPerSecond: Int, seed: UInt64) throws {
    var link = Link()
    (link.delay, link.jitter) = (.milliseconds(5), .milliseconds(2))
    let outputs: [(Int, Double, [Double])] = [
      (900_000, 30, [0.5, 0.7, 1]), (150_000, 15, [0.6, 1]), (30_000, 2, [0.6, 1]),
    ]
    let webinar = try Webinar(link: link, seed: seed, outputs: outputs, sound: 32_000)
    for encoder in webinar.encoders { encoder.unevenness = 0.3 }
    let viewer = try webinar.join(bitsPerSecond: bitsPerSecond)
    webinar.run(seconds: 120)
    let late = viewer.pictures.filter { $0.time > .zero + .seconds(30) }
    #expect(late.allSatisfy { $0.rung == 1 }, "\(late.count { $0.rung > 1 }) pictures of a lower rung")
    #expect(viewer.rate(30, 120) > 14.5 && viewer.rate(5, 30) > 11, "\(viewer.rate(5, 30)), \(viewer.rate(30, 120))")
    #expect(viewer.media.statistics.probesSent > 5, "it was asked for more")
  }

  @Test func oneAtSixtyKilobitsAmongAHundredHasSoundAndAPictureAndCostsTheOthersNothing() throws {
    func hold(withHim: Bool) throws -> (him: Webinar.Viewer?, others: [Webinar.Viewer], webinar: Webinar) {
      let webinar = try Webinar(link: Link(), seed: 5)
      let others = try (0..<100).map { _ in try webinar.join(bitsPerSecond: 2_000_000) }
      let him = withHim ? try webinar.join(bitsPerSecond: 60_000) : nil
      webinar.run(seconds: 25)
      return (him, others, webinar)
    }
    let (him, others, webinar) = try hold(withHim: true)
    let viewer = try #require(him)
    #expect(viewer.longestSilence < .milliseconds(400), "\(viewer.longestSilence.milliseconds) ms without sound")
    #expect(viewer.soundSeconds > 22, "\(viewer.soundSeconds) s of sound")
    let first = viewer.pictures.first?.time ?? .distantFuture
    #expect(first < .zero + .milliseconds(2_500), "\(first)")
    #expect(viewer.rate(8, 25) > 0.4 && viewer.undecodable == 0, "\(viewer.rate(8, 25)) pictures a second")
    let (_, alone, without) = try hold(withHim: false)
    let rate = others.map { $0.rate(15, 25) }.min() ?? 0, before = alone.map { $0.rate(15, 25) }.min() ?? 0
    #expect(rate > 28 && rate > before - 0.5, "\(rate) pictures a second, \(before) without him")
    #expect(others.allSatisfy { $0.rung(at: 25) == 0 && $0.undecodable == 0 })
    #expect(webinar.encoders[0].keyframes <= without.encoders[0].keyframes + 1)
  }

  /// The handshake and the first sound fill such a line before anything is known of it.
  @Test(arguments: [(40_000, 3.0), (50_000, 2.3), (60_000, 2.1), (100_000, 1.5)], seeds)
  func aThinLineHasAPictureSoon(_ line: (bitsPerSecond: Int, seconds: Double), seed: UInt64) throws {
    let webinar = try Webinar(link: Link(), seed: seed)
    for _ in 0..<3 { try webinar.join(bitsPerSecond: 2_000_000) }
    webinar.run(seconds: 0.1 * Double(seed))
    let viewer = try webinar.join(bitsPerSecond: line.bitsPerSecond)
    let start = webinar.simulation.now
    webinar.run(seconds: 20)
    let first = viewer.pictures.first?.time ?? .distantFuture
    #expect(first < start + .time(line.seconds), "\(first - start)")
    #expect(viewer.undecodable == 0)
    #expect(viewer.rate(8, 20) > 0.8, "\(viewer.rate(8, 20)) pictures a second")
    #expect(viewer.longestSilence < .milliseconds(450), "\(viewer.longestSilence.milliseconds) ms without sound")
  }

  /// Its queue has no room for the whole of the first probe, which then tells by what came of it.
  @Test(arguments: seeds) func aLineOfThirtyKilobitsKeepsItsSound(seed: UInt64) throws {
    let webinar = try Webinar(link: Link(), seed: seed)
    let viewer = try webinar.join(bitsPerSecond: 30_000)
    webinar.run(seconds: 20)
    #expect(viewer.longestSilence < .milliseconds(700), "\(viewer.longestSilence.milliseconds) ms without sound")
    #expect(viewer.soundSeconds > 16.5, "\(viewer.soundSeconds) s of sound")
  }

  @Test func soundIsThinOnlyUntilTheLineIsKnown() throws {
    let webinar = try Webinar(link: Link(), seed: 6)
    try webinar.join(bitsPerSecond: 2_000_000)
    webinar.run(seconds: 3)
    let viewer = try webinar.join(bitsPerSecond: 2_000_000)
    var lengths: [Interval] = []
    webinar.run(seconds: 1) { if let length = viewer.lastSound?.length, lengths.last != length { lengths.append(length) } }
    #expect(lengths == [.milliseconds(120), .milliseconds(20)])
    #expect(viewer.longestSilence < .milliseconds(150), "\(viewer.longestSilence.milliseconds) ms without sound")
  }

  @Test(arguments: seeds) func lossOnAWirelessLineIsNoReasonForASmallerPicture(seed: UInt64) throws {
    var link = Link.lossy(0.02)
    link.jitter = .milliseconds(15)
    let webinar = try Webinar(link: link, seed: seed)
    let viewer = try webinar.join(bitsPerSecond: 4_000_000)
    webinar.run(seconds: 30)
    let late = viewer.pictures.filter { $0.time > .zero + .seconds(12) }
    #expect(late.count { $0.rung == 0 } > late.count * 8 / 10)
    #expect(viewer.rate(12, 30) > 26)
  }

  /// Half a second there and back, what is asked for again comes too late for most pictures.
  @Test(arguments: seeds) func parityThawsPicturesWhereRetransmissionsComeLate(seed: UInt64) throws {
    func hold(takesParity: Bool) throws -> Webinar.Viewer {
      var link = Link.lossy(0.03)
      link.delay = .milliseconds(250)
      let webinar = try Webinar(link: link, seed: seed, outputs: [(500_000, 30, [0.5, 0.7, 1])])
      let viewer = try webinar.join(isAutomatic: false, takesParity: takesParity)
      webinar.run(seconds: 60)
      return viewer
    }
    let with = try hold(takesParity: true), without = try hold(takesParity: false)
    #expect(with.media.statistics.parityPacketsSent > 100 && without.media.statistics.parityPacketsSent == 0)
    let (frozen, before) = (with.frozen(15, 60), without.frozen(15, 60))
    #expect(frozen < before / 3, "\(frozen) s frozen, \(before) s without parity")
    #expect(with.rate(15, 60) > without.rate(15, 60))
  }

  /// It is sent beside pictures, and comes on top of what they were chosen to take.
  @Test(arguments: seeds) func parityLeavesAThinLineNoQueue(seed: UInt64) throws {
    var link = Link.lossy(0.05)
    (link.delay, link.jitter) = (.milliseconds(100), .milliseconds(5))
    let webinar = try Webinar(link: link, seed: seed)
    let viewers = try [200_000, 500_000].map { try webinar.join(bitsPerSecond: $0) }
    var late = [0, 0]
    webinar.run(seconds: 50) {
      for (index, viewer) in viewers.enumerated() where webinar.queueDelay(of: viewer) > .milliseconds(250) { late[index] += 1 }
    }
    #expect(viewers.allSatisfy { $0.media.statistics.parityPacketsSent > 100 })
    #expect(late.allSatisfy { $0 < 50 * 50 / 20 }, "\(late) of \(50 * 50) times more than 250 ms in the queue")
    let rates = viewers.map { $0.rate(10, 50) }
    #expect(rates[0] > 1 && rates[1] > 10, "\(rates) pictures a second")
  }

  /// Copies of sound, parity and the bound by loss are for what is lost there, and leave pictures their room.
  @Test(
    arguments: [
      (50_000, 0.05, 40, 0.52), (60_000, 0.05, 200, 0.7), (100_000, 0.1, 40, 0.88), (100_000, 0.1, 200, 0.85),
      (200_000, 0.1, 40, 0.93),
    ])
  func aThinLineThatLosesPacketsHasSoundAndAPicture(
    _ line: (bitsPerSecond: Int, loss: Double, roundTrip: Int, pictures: Double)
  ) throws {
    // What is lost when makes much of a difference on such a line.
    let shares = try (1..<9 as Range<UInt64>).map { seed in
      let webinar = try Webinar(link: Link(), seed: seed)
      for encoder in webinar.encoders { encoder.unevenness = 0.3 }
      for _ in 0..<2 { try webinar.join(bitsPerSecond: 2_000_000) }
      webinar.run(seconds: 0.5 + 0.1 * Double(seed))
      let viewer = try webinar.join(bitsPerSecond: line.bitsPerSecond)
      webinar.setLine(of: viewer, loss: line.loss, delay: .milliseconds(Int64(line.roundTrip / 2)))
      webinar.run(seconds: 60)
      #expect(viewer.soundSeconds > 58.5 * (1 - line.loss / 2), "\(viewer.soundSeconds) s of sound")
      #expect(viewer.longestSilence < .milliseconds(800), "\(viewer.longestSilence.milliseconds) ms without sound")
      return viewer.shareOfSecondsWithPicture(6, 60)
    }
    #expect(shares.reduce(0, +) > line.pictures * Double(shares.count), "a new picture in \(shares) of the seconds")
    #expect(shares.allSatisfy { $0 > 0.65 * line.pictures }, "a new picture in \(shares) of the seconds")
  }

  @Test func whoNamedAnOutputStaysWithItAndLosesLayersOnly() throws {
    let webinar = try Webinar(link: Link(), seed: 9)
    let viewer = try webinar.join(bitsPerSecond: 1_150_000, isAutomatic: false)
    webinar.run(seconds: 25)
    #expect(viewer.pictures.allSatisfy { $0.rung == 0 })
    #expect(viewer.rate(10, 25) > 7 && viewer.rate(10, 25) < 25, "\(viewer.rate(10, 25)) pictures a second")
  }
}
