import AudioMixing
import EncodedMedia
import RawMedia
import Synchronization
import Timing
import WebRTCTransport

/// The sound of one room, made anew every 20 ms.
///
///     Voice (playout, decoding where it matters) ─▶ SpeakerDetector ─▶ heard ─▶ slots of MixHistory, a wide sum
///     MixRouting: who hears whom ─▶ distinct mixes, each a set of slots left out
///         sum - left out, exactly ─▶ limit ─▶ encode once ─▶ all who hear just this
///
/// So there are as many encodes as distinct mixes: one for everybody who is not heard, and one for each who is. A member moves to a
/// mix without himself in the very tick he is heard for the first time, else he would hear his own first syllable; packets that
/// began before are made without him from their beginning, since the last ticks are kept in parts.
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
    /// Whose mix he hears instead of one of his own.
    package let mixOf: UInt32?
    package let rules: HearingRules
    package let wishes: SoundWishes

    package init(
      media: ParticipantMedia, peer: PeerID, sends: Bool, receives: Bool, mixOf: UInt32? = nil,
      rules: HearingRules = HearingRules(), wishes: SoundWishes = SoundWishes()
    ) {
      self.media = media
      self.peer = peer
      self.sends = sends
      self.receives = receives
      self.mixOf = mixOf
      self.rules = rules
      self.wishes = wishes
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
    /// A prompt is not played: there are too many already.
    case promptRefused(Prompt.ID)
  }

  private enum Command: Sendable {
    case join(Member)
    case leave(UInt32)
    case configure(AudioSettings)
    case setRules(UInt32, HearingRules)
    case setFlow(UInt32, sends: Bool, receives: Bool)
    case play(Prompt)
    case setAudience(Prompt.ID, Prompt.Audience)
    case stopPrompt(Prompt.ID)
  }

  package let tickPeriod = Interval.milliseconds(Int64(AudioFormat.millisecondsPerTick))
  private let mailbox = Mailbox<Command>(capacity: 100_000)
  /// Rung by all that comes for this room: commands and frames.
  private let bell = Bell()
  let transport: any PeerTransport
  let outputs: OutputIDSource
  private let board: SceneBoard
  let report: @Sendable (Change) -> Void

  var settings: AudioSettings
  var renditions: SoundRenditions
  var seats: [MixSeat] = []
  /// Those of the seats that have voices, and these, in the seats' order: of a thousand who watch no tick needs to hear.
  private(set) var speakers: [MixSeat] = []
  private var voices: [Voice] = []
  /// Whether the output of somebody is to be chosen as soon as his line is known.
  var hasNewcomers = false
  var slots = MixSlots()
  var history: MixHistory
  private var detector: SpeakerDetector
  var prompts: [PromptPlayer] = []
  var mixes: [DistinctMix] = []
  /// Whether who hears what must be worked out anew.
  var mustRoute = false
  var mixer = AutoMixer()
  /// Whether anything in the mix has frequencies from 8 kHz on.
  var isFullBand = true
  /// Nobody speaks, nothing waits and nothing is to be changed: until something comes, ticks have nothing to do but count.
  var isAsleep = false
  /// The next tick that is needed though nothing comes: a pause packet is due.
  private var nextNeeded: Int64 = .min
  /// One prompt's tick.
  var contribution: [Int32]
  private var commands: [Command] = []
  /// Who leaves by the commands taken last and still has his seat: a crowd goes in one pass, without a search for each.
  private var leaving: [UInt32] = []
  private var speakerEvents: [SpeakerEvent] = []

  /// - Parameter outputs: names the outputs of the distinct mixes.
  package init(
    settings: AudioSettings, outputs: OutputIDSource, transport: any PeerTransport, board: SceneBoard,
    report: @escaping @Sendable (Change) -> Void
  ) {
    self.settings = settings
    self.outputs = outputs
    self.transport = transport
    self.board = board
    self.report = report
    renditions = SoundRenditions(settings.renditions)
    history = MixHistory(channelCount: settings.channelCount)
    contribution = [Int32](repeating: 0, count: AudioFormat.samplesPerTick * settings.channelCount)
    detector = SpeakerDetector(settings: .init(heardMax: settings.maxSpeakers))
    mailbox.ring(bell)
  }

  // MARK: From other threads

  package func join(_ member: Member) { mailbox.post(.join(member)) }
  package func leave(_ number: UInt32) { mailbox.post(.leave(number)) }
  /// Takes effect whole at the next tick.
  package func configure(_ settings: AudioSettings) { mailbox.post(.configure(settings)) }
  /// Whom a member hears, and who hears him: as soon as packets of every length begin anew, within 120 ms.
  package func setRules(_ rules: HearingRules, of number: UInt32) { mailbox.post(.setRules(number, rules)) }
  /// What a member sends and receives from now on. Who does not send any more is silent by himself.
  package func setFlow(of number: UInt32, sends: Bool, receives: Bool) {
    mailbox.post(.setFlow(number, sends: sends, receives: receives))
  }
  package func play(_ prompt: Prompt) { mailbox.post(.play(prompt)) }
  /// Who hears a prompt: as soon as packets of every length begin anew, within 120 ms.
  package func setAudience(_ audience: Prompt.Audience, of id: Prompt.ID) { mailbox.post(.setAudience(id, audience)) }
  /// Fades a prompt out within a tick.
  package func stopPrompt(_ id: Prompt.ID) { mailbox.post(.stopPrompt(id)) }

  // MARK: On the mix loop

  package func tick(_ index: Int64, due: Instant) {
    // All mixes of all rooms count from one origin: whoever changes mixes keeps his timeline.
    let tick = due.nanoseconds / tickPeriod.nanoseconds
    let isLooking = index % 50 == 0
    // Most rooms sleep most of the time: this is all they cost then.
    if isAsleep, tick < nextNeeded, !isLooking, !bell.isRung { return }
    let hasMail = bell.answer()
    if isAsleep { for mix in mixes { mix.sleep(until: tick) } }
    if hasMail { takeCommands() }
    guard !seats.isEmpty else {
      // Nobody is left from whom the last to leave would be kept.
      _ = slots.free(at: .max) { _ in }
      (isAsleep, nextNeeded) = (true, .max)
      return
    }
    if !isAsleep || hasMail && !absorb(at: due, tick) { advance(to: due, tick) }
    // Those that begin go on from what their listeners heard until now, before that goes on itself.
    for mix in mixes where mix.encoder == nil { send(mix, tick, due) }
    for mix in mixes where mix.lastTick != tick { send(mix, tick, due) }
    if isLooking { look(at: due) } else if index % 5 == 0 { lookAtNewcomers(at: due) }
    nextNeeded = mixes.reduce(hasNewcomers ? tick + 5 - index % 5 : .max) { min($0, $1.encoder?.nextDue(after: tick) ?? tick) }
  }

  /// Takes in what came while nobody was listened to.
  ///
  /// - Returns: whether that is nothing but pauses, of which nobody awakes.
  private func absorb(at due: Instant, _ tick: Int64) -> Bool {
    var isQuiet = true
    for voice in voices where !voice.absorb(at: due, tick: tick) { isQuiet = false }
    return isQuiet
  }

  /// All but the encoding.
  private func advance(to due: Instant, _ tick: Int64) {
    if tick % MixSlots.cycle == 0 { beginCycle(at: tick) }
    for index in voices.indices {
      Voice.prefetch(voices, after: index)
      voices[index].advance(to: due, tick: tick)
    }
    judge(at: due, tick: tick)
    if mustRoute { route() }
    sumUp(tick)
    isFullBand = settings.mode == .music || !prompts.isEmpty || speakers.contains { $0.isHeard && $0.voice?.isFullBand == true }
    isAsleep = prompts.isEmpty && slots.range.isEmpty && seats.allSatisfy(\.isAtRest)
    if isAsleep { for voice in voices { voice.sleep() } }
  }

  private func takeCommands() {
    mailbox.collect(into: &commands)
    if !commands.isEmpty { isAsleep = false }
    for command in commands {
      switch command {
      case .join(let member):
        // His may be the number of one who has just left.
        unseatLeaving()
        seat(member)
      case .leave(let number): leaving.append(number)
      case .configure(let new): apply(new)
      case .setRules(let number, let rules):
        seat(of: number)?.newRules = rules
        // Who becomes deaf is sent nothing from now on; the rest waits for packets of every length to begin.
        mustRoute = true
      case .setFlow(let number, let sends, let receives): setFlow(number, sends: sends, receives: receives)
      case .play(let prompt): start(prompt)
      case .setAudience(let id, let audience):
        for index in prompts.indices where prompts[index].prompt.id == id { prompts[index].newAudience = audience }
      case .stopPrompt(let id): for index in prompts.indices where prompts[index].prompt.id == id { prompts[index].stop() }
      }
    }
    unseatLeaving()
    if !commands.isEmpty {
      speakers = seats.filter { $0.voice != nil }
      voices = speakers.compactMap(\.voice)
      noteNewcomers()
    }
    commands.removeAll(keepingCapacity: true)
  }

  func seat(of number: UInt32) -> MixSeat? { seats.first { $0.number == number } }

  private func seat(_ member: Member) {
    let seat = MixSeat(member)
    member.media.audio.ring(bell)
    if member.sends { seat.voice = try? Voice(media: member.media, settings: settings) }
    // Until his line is known it may be one that the first output would fill.
    if member.rules.audioOutput == AudioSettings.automaticOutput {
      seat.nextOutput = RenditionChoice.least(of: renditions.outputs)
      seat.chosenOutput = seat.nextOutput
    }
    seats.append(seat)
    mustRoute = true
  }

  private func setFlow(_ number: UInt32, sends: Bool, receives: Bool) {
    guard let seat = seat(of: number) else { return }
    if sends, seat.voice == nil { seat.voice = try? Voice(media: seat.member.media, settings: settings) }
    guard receives != seat.receives else { return }
    seat.receives = receives
    mustRoute = true
  }

  private func unseatLeaving() {
    guard !leaving.isEmpty else { return }
    let numbers = Set(leaving)
    for slot in slots.range {
      if let seat = slots.voice(in: slot), numbers.contains(seat.number) { slots.leave(slot) }
    }
    seats.removeAll { numbers.contains($0.number) }
    for number in leaving { detector.remove(number, into: &speakerEvents) }
    leaving.removeAll(keepingCapacity: true)
    tellSpeakers()
    mustRoute = true
  }

  private func apply(_ new: AudioSettings) {
    guard new != settings else { return }
    let old = settings
    settings = new
    detector.heardMax = new.maxSpeakers
    if new.channelCount != old.channelCount {
      history = MixHistory(channelCount: new.channelCount)
      contribution = [Int32](repeating: 0, count: AudioFormat.samplesPerTick * new.channelCount)
      for player in prompts {
        slots.leave(player.slot)
        report(.promptEnded(player.prompt.id))
      }
      prompts.removeAll()
    }
    if (new.channelCount, new.mode, new.noiseSuppression) != (old.channelCount, old.mode, old.noiseSuppression) {
      for seat in seats where seat.voice != nil { seat.voice = try? Voice(media: seat.member.media, settings: new) }
    }
    renditions = SoundRenditions(new.renditions)
    beginEncodersAnew()
    mustRoute = true
  }

  func beginEncodersAnew() {
    for mix in mixes {
      mix.encoder = nil
      mix.lastTick = nil
    }
  }

  /// Packets of every length begin with this tick: who left the mix may hear it whole, and new rules hold from here on.
  private func beginCycle(at tick: Int64) {
    let hasFreed = slots.free(at: tick) { owner in
      if case .voice(let seat) = owner { seat.slot = nil }
    }
    if hasFreed { mustRoute = true }
    for index in prompts.indices {
      guard let audience = prompts[index].newAudience else { continue }
      slots.setAudience(audience, ofPromptIn: prompts[index].slot)
      prompts[index].newAudience = nil
      mustRoute = true
    }
    var hasNewRules = false
    for seat in seats {
      if seat.nextOutput != seat.chosenOutput {
        seat.chosenOutput = seat.nextOutput
        mustRoute = true
      }
      guard let rules = seat.newRules else { continue }
      seat.rules = rules
      seat.newRules = nil
      mustRoute = true
      hasNewRules = true
    }
    if hasNewRules { noteNewcomers() }
  }

  /// Decides who is heard in this tick.
  private func judge(at now: Instant, tick: Int64) {
    for seat in speakers {
      guard let voice = seat.voice else { continue }
      detector.observe(seat.number, level: voice.level, isOpen: voice.gate.isOpen, isLoud: voice.gate.isLoud)
    }
    detector.update(at: now, into: &speakerEvents)
    for seat in speakers {
      guard let voice = seat.voice else { continue }
      let isHeard = detector.isHeard(seat.number)
      if isHeard, !seat.isHeard { voice.enter() }
      if isHeard, seat.slot == nil {
        seat.slot = slots.take(.voice(seat))
        mustRoute = true
      }
      seat.wasHeard = seat.isHeard
      seat.isHeard = isHeard && seat.slot != nil
    }
    tellSpeakers()
  }

  private func tellSpeakers() {
    for event in speakerEvents {
      switch event {
      case .speakingStarted(let number):
        seat(of: number)?.member.media.speaking.store(true, ordering: .relaxed)
        report(.speakingStarted(number))
      case .speakingStopped(let number):
        seat(of: number)?.member.media.speaking.store(false, ordering: .relaxed)
        report(.speakingStopped(number))
      case .floorChanged(let number):
        board.floor = number
        report(.floor(number))
      }
    }
    speakerEvents.removeAll(keepingCapacity: true)
  }
}

extension AudioSettings {
  package var channelCount: Int { stereo ? 2 : 1 }
  /// All audio outputs, the first of which everybody hears who chooses none. Where a room names no others there are two more for who
  /// leaves the choice to the server and has a thin line: as any output, they are encoded only while somebody hears them.
  package var renditions: [AudioOutputSettings] {
    let main = AudioOutputSettings(name: Self.mainOutput, bitrate: bitrate)
    return [main] + (outputs.isEmpty ? AudioOutputSettings.forThinLines.filter { $0.bitrate < bitrate } : outputs)
  }
}
