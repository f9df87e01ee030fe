import RawMedia

/// The sum of everybody who is heard in a tick, wide enough that nothing wraps or clips.
///
/// What a participant is to hear is this sum less his own contribution, exactly: `sum(all) - own == sum(all but own)` bit for bit,
/// gains included. Limiting comes after, once for each distinct mix. 32 bits hold the sum of 16 384 participants at full scale
/// and the highest gain. Adding and subtracting allocate nothing.
package struct MixBus: ~Copyable {
  package let channelCount: Int
  private var sums: [Int32]

  /// - Parameter channelCount: 1 or 2, interleaved.
  package init(channelCount: Int) {
    precondition(channelCount == 1 || channelCount == 2, "a mix has one channel or two")
    self.channelCount = channelCount
    sums = [Int32](repeating: 0, count: AudioFormat.samplesPerTick * channelCount)
  }

  /// Samples, all channels counted: what every span handed in must hold.
  package var sampleCount: Int { sums.count }

  /// Begins the next tick with silence.
  package mutating func clear() {
    for index in sums.indices { sums[index] = 0 }
  }

  /// Adds one participant's tick.
  ///
  /// - Parameter samples: as many as `sampleCount`.
  package mutating func add(_ samples: Span<Int16>, gain: Gain = .unity) {
    precondition(samples.count == sums.count, "a tick has 960 samples a channel")
    samples.withUnsafeBufferPointer { own in
      sums.withUnsafeMutableBufferPointer { sums in
        if gain == .unity {
          for index in sums.indices { sums[index] &+= Int32(own[index]) }
        } else {
          for index in sums.indices { sums[index] &+= gain.apply(to: own[index]) }
        }
      }
    }
  }

  /// Adds a mono tick to a stereo bus, at its place between left and right.
  ///
  /// - Parameter samples: 960.
  package mutating func add(mono samples: Span<Int16>, left: Gain, right: Gain) {
    precondition(channelCount == 2 && samples.count == AudioFormat.samplesPerTick, "a mono tick goes into a stereo bus")
    samples.withUnsafeBufferPointer { own in
      sums.withUnsafeMutableBufferPointer { sums in
        for index in own.indices {
          sums[2 * index] &+= left.apply(to: own[index])
          sums[2 * index + 1] &+= right.apply(to: own[index])
        }
      }
    }
  }

  /// Adds what a `VoiceStrip` made of one participant's tick.
  ///
  /// - Parameter contribution: as many as `sampleCount`.
  package mutating func add(contribution: Span<Int32>) {
    precondition(contribution.count == sums.count, "a contribution is as long as its bus")
    contribution.withUnsafeBufferPointer { own in
      sums.withUnsafeMutableBufferPointer { sums in
        for index in sums.indices { sums[index] &+= own[index] }
      }
    }
  }

  /// The sum of all.
  package func copy(into mix: inout MutableSpan<Int32>) {
    precondition(mix.count == sums.count, "a mix is as long as its bus")
    for index in sums.indices { mix[index] = sums[index] }
  }

  /// The sum of all but one.
  ///
  /// - Parameters: own, gain: just what was added for him in this tick.
  package func minusOne(_ own: Span<Int16>, gain: Gain = .unity, into mix: inout MutableSpan<Int32>) {
    precondition(own.count == sums.count && mix.count == sums.count, "a mix is as long as its bus")
    mix.withUnsafeMutableBufferPointer { mix in
      own.withUnsafeBufferPointer { own in
        sums.withUnsafeBufferPointer { sums in
          if gain == .unity {
            for index in sums.indices { mix[index] = sums[index] &- Int32(own[index]) }
          } else {
            for index in sums.indices { mix[index] = sums[index] &- gain.apply(to: own[index]) }
          }
        }
      }
    }
  }

  /// The sum of all but one who was added with `add(contribution:)`.
  package func minusOne(contribution: Span<Int32>, into mix: inout MutableSpan<Int32>) {
    precondition(contribution.count == sums.count && mix.count == sums.count, "a mix is as long as its bus")
    mix.withUnsafeMutableBufferPointer { mix in
      contribution.withUnsafeBufferPointer { own in
        sums.withUnsafeBufferPointer { sums in
          for index in sums.indices { mix[index] = sums[index] &- own[index] }
        }
      }
    }
  }

  /// The sum of all but one who was added with `add(mono:left:right:)`.
  package func minusOne(mono own: Span<Int16>, left: Gain, right: Gain, into mix: inout MutableSpan<Int32>) {
    precondition(
      channelCount == 2 && own.count * 2 == sums.count && mix.count == sums.count, "a mono tick is half a stereo one")
    mix.withUnsafeMutableBufferPointer { mix in
      own.withUnsafeBufferPointer { own in
        sums.withUnsafeBufferPointer { sums in
          for index in own.indices {
            mix[2 * index] = sums[2 * index] &- left.apply(to: own[index])
            mix[2 * index + 1] = sums[2 * index + 1] &- right.apply(to: own[index])
          }
        }
      }
    }
  }
}
