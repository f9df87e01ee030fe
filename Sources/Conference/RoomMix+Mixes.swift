import AudioMixing
import EncodedMedia
import RawMedia
import Timing
import WebRTCTransport

/// What is heard, and by whom: routes, prompts, the sum and its mixes.
extension RoomMix {
  /// Subscribes each member to the mix he is to hear from this tick on.
  func route() {
    mustRoute = false
    var wanted = wantedMixes()
    if renditions.makeRoom(using: Set(wanted.compactMap { $0?.rendition })) {
      beginEncodersAnew()
      wanted = wantedMixes()
    }
    mixes = MixRouting.assign(wanted, to: seats, outputs: outputs)
    for seat in seats where seat.receives && seat.subscribed != seat.mix?.output {
      seat.subscribed = seat.mix?.output
      transport.subscribe(seat.member.peer, .audio, to: seat.subscribed)
    }
  }

  private func wantedMixes() -> [DistinctMix.Key?] {
    seats.map { seat -> DistinctMix.Key? in
      guard seat.receives, !seat.isDeaf else { return nil }
      let ear = seat.member.mixOf.flatMap { self.seat(of: $0) } ?? seat
      let rendition = renditions.index(of: seat.audioOutput, for: seat.member.wishes)
      return .init(excluded: MixRouting.excluded(for: ear, slots: slots), rendition: rendition)
    }
  }

  // MARK: Prompts

  func start(_ prompt: Prompt) {
    guard let slot = slots.take(.prompt(prompt)) else { return report(.promptRefused(prompt.id)) }
    prompts.append(PromptPlayer(prompt, slot: slot, channelCount: settings.channelCount))
    mustRoute = true
  }

  private func addPrompts(_ tick: Int64) {
    for index in prompts.indices {
      prompts[index].render(into: &contribution)
      history.add(contribution.span, slot: prompts[index].slot)
      slots.touch(prompts[index].slot, at: tick)
    }
    for player in prompts where player.isOver {
      slots.leave(player.slot)
      if !player.isStopping { report(.promptEnded(player.prompt.id)) }
    }
    prompts.removeAll { $0.isOver }
  }

  // MARK: The mixes

  func sumUp(_ tick: Int64) {
    guard !prompts.isEmpty || speakers.contains(where: { $0.isHeard || $0.wasHeard }) else { return }
    history.begin(tick)
    let isShared = settings.mode == .speech
    if isShared {
      mixer.begin()
      for seat in speakers where seat.isHeard { seat.voice?.claim(&mixer) }
    }
    for seat in speakers where seat.isHeard || seat.wasHeard {
      guard let voice = seat.voice, let slot = seat.slot else { continue }
      let pan = settings.audioPan ? Pan(position: Double(seat.member.media.pan)) : .center
      voice.render(isHeard: seat.isHeard, mixer: isShared ? mixer : nil, pan: pan)
      history.add(voice.contribution.span, slot: slot)
      slots.touch(slot, at: tick)
    }
    addPrompts(tick)
  }

  func send(_ mix: DistinctMix, _ tick: Int64, _ due: Instant) {
    if mix.encoder == nil {
      mix.encoder = try? MixEncoder(
        output: mix.output, rendition: renditions[mix.key.rendition], channelCount: settings.channelCount, mode: settings.mode)
    }
    guard let encoder = mix.encoder, encoder.endsPacket(tick) else { return }
    if encoder.isFullBand != isFullBand { encoder.isFullBand = isFullBand }
    let length = Int64(encoder.ticksPerPacket)
    if mix.lastTick != tick - length {
      if let origin = mix.origin, origin.lastTick == tick - length, let before = origin.encoder {
        encoder.continue(after: before)
      } else {
        encoder.prime(from: history, endingAt: tick, without: mix.key.excluded)
      }
    }
    mix.origin = nil
    mix.lastTick = tick
    let (contributors, isSilent) = contents(of: mix, since: tick - length + 1)
    let frame = encoder.encode(
      history, endingAt: tick, without: mix.key.excluded, isSilent: isSilent, due: due, contributors: contributors)
    if let frame { transport.send(frame, to: mix.output) }
  }

  /// Who is in a mix and how loud (RFC 3550 section 7.1, RFC 6465), and whether nothing was in it since a tick.
  private func contents(of mix: DistinctMix, since tick: Int64) -> (contributors: ContributorList, isSilent: Bool) {
    var list = ContributorList()
    var isSilent = true
    for slot in slots.range where mix.key.excluded >> UInt64(slot) & 1 == 0 && slots.isActive(slot, since: tick) {
      isSilent = false
      guard let seat = slots.voice(in: slot), seat.isHeard, let voice = seat.voice, let source = voice.source else { continue }
      list.append(Contributor(source: source, level: voice.level))
    }
    return (list, isSilent)
  }
}
