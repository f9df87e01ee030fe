import Conference
import Testing
import Timing

@Suite struct RenditionChoiceTests {
  private static let outputs = [
    AudioOutputSettings(name: "main", bitrate: 32_000), AudioOutputSettings(name: "thin", bitrate: 12_000, ptime: 60),
    AudioOutputSettings(name: "thinnest", bitrate: 6_000, ptime: 120), AudioOutputSettings(name: "middle", bitrate: 16_000),
  ]

  /// Runs seconds of one line; the outputs chosen at their ends.
  private func run(
    _ choice: inout RenditionChoice, from start: Int, seconds: Int, loss: Double = 0, rate: Int? = nil
  ) -> [String?] {
    (start..<start + seconds).map {
      choice.update(.init(loss: loss, bitsPerSecond: rate), outputs: Self.outputs, at: .zero + .seconds(Int64($0)))
    }
  }

  @Test func aGoodLineGetsTheBest() {
    var choice = RenditionChoice()
    #expect(run(&choice, from: 0, seconds: 60).allSatisfy { $0 == "main" })
  }

  @Test func theFirstChoiceIsWhatTheLineCarriesHoweverFarDown() {
    #expect(RenditionChoice.least(of: Self.outputs) == "thinnest" && RenditionChoice.least(of: []) == nil)
    for (rate, name) in [(10_000, "thinnest"), (30_000, "thin"), (60_000, "middle"), (100_000, "main")] {
      var choice = RenditionChoice()
      #expect(run(&choice, from: 0, seconds: 1, rate: rate) == [name])
    }
  }

  @Test func headersCountWhereTheyAreMoreThanTheSound() {
    // 12 kb/s in packets of 60 ms take less than 16 in packets of 20.
    #expect(RenditionChoice.rate(of: Self.outputs[1]) == 21_600 && RenditionChoice.rate(of: Self.outputs[3]) == 44_800)
    var choice = RenditionChoice()
    // 30 kb/s would carry the sound of `middle`, but not its headers.
    #expect(run(&choice, from: 100, seconds: 3, rate: 30_000).last == "thin")
    #expect(run(&choice, from: 103, seconds: 2, rate: 20_000).last == "thinnest")
  }

  @Test func aRoomThatNamesNoOutputsHasTwoForThinLines() {
    var choice = RenditionChoice()
    let outputs = AudioSettings().renditions
    func chosen(_ rate: Int, at second: Int64) -> AudioOutputSettings? {
      let name = choice.update(.init(loss: 0, bitsPerSecond: rate), outputs: outputs, at: .zero + .seconds(second))
      return outputs.first { $0.name == name }
    }
    #expect(chosen(100_000, at: 100)?.name == "main")
    let thin = chosen(50_000, at: 101), thinnest = chosen(20_000, at: 102)
    #expect(thin?.ptime == 60 && thinnest?.ptime == 120 && RenditionChoice.rate(of: outputs[2]) < 13_000)
    #expect(outputs.dropFirst().allSatisfy { $0.fault != nil }, "nobody can name or choose them")
    #expect(AudioSettings(bitrate: 8_000).renditions.count == 1)
    #expect(AudioSettings(outputs: [.init(name: "own", bitrate: 16_000)]).renditions.map(\.name) == ["main", "own"])
  }

  /// Copies of earlier frames take what pictures and the sound itself then have not.
  @Test func copiesCountAsWhatTheSoundTakes() {
    let outputs = AudioSettings().renditions
    func chosen(_ rate: Int, copies: Int) -> Int? {
      var choice = RenditionChoice()
      let line = RenditionChoice.Line(loss: 0.05, bitsPerSecond: rate, hasPicture: true, copies: copies)
      let name = choice.update(line, outputs: outputs, at: .zero)
      return outputs.first { $0.name == name }?.ptime
    }
    #expect([0, 1, 2].map { chosen(200_000, copies: $0) } == [20, 60, 60])
    #expect([0, 1, 2].map { chosen(60_000, copies: $0) } == [60, 120, 120], "long packets carry one")
  }

  @Test func lossOnALineThatCarriesItIsNoReasonForLess() {
    var choice = RenditionChoice()
    #expect(run(&choice, from: 100, seconds: 30, loss: 0.2, rate: 500_000).allSatisfy { $0 == "main" })
  }

  @Test func lossLeadsDownAndCalmUpAgain() {
    var choice = RenditionChoice()
    #expect(run(&choice, from: 100, seconds: 1, loss: 0.2) == ["middle"])
    #expect(run(&choice, from: 101, seconds: 5, loss: 0.2).last == "thin")
    let calm = run(&choice, from: 110, seconds: 40)
    #expect(calm.first == "thin" && calm.last == "main")
  }

  @Test func aLineThatFailsAgainAndAgainIsTriedLessAndLess() {
    var choice = RenditionChoice()
    var changes = 0
    var last: String?
    // Carries everything but the best.
    for second in 100..<1_300 {
      let loss = last == "main" ? 0.15 : 0
      let name = choice.update(.init(loss: loss), outputs: Self.outputs, at: .zero + .seconds(Int64(second)))
      if name != last { changes += 1 }
      last = name
    }
    #expect(changes < 30, "\(changes)")
  }

  @Test func aTroubledButBearableLineStaysWhereItIs() {
    var choice = RenditionChoice()
    _ = run(&choice, from: 100, seconds: 1, loss: 0.2)
    #expect(Set(run(&choice, from: 110, seconds: 300, loss: 0.05)) == ["middle"])
  }
}
