import AudioMixing
import Glibc
import TestSupport
import Testing
import Timing

@Suite struct LevelTests {
  @Test func levelsAreThoseOfRFC6464() {
    let silence = [Int16](repeating: 0, count: 960)
    let square = (0..<960).map { $0 % 2 == 0 ? Int16.max : .min }
    let sine = (0..<960).map { Int16(32_767 * sin(2 * .pi * 500 * Double($0) / 48_000)) }
    let tenth = sine.map { $0 / 10 }
    let faint = (0..<960).map { $0 % 100 == 0 ? Int16(1) : 0 }
    #expect(LevelMeter.level(of: silence.span) == 127)
    #expect(LevelMeter.level(of: square.span) == 0)
    #expect(LevelMeter.level(of: sine.span) == 3)
    #expect(LevelMeter.level(of: tenth.span) == 23)
    #expect((105...127).contains(LevelMeter.level(of: faint.span)))
  }

  @Test func theMeterRisesAtOnceAndFallsSlowly() {
    var meter = LevelMeter()
    meter.observe(20)
    #expect(meter.smoothed == 20)
    for _ in 0..<50 { meter.observe(127) }
    #expect((45...55).contains(meter.smoothed))
    for _ in 0..<200 { meter.observe(127) }
    #expect(meter.smoothed == 127)
  }

  private func run(_ gate: inout VoiceGate, level: UInt8, from start: Int, ticks: Int) -> [Bool] {
    (start..<(start + ticks)).map { gate.update(level: level, at: .zero + .milliseconds(20) * Int64($0)) }
  }

  @Test func theGateOpensInTheTickThatIsLoudAndHolds() {
    var gate = VoiceGate()
    #expect(run(&gate, level: 70, from: 0, ticks: 50).allSatisfy { !$0 })
    #expect(run(&gate, level: 30, from: 50, ticks: 1) == [true])
    let after = run(&gate, level: 75, from: 51, ticks: 50)
    #expect(after.prefix(19).allSatisfy { $0 } && after.dropFirst(20).allSatisfy { !$0 })
  }

  @Test func steadyNoiseClosesTheGateAndSpeechOverItOpensIt() {
    var gate = VoiceGate()
    let noise = run(&gate, level: 50, from: 0, ticks: 500)
    #expect(noise.suffix(100).allSatisfy { !$0 })
    #expect(run(&gate, level: 30, from: 500, ticks: 1) == [true])
  }

  @Test func speechWithPausesKeepsTheGateOpen() {
    var gate = VoiceGate()
    _ = run(&gate, level: 72, from: 0, ticks: 50)
    var tick = 50
    for _ in 0..<60 {
      #expect(run(&gate, level: 32, from: tick, ticks: 12).allSatisfy { $0 })
      #expect(run(&gate, level: 68, from: tick + 12, ticks: 8).allSatisfy { $0 })
      tick += 20
    }
  }

  @Test func whatIsBelowTheQuietestLevelNeverOpensTheGate() {
    var gate = VoiceGate()
    _ = run(&gate, level: 110, from: 0, ticks: 50)
    #expect(run(&gate, level: 70, from: 50, ticks: 50).allSatisfy { !$0 })
  }

  @Test func digitalSilenceDoesNotLowerTheThreshold() {
    var gate = VoiceGate()
    _ = run(&gate, level: 50, from: 0, ticks: 500)
    _ = run(&gate, level: 127, from: 500, ticks: 500)
    #expect(run(&gate, level: 50, from: 1_000, ticks: 10).allSatisfy { !$0 })
  }

  @Test func aClosedGateIsShutAtOnce() {
    var gate = VoiceGate()
    _ = run(&gate, level: 20, from: 0, ticks: 5)
    gate.close()
    #expect(!gate.isOpen)
    #expect(run(&gate, level: 127, from: 5, ticks: 1) == [false])
  }
}
