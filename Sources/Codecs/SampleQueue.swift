/// Samples decoded but not yet played, with seams faded over.
struct SampleQueue: ~Copyable {
  private var samples: [Int16]
  /// Samples, all channels counted, at the front of `samples`.
  private var count = 0
  /// What would have followed the last samples; the next ones are faded in over it.
  private var tail: [Int16]
  private var tailCount = 0
  private var isTailSilent = true
  /// How many of the queued samples from the front on end with sound rather than silence.
  private var audibleCount = 0
  private let channelCount: Int

  /// - Parameters: capacity, fadeCount: samples a channel.
  init(capacity: Int, fadeCount: Int, channelCount: Int) {
    self.channelCount = channelCount
    samples = [Int16](repeating: 0, count: capacity * channelCount)
    tail = [Int16](repeating: 0, count: fadeCount * channelCount)
  }

  mutating func removeAll() {
    count = 0
    tailCount = 0
    audibleCount = 0
  }

  /// Samples a channel that wait.
  var frameCount: Int { count / channelCount }

  /// - Parameter newCount: samples a channel. What does not fit is dropped.
  mutating func append(_ new: [Int16], count newCount: Int) {
    let start = count
    count = min(start + min(newCount * channelCount, new.count), samples.count)
    for index in 0..<(count - start) { samples[start + index] = new[index] }
    audibleCount = count
    if count > start { fadeIn(from: start) }
  }

  /// What would follow the samples queued, were there not a seam; what is appended next fades in over it.
  mutating func appendTail(_ new: [Int16], count newCount: Int) {
    guard tailCount == 0 else { return }
    tailCount = min(newCount * channelCount, new.count, tail.count)
    isTailSilent = false
    for index in 0..<tailCount { tail[index] = new[index] }
  }

  /// The best place to take samples out or put them in; nil where too few wait.
  func findSplice(_ stretcher: inout TimeStretcher, lags: ClosedRange<Int>) -> TimeStretcher.Splice? {
    let samples = samples
    return stretcher.findSplice(in: samples.span, count: frameCount, lags: lags)
  }

  mutating func remove(_ splice: TimeStretcher.Splice, by stretcher: inout TimeStretcher) {
    let before = frameCount
    var span = samples.mutableSpan
    count = stretcher.remove(splice, from: &span, count: before) * channelCount
    if audibleCount > splice.position * channelCount { audibleCount = min(audibleCount, count) }
  }

  /// Does nothing where there is no room.
  ///
  /// - Returns: samples a channel put in.
  mutating func insert(_ splice: TimeStretcher.Splice, by stretcher: inout TimeStretcher) -> Int {
    guard count + splice.lag * channelCount <= samples.count else { return 0 }
    let before = frameCount
    var span = samples.mutableSpan
    count = stretcher.insert(splice, into: &span, count: before) * channelCount
    if audibleCount > splice.position * channelCount { audibleCount = min(audibleCount + splice.lag * channelCount, count) }
    return splice.lag
  }

  /// - Parameter newCount: samples a channel.
  mutating func appendSilence(_ newCount: Int) {
    let start = count
    count = min(start + max(newCount, 0) * channelCount, samples.count)
    for index in start..<count { samples[index] = 0 }
    guard count > start else { return }
    if tailCount > 0, !isTailSilent { audibleCount = count }
    fadeIn(from: start)
    // Sound after silence is faded in.
    for index in tail.indices { tail[index] = 0 }
    tailCount = tail.count
    isTailSilent = true
  }

  /// - Returns: whether sound was among them.
  mutating func take(into output: inout MutableSpan<Int16>) -> Bool {
    let taken = min(count, output.count)
    for index in 0..<taken { output[index] = samples[index] }
    for index in taken..<output.count { output[index] = 0 }
    // Mostly nothing is left; with long packets the rest moves to the front.
    for index in 0..<(count - taken) { samples[index] = samples[taken + index] }
    count -= taken
    let wasAudible = audibleCount > 0
    audibleCount = max(audibleCount - taken, 0)
    return wasAudible
  }

  /// Fades the tail out and the samples from `start` on in, linearly.
  private mutating func fadeIn(from start: Int) {
    let frames = min(tailCount, count - start) / channelCount
    tailCount = 0
    for frame in 0..<frames {
      for channel in 0..<channelCount {
        let index = frame * channelCount + channel
        let (old, new) = (Int(tail[index]), Int(samples[start + index]))
        samples[start + index] = Int16(truncatingIfNeeded: (old * (frames - frame) + new * frame) / frames)
      }
    }
  }
}
