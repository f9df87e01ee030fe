import AudioMixing
import Glibc
import TestSupport
import Testing

@Suite struct ComfortNoiseTests {
  private func make(_ description: ComfortNoiseDescription, seed: UInt64 = 1, samples count: Int = 48_000) -> [Int16] {
    var noise = ComfortNoise(seed: seed)
    var samples = [Int16](repeating: 1, count: count)
    for start in stride(from: 0, to: count, by: 160) {
      var room = samples.mutableSpan
      var tick = room._mutatingExtracting(start..<min(start + 160, count))
      noise.fill(&tick, as: description)
    }
    return samples
  }

  private func reflections(_ values: [Float]) -> InlineArray<12, Float> {
    var result = InlineArray<12, Float>(repeating: 0)
    for (index, value) in values.enumerated() where index < 12 { result[index] = value }
    return result
  }

  @Test(arguments: [UInt8(20), 40, 60, 75]) func theLevelIsTheOneAskedFor(level: UInt8) {
    let shaped = ComfortNoiseDescription(level: level, reflections: reflections([-0.7, 0.4, -0.2, 0.1]), order: 4)
    for description in [ComfortNoiseDescription(level: level), .room(level: level), shaped] {
      let settled = Array(make(description)[960...])
      let measured = LevelMeter.level(of: settled.span)
      #expect(abs(Int(measured) - Int(level)) <= 1)
    }
  }

  @Test func aHundredAndTwentySevenIsSilence() {
    #expect(make(ComfortNoiseDescription(level: 127)).allSatisfy { $0 == 0 })
    #expect(make(ComfortNoiseDescription(level: 255)).allSatisfy { $0 == 0 })
  }

  @Test func theSameSeedMakesTheSameNoiseAndAnotherMakesOther() {
    let first = make(.room(level: 50), seed: 7)
    let (isSame, isOther) = (first == make(.room(level: 50), seed: 7), first != make(.room(level: 50), seed: 8))
    #expect(isSame && isOther)
  }

  /// The correlation of neighbouring samples by their power.
  private func correlation(_ samples: [Int16], at distance: Int) -> Double {
    let product = zip(samples, samples.dropFirst(distance)).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    return product / samples.reduce(0.0) { $0 + Double($1) * Double($1) }
  }

