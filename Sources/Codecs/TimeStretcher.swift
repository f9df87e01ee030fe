/// Takes a stretch of sound out or puts one in where the waveform resembles itself, so that a voice keeps its pitch and nothing clicks.
///
/// Waveform similarity overlap-add after Verhelst and Roelands (1993): a splice joins two places a lag apart, preferably one pitch
/// period, where what follows is alike, and fades from the one to the other.
///
///     taken out:  ───p╲╲╲╲                      put in:  ─────────p+lag╲╲╲╲
///                     ╱╱╱╱p+lag────────                              p ╱╱╱╱──────────
///
/// Sums in integers, so that the same samples are spliced in the same places everywhere. Positions, lags and counts are in
/// samples a channel at 48 kHz; allocates nothing after `init`.
package struct TimeStretcher {
  /// Where two places resemble one another.
  package struct Splice: Hashable, Sendable {
    /// The earlier place.
    package var position: Int
    /// How much later the other is.
    package var lag: Int
    /// Over how many samples the one is faded into the other.
    package var fade: Int
    /// 1 where both are equal in shape and level, 0 where they have nothing in common or less.
    package var similarity: Float
    /// Whether both are so quiet that any lag will do.
    package var isQuiet: Bool
  }

  /// 2.5 to 15 ms: the pitch periods of voices from 400 down to 67 Hz.
  package static let lags = 120...720
  /// 5 and 10 ms: what is compared and faded over, the longer where there is room.
  package static let fadeMin = 240
  package static let fadeMax = 480
  /// The most samples a search looks at, from the front.
  package static let searchMax = 1_920

  package let channelCount: Int
  /// The samples searched at a quarter of their rate, which finds the neighbourhood of the best lag.
  private var coarse: [Int32]
  /// The squares of `coarse` summed up from its start.
  private var coarseEnergy: [Int64]
  private var faded: [Int16]

  private static let decimation = 4
  private static let positionStep = 120
  /// -52 dBov: mean square of what counts as quiet.
  private static let quietPower: Int64 = 6_800

  /// - Parameter channelCount: 1 or 2, interleaved.
  package init(channelCount: Int) {
    self.channelCount = channelCount
    let coarseCount = Self.searchMax / Self.decimation * channelCount
    coarse = [Int32](repeating: 0, count: coarseCount)
    coarseEnergy = [Int64](repeating: 0, count: coarseCount + 1)
    faded = [Int16](repeating: 0, count: Self.fadeMax * channelCount)
  }

  // MARK: Search

  /// The best splice with one of these lags; where it is quiet, the one with the longest.
  ///
  /// - Parameter wanted: held to `lags`.
  /// - Returns: nil where the samples are too few for the shortest lag.
  package mutating func findSplice(in samples: Span<Int16>, count: Int, lags wanted: ClosedRange<Int>) -> Splice? {
    let count = min(count, samples.count / channelCount, Self.searchMax)
    let longest = min(wanted.upperBound, Self.lags.upperBound, count - Self.fadeMin)
    let shortest = max(wanted.lowerBound, Self.lags.lowerBound)
    guard shortest <= longest else { return nil }
    if let quiet = findQuiet(in: samples, count: count, lag: longest) { return quiet }
    prepare(samples, count: count)
    guard let near = findCoarsely(count: count, lags: shortest...longest) else { return nil }
    var best: Splice?
    for lag in max(near.lag - Self.decimation, shortest)...min(near.lag + Self.decimation, longest) {
      let fade = min(near.fade, count - near.position - lag)
      let splice = measure(samples, position: near.position, lag: lag, fade: fade)
      if splice.similarity > best?.similarity ?? -1 { best = splice }
    }
    return best
  }

  private func findQuiet(in samples: Span<Int16>, count: Int, lag: Int) -> Splice? {
    for position in stride(from: 0, through: count - lag - Self.fadeMin, by: Self.fadeMin) {
      // All that is taken out or put in must be quiet, not its ends only.
      var power: Int64 = 0
      let end = (position + lag + Self.fadeMin) * channelCount
      for index in position * channelCount..<end { power &+= Int64(samples[index]) &* Int64(samples[index]) }
      guard power <= Self.quietPower &* Int64(end - position * channelCount) else { continue }
      var splice = measure(samples, position: position, lag: lag, fade: Self.fadeMin)
      splice.isQuiet = true
      return splice
    }
    return nil
  }

  private mutating func prepare(_ samples: Span<Int16>, count: Int) {
    let channels = channelCount
    for frame in 0..<count / Self.decimation {
      for channel in 0..<channels {
        var sum: Int32 = 0
        for offset in 0..<Self.decimation { sum &+= Int32(samples[(frame * Self.decimation + offset) * channels + channel]) }
        let index = frame * channels + channel
        coarse[index] = sum / Int32(Self.decimation)
        coarseEnergy[index + 1] = coarseEnergy[index] &+ Int64(coarse[index]) &* Int64(coarse[index])
      }
    }
  }

  private func findCoarsely(count: Int, lags: ClosedRange<Int>) -> Splice? {
    let coarse = coarse.span
    var best: Splice?
    for lag in stride(from: lags.lowerBound / Self.decimation, through: lags.upperBound / Self.decimation, by: 1) {
      let fade = min(Self.fadeMax, count - lag * Self.decimation) / Self.decimation
      let last = count / Self.decimation - lag - fade
      guard fade > 0, last >= 0 else { continue }
      for position in stride(from: 0, through: last, by: Self.positionStep / Self.decimation) {
        let (first, second) = (position * channelCount, (position + lag) * channelCount)
        let width = fade * channelCount
        var product: Int64 = 0
        for index in 0..<width { product &+= Int64(coarse[first + index]) &* Int64(coarse[second + index]) }
        let energy =
          coarseEnergy[first + width] &- coarseEnergy[first] &+ coarseEnergy[second + width] &- coarseEnergy[second]
        let similarity = Self.similarity(product: product, energy: energy)
        guard similarity > best?.similarity ?? -1 else { continue }
        best = Splice(
          position: position * Self.decimation, lag: lag * Self.decimation, fade: fade * Self.decimation,
          similarity: similarity, isQuiet: false)
      }
    }
    return best
  }

  private func measure(_ samples: Span<Int16>, position: Int, lag: Int, fade: Int) -> Splice {
    var (product, energy): (Int64, Int64) = (0, 0)
    for index in position * channelCount..<(position + fade) * channelCount {
      let (a, b) = (Int64(samples[index]), Int64(samples[index + lag * channelCount]))
      product &+= a &* b
      energy &+= a &* a &+ b &* b
    }
    return Splice(
      position: position, lag: lag, fade: fade, similarity: Self.similarity(product: product, energy: energy), isQuiet: false)
  }

  /// Two products over the energies: a difference in level counts against it as one in shape does.
  private static func similarity(product: Int64, energy: Int64) -> Float {
    energy > 0 ? max(Float(2 &* product) / Float(energy), 0) : 1
  }

  // MARK: Splicing

  /// Takes `splice.lag` samples out.
  ///
  /// - Parameters:
  ///   - splice: as found in these samples.
  ///   - count: how many samples there are; those after it are left alone.
  /// - Returns: how many there are after.
  package mutating func remove(_ splice: Splice, from samples: inout MutableSpan<Int16>, count: Int) -> Int {
    fadeOver(splice, samples.span, from: splice.position, to: splice.position + splice.lag)
    write(splice, at: splice.position, of: &samples)
    let channels = channelCount
    let (target, source) = ((splice.position + splice.fade) * channels, (splice.position + splice.lag + splice.fade) * channels)
    for index in 0..<max(count * channels - source, 0) { samples[target + index] = samples[source + index] }
    return count - splice.lag
  }

  /// Puts `splice.lag` samples in.
  ///
  /// - Parameters:
  ///   - splice: as found in these samples.
  ///   - samples: with room for as many more.
  /// - Returns: how many there are after.
  package mutating func insert(_ splice: Splice, into samples: inout MutableSpan<Int16>, count: Int) -> Int {
    fadeOver(splice, samples.span, from: splice.position + splice.lag, to: splice.position)
    let channels = channelCount
    let source = (splice.position + splice.fade) * channels
    let moved = max(count * channels - source, 0)
    for index in (0..<moved).reversed() { samples[source + splice.lag * channels + index] = samples[source + index] }
    write(splice, at: splice.position + splice.lag, of: &samples)
    return count + splice.lag
  }

  /// Fills `faded` with what lies at `from` faded into what lies at `to`, at the same power throughout.
  private mutating func fadeOver(_ splice: Splice, _ samples: Span<Int16>, from: Int, to: Int) {
    for frame in 0..<splice.fade {
      let new = (Float(frame) + 0.5) / Float(splice.fade)
      let old = 1 - new
      // Sounds that are not alike would be weaker in the middle, where each has half its amplitude.
      let power = (old * old + new * new + 2 * splice.similarity * old * new).squareRoot()
      for channel in 0..<channelCount {
        let a = Float(samples[(from + frame) * channelCount + channel])
        let b = Float(samples[(to + frame) * channelCount + channel])
        let mixed = ((old * a + new * b) / power).rounded()
        faded[frame * channelCount + channel] = Int16(min(max(mixed, -32_768), 32_767))
      }
    }
  }

  private func write(_ splice: Splice, at position: Int, of samples: inout MutableSpan<Int16>) {
    for index in 0..<splice.fade * channelCount { samples[position * channelCount + index] = faded[index] }
  }
}
