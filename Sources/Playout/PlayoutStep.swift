import EncodedMedia

/// What a playout buffer says is to be played next; carried out in order, the steps of one pull fill one tick of 20 ms.
///
/// Counts are in samples a channel at 48 kHz and multiples of 120 (2.5 ms), whatever the codec's clock.
package enum PlayoutStep: Sendable {
  /// Decode the frame, which lasts so long.
  case play(EncodedFrame, sampleCount: Int)
  /// Decode the frame and take `cut` samples out, of it or those around it, so as to catch up: at most 10 ms and the frame's length.
  case accelerate(EncodedFrame, sampleCount: Int, cut: Int)
  /// A frame is missing: make up for it, from the redundancy in the frame that follows it where that is here already.
  case conceal(sampleCount: Int, following: EncodedFrame?)
  /// The frame came too late, when as much had been made up for it: it is not heard, but what follows goes on from it.
  case catchUp(EncodedFrame, sampleCount: Int)
  /// Nothing is missing, but the delay must grow: put so much in, at most 10 ms, among what is played before and after.
  case expand(sampleCount: Int)
  /// Frames were passed over: what comes next does not continue what was heard.
  case skip
  /// Not started, a pause of the sender, or nothing has come for long.
  case silence(sampleCount: Int)
}
