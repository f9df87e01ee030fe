import Timing
import WebRTCTransport

/// What follows from how receivers' lines are.
extension RoomMix {
  /// Once a second: tells the statistics, and sizes the redundancy of each mix by what those of its listeners lose who make use of it.
  func look(at now: Instant) {
    lookAtNewcomers(at: now)
    for seat in seats {
      seat.voice?.report()
      if seat.rules.audioOutput == AudioSettings.automaticOutput, !seat.isNew { chooseOutput(for: seat, at: now) }
    }
    for mix in mixes {
      var (lost, count) = (0.0, 0.0)
      for seat in seats where seat.mix === mix {
        count += 1
        let statistics = seat.member.media.statistics
        if statistics.redundantCopies == 0, seat.member.wishes.usesInBandFEC { lost += statistics.fractionLostByPeer }
      }
      mix.noteLoss(percent: count > 0 ? Int((100 * lost / count).rounded()) : 0)
    }
  }

  /// Ten times a second: who leaves the choice to the server is given what his line carries as soon as something is known of it, or it
  /// is clear that nothing will be.
  func lookAtNewcomers(at now: Instant) {
    guard hasNewcomers else { return }
    for seat in seats where isNewcomer(seat) {
      let since = seat.newSince ?? now
      seat.newSince = since
      let isPatient = now - since < (seat.member.media.statistics.isPathAsked ? Self.patienceWhileAsked : Self.patience)
      guard !isPatient || seat.member.media.statistics.hasEstimate else { continue }
      chooseOutput(for: seat, at: now)
    }
    noteNewcomers()
  }

  /// So long a newcomer waits to be told that his line is asked what it carries, and then for the answer.
  private static let patience = Interval.milliseconds(300)
  private static let patienceWhileAsked = Interval.seconds(3)

  /// To be called where somebody may have become one, or one no longer.
  func noteNewcomers() { hasNewcomers = seats.contains(where: isNewcomer) }

  private func isNewcomer(_ seat: MixSeat) -> Bool { seat.isNew && seat.rules.audioOutput == AudioSettings.automaticOutput }

  /// Has a receiver be brought to the rendition his line carries.
  private func chooseOutput(for seat: MixSeat, at now: Instant) {
    let statistics = seat.member.media.statistics
    let line = RenditionChoice.Line(
      loss: statistics.fractionLostByPeer,
      bitsPerSecond: statistics.hasEstimate ? statistics.estimatedBitsPerSecond : statistics.receivableBitsPerSecond,
      hasPicture: statistics.receivesPictures, copies: statistics.redundantCopiesWanted)
    seat.isNew = seat.isNew && !statistics.hasEstimate
    seat.nextOutput = seat.choice.update(line, outputs: renditions.outputs, at: now)
    if seat.nextOutput != seat.chosenOutput { isAsleep = false }
  }
}
