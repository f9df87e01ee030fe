import AudioMixing
import EncodedMedia
import RawMedia
import Synchronization
import Timing
import WebRTCTransport

/// The sound of one room, made anew every 20 ms.
///
///     Voice (playout, decode, gain) ─▶ SpeakerDetector ─▶ heard ─▶ MixBus, a wide sum
///         sum                ─▶ limit ─▶ encode once ─▶ everyone who is not heard
///         sum - own, exactly ─▶ limit ─▶ encode      ─▶ each who is heard, and who follows his mix
///
/// A member moves from the shared to his personal mix in the very tick he is heard for the first time, else he would hear his own
/// first syllable; his encoder is primed with what he heard before, and both mixes count time alike, so the change is not heard.
///
/// Belongs to the mix loop; other threads reach it through its mailbox.
package final class RoomMix: Ticking, @unchecked Sendable {
  // Unchecked: everything below the mailbox is touched by the mix loop alone.

  /// One who is in the mix, hears it, or both.
  package struct Member: Sendable {
    package let media: ParticipantMedia
    package let peer: PeerID
    package let sends: Bool
    package let receives: Bool
    /// The output of the mix without this member.
    package let personalOutput: OutputID
    /// Whose mix he hears instead of one of his own.
    package let mixOf: UInt32?

    package init(
      media: ParticipantMedia, peer: PeerID, sends: Bool, receives: Bool, personalOutput: OutputID, mixOf: UInt32? = nil
    ) {
      self.media = media
      self.peer = peer
      self.sends = sends
      self.receives = receives
      self.personalOutput = personalOutput
      self.mixOf = mixOf
    }

    var number: UInt32 { media.number }
  }

  /// What the control side is told.
  package enum Change: Sendable, Equatable {
    case speakingStarted(UInt32)
    case speakingStopped(UInt32)
    case floor(UInt32?)
    /// A prompt reached its end; one that was stopped does not tell.
    case promptEnded(Prompt.ID)
  }

  private enum Command: Sendable {
    case join(Member)
    case leave(UInt32)
    case configure(AudioSettings)
    case reroute
    case setRules(UInt32, HearingRules)
    case play(Prompt)
    case stopPrompt(Prompt.ID)
  }

  /// A member as the loop knows him.
  private final class Seat {
    let member: Member
    var voice: Voice?
    var gate = VoiceGate(settings: .init(opensAbove: 9, staysAbove: 4, quietest: 70, hold: .milliseconds(800)))
    var isHeard = false
    var encoder: MixEncoder?
    /// The tick his own mix was made for last.
    var lastTick: Int64?
    /// The output his peer is subscribed to.
    var subscribed: OutputID?

    init(_ member: Member) { self.member = member }
  }

  package let tickPeriod = Interval.milliseconds(Int64(AudioFormat.millisecondsPerTick))
  private let mailbox = Mailbox<Command>(capacity: 100_000)
  private let transport: any PeerTransport
  private let board: SceneBoard
  private let report: @Sendable (Change) -> Void
  private let sharedOutput: OutputID

  private var settings: AudioSettings
  private var seats: [Seat] = []
  private var bus: MixBus
  private var detector: SpeakerDetector
  private var shared: MixEncoder?
  /// The tick the shared mix was made for last.
  private var lastSharedTick: Int64?
  /// This tick's mix being made, and the last tick's shared one.
  private var mix: [Int32]
  private var sharedMix: [Int32]
  private var lastSharedMix: [Int32]
  private var commands: [Command] = []
  private var speakerEvents: [SpeakerEvent] = []

  package init(
    settings: AudioSettings, sharedOutput: OutputID, transport: any PeerTransport, board: SceneBoard,
    report: @escaping @Sendable (Change) -> Void
  ) {
    self.settings = settings
    self.sharedOutput = sharedOutput
    self.transport = transport
    self.board = board
    self.report = report
    let channelCount = settings.stereo ? 2 : 1
    bus = MixBus(channelCount: channelCount)
    detector = SpeakerDetector(settings: .init(heardMax: settings.maxSpeakers))
    mix = [Int32](repeating: 0, count: AudioFormat.samplesPerTick * channelCount)
    sharedMix = mix
    lastSharedMix = mix
  }

  // MARK: From other threads

  package func join(_ member: Member) { mailbox.post(.join(member)) }
  package func leave(_ number: UInt32) { mailbox.post(.leave(number)) }
  /// Takes effect whole at the next tick.
  package func configure(_ settings: AudioSettings) { mailbox.post(.configure(settings)) }
  /// Somebody was made deaf or hears again.
  package func reroute() { mailbox.post(.reroute) }

  /// Whom a member hears, and who hears him, from the next tick on.
  package func setRules(_ rules: HearingRules, of number: UInt32) { mailbox.post(.setRules(number, rules)) }
  package func play(_ prompt: Prompt) { mailbox.post(.play(prompt)) }
  /// Fades a prompt out within a tick.
  package func stopPrompt(_ id: Prompt.ID) { mailbox.post(.stopPrompt(id)) }

  // MARK: On the mix loop

  package func tick(_ index: Int64, due: Instant) {
    takeCommands(at: due)
    guard !seats.isEmpty else { return }
    for seat in seats { seat.voice?.advance(to: due) }
    judge(at: due)
    sumUp()
    // All mixes of all rooms count from one origin: whoever changes mixes keeps his timeline.
    let tick = due.nanoseconds / tickPeriod.nanoseconds
    let contributors = contributors()
    sendShared(tick, due, contributors)
    for seat in seats where seat.isHeard { sendPersonal(seat, tick, due, contributors) }
    swap(&sharedMix, &lastSharedMix)
    if index % 50 == 0 { for seat in seats { seat.voice?.report() } }
  }

  private func takeCommands(at now: Instant) {
    mailbox.collect(into: &commands)
    for command in commands {
      switch command {
      case .join(let member): seat(member)
      case .leave(let number): unseat(number)
      case .configure(let new): apply(new)
      case .reroute, .setRules, .play, .stopPrompt: route()
      }
    }
  }

  private func seat(_ member: Member) {
    let seat = Seat(member)
    if member.sends { seat.voice = try? Voice(media: member.media, channelCount: bus.channelCount) }
    seats.append(seat)
    route()
  }

  private func unseat(_ number: UInt32) {
    seats.removeAll { $0.member.number == number }
    detector.remove(number, into: &speakerEvents)
    tellSpeakers()
    route()
  }

  private func apply(_ new: AudioSettings) {
    guard new != settings else { return }
    settings = new
    let channelCount = new.stereo ? 2 : 1
    if channelCount != bus.channelCount {
      bus = MixBus(channelCount: channelCount)
      mix = [Int32](repeating: 0, count: AudioFormat.samplesPerTick * channelCount)
      sharedMix = mix
      lastSharedMix = mix
      for seat in seats where seat.voice != nil {
        seat.voice = try? Voice(media: seat.member.media, channelCount: channelCount)
      }
    }
    detector.heardMax = new.maxSpeakers
    shared = nil
    for seat in seats { seat.encoder = nil }
  }

  /// Decides who is heard in this tick, and moves members between mixes at once.
  private func judge(at now: Instant) {
    for seat in seats {
      guard let voice = seat.voice else { continue }
      let isOpen = seat.gate.update(level: voice.level, at: now)
      detector.observe(seat.member.number, level: voice.level, isOpen: isOpen, isLoud: seat.gate.isLoud)
    }
    detector.update(at: now, into: &speakerEvents)
    var changed = false
    for seat in seats {
      let isHeard = seat.voice != nil && detector.isHeard(seat.member.number)
      if isHeard != seat.isHeard { changed = true }
      seat.isHeard = isHeard
    }
    if changed { route() }
    tellSpeakers()
  }

  /// Subscribes each member to the mix he is to hear from this tick on.
  private func route() {
    for seat in seats where seat.member.receives {
      let isDeaf = seat.member.media.deaf.load(ordering: .relaxed)
      let output = isDeaf ? nil : output(for: seat)
      guard output != seat.subscribed else { continue }
      seat.subscribed = output
      transport.subscribe(seat.member.peer, .audio, to: output)
    }
  }

  private func output(for seat: Seat) -> OutputID {
    if let followed = seat.member.mixOf, let other = seats.first(where: { $0.member.number == followed }) {
      return other.isHeard ? other.member.personalOutput : sharedOutput
    }
    return seat.isHeard ? seat.member.personalOutput : sharedOutput
  }

  private func tellSpeakers() {
    for event in speakerEvents {
      switch event {
      case .speakingStarted(let number):
        media(number)?.speaking.store(true, ordering: .relaxed)
        report(.speakingStarted(number))
      case .speakingStopped(let number):
        media(number)?.speaking.store(false, ordering: .relaxed)
        report(.speakingStopped(number))
      case .floorChanged(let number):
        board.floor = number
        report(.floor(number))
      }
    }
    speakerEvents.removeAll(keepingCapacity: true)
  }

  private func media(_ number: UInt32) -> ParticipantMedia? { seats.first { $0.member.number == number }?.member.media }

  // MARK: The mixes

  private func sumUp() {
    bus.clear()
    for seat in seats where seat.isHeard {
      if let voice = seat.voice { bus.add(voice.samples.span) }
    }
    var room = sharedMix.mutableSpan
    bus.copy(into: &room)
  }

  /// Who is heard and how loud (RFC 3550 section 7.1, RFC 6465).
  private func contributors() -> [(number: UInt32, contributor: Contributor)] {
    seats.compactMap { seat in
      guard seat.isHeard, let voice = seat.voice, let source = voice.source else { return nil }
      return (seat.member.number, Contributor(source: source, level: voice.level))
    }
  }

  private func sendShared(_ tick: Int64, _ due: Instant, _ contributors: [(number: UInt32, contributor: Contributor)]) {
    let isWanted = seats.contains { $0.subscribed == sharedOutput }
    guard isWanted else {
      shared = nil
      return
    }
    if shared == nil { shared = try? MixEncoder(output: sharedOutput, settings: settings) }
    prime(shared, ifNot: lastSharedTick, isBefore: tick)
    lastSharedTick = tick
    var list = ContributorList()
    for (_, contributor) in contributors { list.append(contributor) }
    let sum = sharedMix
    send(shared, sum.span, isSilent: contributors.isEmpty, tick, due, list)
  }

  private func sendPersonal(
    _ seat: Seat, _ tick: Int64, _ due: Instant, _ contributors: [(number: UInt32, contributor: Contributor)]
  ) {
    let output = seat.member.personalOutput
    guard seats.contains(where: { $0.subscribed == output }), let voice = seat.voice else {
      seat.encoder = nil
      return
    }
    if seat.encoder == nil { seat.encoder = try? MixEncoder(output: output, settings: settings) }
    prime(seat.encoder, ifNot: seat.lastTick, isBefore: tick)
    seat.lastTick = tick
    var room = mix.mutableSpan
    bus.minusOne(voice.samples.span, into: &room)
    var list = ContributorList()
    for (number, contributor) in contributors where number != seat.member.number { list.append(contributor) }
    let sum = mix
    send(seat.encoder, sum.span, isSilent: list.count == 0, tick, due, list)
  }

  /// Where the encoder's last tick was another than the one before, its receivers have heard the shared mix since.
  private func prime(_ encoder: MixEncoder?, ifNot last: Int64?, isBefore tick: Int64) {
    guard last != tick - 1 else { return }
    let heardBefore = lastSharedMix
    encoder?.prime(with: heardBefore.span)
  }

  private func send(
    _ encoder: MixEncoder?, _ mix: Span<Int32>, isSilent: Bool, _ tick: Int64, _ due: Instant, _ contributors: ContributorList
  ) {
    guard let encoder else { return }
    if let frame = encoder.encode(mix, isSilent: isSilent, tick: tick, due: due, contributors: contributors) {
      transport.send(frame, to: encoder.output)
    }
  }
}
