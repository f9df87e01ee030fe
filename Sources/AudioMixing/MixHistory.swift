import RawMedia

/// A room's last ticks, each as the sum of everybody in it and as what each added, so that any mix of them can be made.
///
/// What a participant is to hear is the sum less what he is not to hear, exactly: `sum(all) - own == sum(all but own)` bit for bit,
/// since what was added is kept as it was added. Limiting comes after, once for each distinct mix. 32 bits hold the sum of
/// 16 384 voices at full scale and the highest gain. Whoever is added has a slot, and a mix is named by the set of slots it leaves out.
///
/// Ticks are kept for as long as the longest packet lasts and one more, so that a packet is made of whole ticks once it ends, and
/// an encoder that begins with it can be primed with the tick before. Once every slot was used, nothing allocates.
package struct MixHistory: ~Copyable {
  /// A set of slots, one bit each.
  package typealias SlotSet = UInt64

  /// One slot's samples, as a ring of ticks.
  private struct Track {
    var samples: [Int32]
    /// In which ticks of the ring it was added.
    var present: UInt8 = 0
  }

  package let channelCount: Int
  /// Samples of a tick, all channels counted.
  package let sampleCount: Int
  private var sums: [Int32]
  private var ticks: [Int64]
  private var tracks: [Track] = []
  /// Where in the ring the newest tick is.
  private var newest = 0

  /// Slots there are.
  package static let slotMax = 64
  /// Ticks kept: 120 ms, one before, and a power of two.
  private static let depth = 8

  /// - Parameter channelCount: 1 or 2, interleaved.
  package init(channelCount: Int) {
    precondition(channelCount == 1 || channelCount == 2, "a mix has one channel or two")
    self.channelCount = channelCount
    sampleCount = AudioFormat.samplesPerTick * channelCount
    sums = [Int32](repeating: 0, count: Self.depth * sampleCount)
    ticks = [Int64](repeating: .min, count: Self.depth)
  }

  /// Begins a tick with silence.
  ///
  /// - Parameter tick: later than all before; ticks left out count as silence.
  package mutating func begin(_ tick: Int64) {
    newest = Self.place(of: tick)
    ticks[newest] = tick
    let start = newest * sampleCount
    for index in start..<(start + sampleCount) { sums[index] = 0 }
    for index in tracks.indices { tracks[index].present &= ~(1 << UInt8(newest)) }
  }

  /// Adds one voice to the tick begun last.
  ///
  /// - Parameters:
  ///   - contribution: its samples with their gain, as many as `sampleCount`.
  ///   - slot: 0 ..< `slotMax`, once a tick.
  package mutating func add(_ contribution: Span<Int32>, slot: Int) {
    precondition(contribution.count == sampleCount && slot < Self.slotMax, "a voice adds one tick to its slot")
    while tracks.count <= slot { tracks.append(Track(samples: [])) }
    if tracks[slot].samples.isEmpty { tracks[slot].samples = [Int32](repeating: 0, count: Self.depth * sampleCount) }
    tracks[slot].present |= 1 << UInt8(newest)
    let start = newest * sampleCount
    contribution.withUnsafeBufferPointer { own in
      sums.withUnsafeMutableBufferPointer { sums in
        for index in own.indices { sums[start + index] &+= own[index] }
      }
      tracks[slot].samples.withUnsafeMutableBufferPointer { kept in
        for index in own.indices { kept[start + index] = own[index] }
      }
    }
  }

  /// The sum of all that were added in a tick but those in `excluded`; silence for a tick that is not kept.
  ///
  /// - Parameter mix: takes `sampleCount` samples.
  package func mix(of tick: Int64, without excluded: SlotSet, into mix: inout MutableSpan<Int32>) {
    precondition(mix.count == sampleCount, "a mix is as long as a tick")
    let place = Self.place(of: tick)
    let start = place * sampleCount
    mix.withUnsafeMutableBufferPointer { mix in
      guard ticks[place] == tick else { return mix.update(repeating: 0) }
      sums.withUnsafeBufferPointer { sums in
        for index in mix.indices { mix[index] = sums[start + index] }
      }
      for slot in tracks.indices where excluded >> UInt64(slot) & 1 == 1 && tracks[slot].present >> UInt8(place) & 1 == 1 {
        tracks[slot].samples.withUnsafeBufferPointer { own in
          for index in mix.indices { mix[index] &-= own[start + index] }
        }
      }
    }
  }

  private static func place(of tick: Int64) -> Int { Int(truncatingIfNeeded: tick & Int64(depth - 1)) }
}
