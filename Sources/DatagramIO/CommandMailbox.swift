import EncodedMedia
import RealTime
import Timing
import WebRTCTransport

/// Commands on their way to a loop, in the order they were posted.
///
/// Bounded: frames to be sent are dropped and counted where so much waits, everything else is kept. In place of the first picture that an
/// output lost stands a command that says so, since those behind it build on what nobody was sent.
package struct CommandMailbox {
  /// Frames that may wait for the loop: a tenth of a second of five hundred rooms.
  package static let framesWaitingMax = 8192

  private var commands: [Endpoint.Command] = []
  /// When the first of them was posted.
  private var since = Instant.zero
  package private(set) var framesDropped: UInt64 = 0
  /// Outputs that lost pictures since `collect`.
  private var interrupted: Set<OutputID> = []

  package init() {}

  /// - Returns: whether it is the first.
  package mutating func post(_ command: Endpoint.Command) -> Bool {
    if commands.isEmpty { since = MonotonicClock.now() }
    commands.append(command)
    return commands.count == 1
  }

  /// - Returns: whether it is the first.
  package mutating func post(_ frame: EncodedFrame, to output: OutputID) -> Bool {
    guard commands.count < Self.framesWaitingMax else {
      framesDropped &+= 1
      if frame.codec.kind == .video, interrupted.insert(output).inserted { commands.append(.interrupt(output)) }
      return false
    }
    return post(.send(frame, output))
  }

  /// Takes what was posted, in place of `taken`, which is empty.
  ///
  /// - Returns: when the first of it was.
  package mutating func collect(_ taken: inout [Endpoint.Command]) -> Instant {
    swap(&commands, &taken)
    if !interrupted.isEmpty { interrupted.removeAll() }
    return since
  }
}
