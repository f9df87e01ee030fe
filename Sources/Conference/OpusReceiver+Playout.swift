import Codecs
import Playout

extension OpusReceiver {
  /// Does what a playout buffer says is to be heard next.
  package mutating func carryOut(_ step: PlayoutStep) {
    switch step {
    case .play(let frame, let count): play(frame, sampleCount: count)
    case .accelerate(let frame, let count, let cut): play(frame, sampleCount: count, cutting: cut)
    case .conceal(let count, let following): conceal(count, following: following)
    case .expand(let count): expand(count)
    case .catchUp(let frame, let count): catchUp(with: frame, sampleCount: count)
    case .skip: skip()
    case .silence(let count): silence(count)
    }
  }
}