  @Test func whiteNoiseHasNoMemoryAndARoomIsDarker() {
    let white = make(ComfortNoiseDescription(level: 30))
    for distance in 1...12 { #expect(abs(correlation(white, at: distance)) < 0.02) }
    #expect(abs(correlation(make(.room(level: 30)), at: 1) - 0.6) < 0.02)
  }

  @Test func reflectionsShapeTheSpectrumOfTheirModel() {
    // A(z) from the reflections by the step-up recursion, put over the noise, leaves white noise.
    let k: [Double] = [-0.8, 0.5, -0.3, 0.2, -0.1]
    var a: [Double] = []
    for value in k { a = zip(a, a.reversed()).map { $0 + value * $1 } + [value] }
    let noise = make(ComfortNoiseDescription(level: 20, reflections: reflections(k.map { Float($0) }), order: 5))
    let residual = noise.indices.dropFirst(5).map { index -> Int16 in
      let sum = Double(noise[index]) + a.enumerated().reduce(0) { $0 + $1.element * Double(noise[index - 1 - $1.offset]) }
      return Int16(max(-32_768, min(32_767, sum)))
    }
    for distance in 1...8 { #expect(abs(correlation(residual, at: distance)) < 0.02) }
  }

  @Test func theLevelGlides() {
    var noise = ComfortNoise(seed: 1)
    var samples = [Int16](repeating: 0, count: 960)
    var room = samples.mutableSpan
    noise.fill(&room, as: ComfortNoiseDescription(level: 30))
    let span = samples.span
    let (first, last) = (LevelMeter.level(of: span.extracting(0..<96)), LevelMeter.level(of: span.extracting(864..<960)))
    #expect(first > last + 15, "a tick that begins in silence comes in softly")
  }

  @Test func aPayloadIsReadAsItWasWritten() throws {
    let description = ComfortNoiseDescription(level: 61, reflections: reflections([-0.9, 0.3, 0, 0.99, -0.99]), order: 5)
    var payload: [UInt8] = []
    description.write(into: &payload)
    #expect(payload.count == 6 && payload[0] == 61 && payload[3] == 127)
    let parsed = ComfortNoiseDescription(payload: payload.span)
    let read = try #require(parsed)
    #expect(read.level == 61 && read.order == 5)
    for index in 0..<5 { #expect(abs(read.reflections[index] - description.reflections[index]) < 0.005) }
  }

  @Test func anyPayloadIsNothingWorseThanNoise() {
    var random = SeededRandom(seed: 9)
    let nothing: [UInt8] = []
    let none = ComfortNoiseDescription(payload: nothing.span)
    #expect(none == nil)
    var noise = ComfortNoise(seed: 2)
    var samples = [Int16](repeating: 0, count: 160)
    for length in 1...40 {
      for value in [UInt8(0), 255, 254, 127] + (0..<20).map({ _ in UInt8.random(in: 0...255, using: &random) }) {
        let isSame = Bool.random(using: &random)
        let payload = (0..<length).map { _ in isSame ? value : UInt8.random(in: 0...255, using: &random) }
        guard let description = ComfortNoiseDescription(payload: payload.span) else { continue }
        #expect(description.level == payload[0] & 0x7F && description.order == min(length - 1, 12))
        var room = samples.mutableSpan
        noise.fill(&room, as: description)
      }
    }
    // Whatever came before, the next description is heard as it is.
    for _ in 0..<50 {
      var room = samples.mutableSpan
      noise.fill(&room, as: ComfortNoiseDescription(level: 50))
    }
    let level = LevelMeter.level(of: samples.span)
    #expect((47...53).contains(level))
  }

  @Test func atTheTopOfTheScaleNothingWraps() {
    let samples = make(ComfortNoiseDescription(level: 0, reflections: reflections([0.99]), order: 1))
    #expect(samples.contains { $0 == .max } && samples.contains { $0 == .min })
  }

  @Test func aTickAllocatesNothing() {
    var noise = ComfortNoise(seed: 1)
    var samples = [Int16](repeating: 0, count: 960)
    let count = allocations {
      for _ in 0..<20 {
        var room = samples.mutableSpan
        noise.fill(&room, as: .room(level: 60))
      }
    }
    #expect(count == 0)
  }

  // MARK: Analysis

  private func analyze(_ samples: [Int16], order: Int = 10) -> ComfortNoiseDescription {
    var analyzer = ComfortNoiseAnalyzer(order: order)
    for start in stride(from: 0, to: samples.count - 159, by: 160) {
      let tick = samples.span.extracting(start..<start + 160)
      analyzer.observe(tick)
    }
    return analyzer.description
  }

  @Test(arguments: [UInt8(25), 45, 65]) func noiseThatWasMadeIsDescribedAsItWasDescribed(level: UInt8) {
    let model = reflections([-0.7, 0.4, -0.2, 0.1])
    let found = analyze(make(ComfortNoiseDescription(level: level, reflections: model, order: 4), samples: 16_000))
    #expect(abs(Int(found.level) - Int(level)) <= 1)
    for index in 0..<10 {
      let (wanted, was) = (index < 4 ? model[index] : 0, found.reflections[index])
      #expect(abs(wanted - was) < 0.12, "coefficient \(index)")
    }
  }

  @Test func whatIsMadeOfADescriptionSoundsLikeWhatWasDescribed() {
    // A hum in hiss, which is no model's noise.
    var random = SeededRandom(seed: 4)
    let room = (0..<16_000).map { number in
      Int16(300 * sin(Double(number) * 0.25) + Double(Int.random(in: -200...200, using: &random)))
    }
    let made = make(analyze(room))
    #expect(abs(Int(LevelMeter.level(of: made.span)) - Int(LevelMeter.level(of: room.span))) <= 1)
    for distance in 1...4 { #expect(abs(correlation(made, at: distance) - correlation(room, at: distance)) < 0.1) }
  }

  @Test func theAnalysisFollowsARoomThatGrowsQuieter() {
    let samples = make(.room(level: 30), samples: 16_000) + make(.room(level: 50), samples: 16_000)
    #expect((48...51).contains(analyze(samples).level))
  }

  @Test(arguments: [0, 3, 12]) func silenceTonesAndExtremesHaveADescription(order: Int) {
    #expect(analyze([Int16](repeating: 0, count: 1_600), order: order).level == 127)
    #expect(analyze([], order: order).level == 127)
    for samples in [
      (0..<1_600).map { Int16(20_000 * sin(Double($0) * 0.3)) }, [Int16](repeating: .min, count: 1_600),
      (0..<1_600).map { $0 % 2 == 0 ? Int16.min : .max },
    ] {
      let found = analyze(samples, order: order)
      #expect(found.level <= 8 && found.order == order)
      // A model that is stable makes noise of that level, within what one that rings is exact to.
      let made = make(found)
      #expect(abs(Int(LevelMeter.level(of: made.span)) - Int(found.level)) <= 6)
    }
  }

  @Test func anAnalysisAllocatesNothing() {
    let samples = make(.room(level: 40), samples: 1_600)
    var analyzer = ComfortNoiseAnalyzer()
    analyzer.observe(samples.span)
    let count = allocations {
      for _ in 0..<50 { analyzer.observe(samples.span) }
      _ = analyzer.description
    }
    #expect(count == 0)
  }
}
