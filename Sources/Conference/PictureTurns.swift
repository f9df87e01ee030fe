import Timing

/// In which order work for pictures begins that waits for a quota: as long as both wait, pictures that are composed get a third of the time
/// and those that are decoded two; among them who came first. Else the few that are shown would wait for all that could be.
package struct PictureTurns<Piece> {
  private struct Waiting {
    var piece: Piece
    var since: Instant
  }
  /// Composed and encoded; and decoded.
  private var outputs: [Waiting] = []
  private var sources: [Waiting] = []
  /// Twice the nanoseconds that outputs were given, less those of sources. What is given while the other does not wait only makes up for
  /// its lead.
  private var outputsLead: Int64 = 0

  package init() {}

  package var count: Int { outputs.count + sources.count }

  /// - Parameter isOutput: whether it is a composed picture; else one is decoded.
  package mutating func append(_ piece: Piece, isOutput: Bool, at now: Instant) {
    if isOutput {
      outputs.append(Waiting(piece: piece, since: now))
    } else {
      sources.append(Waiting(piece: piece, since: now))
    }
  }

  package func contains(where isIt: (Piece) -> Bool) -> Bool {
    outputs.contains { isIt($0.piece) } || sources.contains { isIt($0.piece) }
  }

  private mutating func give(_ time: Int64, toOutput: Bool) {
    if toOutput {
      outputsLead = sources.isEmpty ? min(outputsLead + 2 * time, 0) : outputsLead + 2 * time
    } else {
      outputsLead = outputs.isEmpty ? max(outputsLead - time, 0) : outputsLead - time
    }
  }

  /// Takes out the next that is to begin; nil while there is none.
  ///
  /// - Parameters:
  ///   - expected: nanoseconds of processor time that a piece will take.
  ///   - admit: what a piece is told that is expected to take so long and has waited so long.
  package mutating func next(
    at now: Instant, expected: (Piece) -> Int64, admit: (Int64, Interval) -> PictureBudget.Admission
  ) -> (piece: Piece, expected: Int64)? {
    var (output, source, lead) = (0, 0, outputsLead)
    while output < outputs.count || source < sources.count {
      let isOutput = source == sources.count || lead <= 0 && output < outputs.count
      let waiting = isOutput ? outputs[output] : sources[source]
      let time = expected(waiting.piece)
      switch admit(time, now - waiting.since) {
      case .now:
        give(time, toOutput: isOutput)
        if isOutput { outputs.remove(at: output) } else { sources.remove(at: source) }
        return (waiting.piece, time)
      case .soon: return nil
      case .later:
        // The others go first, as if it had had its turn.
        if isOutput { output += 1 } else { source += 1 }
        lead = isOutput ? 1 : 0
      }
    }
    return nil
  }
}
