import Codecs
import Conference
import EncodedMedia
import RawMedia
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// One who beeps and flashes at once, over lines of sound and picture that are late each in its way, in virtual time.
///
///     sender ─▶ jitter, in order ─▶ Voice of the mix ─▶ mix, decoded: when is the beep?
///                               └─▶ VideoSource ─▶ looked at 30 times a second: when is the flash?
private final class BeepAndFlash {
  private static let hertz = 3_000.0
  private static let period = Interval.milliseconds(33)
  private static let origin = NTPTime(unixNanoseconds: 1_700_000_000_000_000_000)

  /// When something captured then came out, in milliseconds.
  struct Event {
    var captured: Double
    var delay: Double
  }

  private let room: SoundRoom
  private let person: SoundRoom.Person
  private let listener: SoundRoom.Person
  private let sounds: [(packet: [UInt8], level: UInt8?)]
  private let pictures: [[UInt8]]
  private var random: SeededRandom
  /// Frames under way, in the order they come, and until when each kind's line is taken.
  private var inFlight: [EncodedFrame] = []
  private var lastArrival: [MediaKind: Instant] = [:]
  private var captured: [MediaKind: Int] = [:]
  private var nextLook = Instant.zero
  private var wasBright = false
  private(set) var flashes: [Event] = []
  private var playoutDelays: [Double] = []
  private let start = Instant.zero + .seconds(100)

  /// Two seconds, in which 100 ms of beep and flash begin at the first.
  private static func isOn(_ time: Interval) -> Bool { time.nanoseconds % 2_000_000_000 / 1_000_000 < 100 }

  init(seed: UInt64) throws {
    room = try SoundRoom(AudioSettings(bitrate: 64_000, mode: .music))
    person = room.join()
    listener = room.join(sends: false)
    random = SeededRandom(seed: seed)
    // A hum that never pauses.
    let microphone = try Microphone()
    let beat = try (0..<200).map { index in
      let hum = Tones.sine(200, amplitude: 3_000, count: 960, from: index * 960)
      guard Self.isOn(.milliseconds(20) * Int64(index)) else { return try microphone.take(hum) }
      let beep = Tones.sine(Self.hertz, amplitude: 9_000, count: 960, from: index * 960)
      return try microphone.take(zip(hum, beep).map { $0 + $1 })
    }
    sounds = Array(beat.suffix(100))
    pictures = try (0...1).map { bright in
      let encoder = try VideoEncoder(
        codec: .vp8, width: 64, height: 64, settings: .init(bitsPerSecond: 100_000, framesPerSecond: 30))
      let picture = Picture(width: 64, height: 64)
      picture.fill(YUVColor(y: bright == 1 ? 200 : 50, u: 128, v: 128))
      var bytes: [UInt8] = []
      _ = try encoder.encode(picture, at: .zero, asKeyframe: true, into: &bytes)
      return bytes
    }
  }

  func run(seconds: Int, jitter: (MediaKind) -> Interval) {
    for _ in 0..<seconds * 50 {
      room.step { tick, now in
        capture(.audio, every: .milliseconds(20), until: now, jitter)
        capture(.video, every: Self.period, until: now, jitter)
        while let frame = inFlight.first, frame.time <= now { deliver(inFlight.removeFirst()) }
        look(until: now)
      }
      playoutDelays.append(person.media.audioStatistics.playout.delay.milliseconds)
    }
  }

  private func capture(_ kind: MediaKind, every period: Interval, until now: Instant, _ jitter: (MediaKind) -> Interval) {
    while case let number = captured[kind, default: 0], case let time = period * Int64(number), start + time <= now {
      captured[kind] = number + 1
      let late = Interval.nanoseconds(Int64.random(in: 0...max(jitter(kind).nanoseconds, 1), using: &random))
      let arrival = max(start + time + .milliseconds(30) + late, lastArrival[kind] ?? .zero)
      lastArrival[kind] = arrival
      let sound = sounds[number % sounds.count]
      var frame = EncodedFrame(
        codec: kind == .audio ? .opus : .vp8,
        payload: FrameBuffer(kind == .audio ? sound.packet : pictures[Self.isOn(time) ? 1 : 0]),
        timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: time.ticks(at: kind == .audio ? 48_000 : 90_000))),
        sequence: Int64(number), isKeyframe: true, time: arrival, audioLevel: kind == .audio ? sound.level : nil)
      frame.source = SSRC(kind == .audio ? 1 : 2)
      frame.captureTime = Self.origin + time
      inFlight.insert(frame, at: inFlight.firstIndex { $0.time > arrival } ?? inFlight.count)
    }
  }

  private func deliver(_ frame: EncodedFrame) {
    // Canvases look at their own times, with what was there by then.
    look(until: frame.time)
    person.media.peer(
      person.peer, didReceive: frame, on: StreamID(media: frame.codec.kind == .audio ? 0 : 1, kind: frame.codec.kind))
  }

  private func look(until now: Instant) {
    if nextLook < start { nextLook = start }
    while nextLook < now {
      if let shown = person.media.video.pictures.picture(at: nextLook) {
        let isBright = shown.shown.picture.luma[0] > 120
        if isBright, !wasBright { note((nextLook - start).milliseconds, in: &flashes) }
        wasBright = isBright
      }
      nextLook += Self.period
    }
  }

  /// When beeps began in the mix.
  func beeps() throws -> [Event] {
    let decoder = try OpusDecoder(channelCount: 1)
    var events: [Event] = []
    var wasOn = false
    for frame in listener.received.map(\.frame) {
      var samples = [Int16](repeating: 0, count: OpusDecoder.samplesPerPacketMax)
      var room = samples.mutableSpan
      let bytes = frame.payload.bytes
      let count = try decoder.decode(bytes.span, into: &room)
      for place in stride(from: 0, to: count, by: 240) {
        let isOn = Tones.level(of: Self.hertz, in: Array(samples[place..<place + 240])) > 70
        if isOn, !wasOn { note((frame.time - start).milliseconds + Double(place) / 48, in: &events) }
        wasOn = isOn
      }
    }
    return events
  }

  /// Something began then that was captured at the last beat, 20 ms before at least.
  private func note(_ time: Double, in events: inout [Event]) {
    let begun = ((time - 20) / 2_000).rounded(.down) * 2_000
    if events.last?.captured != begun { events.append(Event(captured: begun, delay: time - begun)) }
  }

  /// By how many milliseconds sound left after its picture, for each beat from a second on.
  func skews(from second: Int) throws -> [Double] {
    let beeps = try beeps()
    return flashes.compactMap { flash in
      guard flash.captured >= Double(second) * 1_000 else { return nil }
      return beeps.first { $0.captured == flash.captured }.map { $0.delay - flash.delay }
    }
  }

  /// What playout waits at the end.
  var playoutDelay: Double { playoutDelays.last ?? 0 }
}

@Suite struct LipSyncSimulations {
  @Test(arguments: [nil, MediaKind.audio, .video], [1, 2] as [UInt64])
  func soundAndPictureLeaveTogetherWhicheverComesLate(late: MediaKind?, seed: UInt64) throws {
    let person = try BeepAndFlash(seed: seed)
    person.run(seconds: 60) { $0 == late ? .milliseconds(200) : .zero }
    let skews = try person.skews(from: 14)
    #expect(skews.count >= 20)
    #expect(skews.allSatisfy { $0 >= -40 && $0 <= 60 }, "\(skews)")
    if late == nil { #expect(person.playoutDelay < 40) }
  }

  @Test func soundComesBackWhenItsPictureDoes() throws {
    let person = try BeepAndFlash(seed: 3)
    person.run(seconds: 6) { _ in .zero }
    let before = person.playoutDelay
    person.run(seconds: 20) { .milliseconds($0 == .video ? 200 : 0) }
    #expect(person.playoutDelay > 150)
    person.run(seconds: 20) { _ in .zero }
    #expect(person.playoutDelay <= before + 20)
    let skews = try person.skews(from: 42)
    #expect(skews.allSatisfy { $0 >= -40 && $0 <= 60 }, "\(skews)")
  }
}
