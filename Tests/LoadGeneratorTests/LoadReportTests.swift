import EncodedMedia
import JSON5
import LoadGenerator
import Testing
import Timing

/// What a load tells of what its clients saw.
@Suite struct LoadReportTests {
  private let asked = Instant.zero + .seconds(100)

  /// Somebody who was connected at once.
  private func client() -> ClientMeasures {
    var client = ClientMeasures(asked: asked, wallClockAtZero: NTPTime(rawValue: 0))
    client.connected = asked
    return client
  }

  /// Somebody who was shown 30 pictures a second for so long from the start.
  private func client(shownFor seconds: Int) -> ClientMeasures {
    var client = client()
    for index in 0..<seconds * 30 { client.take(picture(isKeyframe: index == 0), at: asked + .milliseconds(33) * Int64(index)) }
    return client
  }

  private func picture(isKeyframe: Bool) -> EncodedFrame {
    EncodedFrame(codec: .vp8, payload: FrameBuffer([0]), timestamp: RTPTimestamp(0), isKeyframe: isKeyframe, time: asked)
  }

  @Test func whoNeverSawAPictureIsFrozenAllTheTime() throws {
    let report = LoadReport([client(), client()], now: asked + .seconds(10))
    #expect(report.frozenShare == 1)
    #expect(report.withoutPicture == 2)
    let json = try JSONValue(parsing: report.json, strict: true)
    #expect(json["frozenPercent"]?.number == 100 && json["neverSawPicture"]?.integer == 2)
    #expect(report.text.contains("2 of them never saw a picture"))
  }

  @Test func oneOfTwoWhoNeverSawAPictureIsHalfOfTheTime() {
    let report = LoadReport([client(), client(shownFor: 11)], now: asked + .seconds(10))
    #expect(abs(report.frozenShare - 0.5) < 0.01)
    #expect(report.withoutPicture == 1)
  }

  @Test func picturesWithoutAKeyframeAreNone() {
    var client = client()
    for index in 0..<300 { client.take(picture(isKeyframe: false), at: asked + .milliseconds(33) * Int64(index)) }
    let report = LoadReport([client], now: asked + .seconds(10))
    #expect(report.frozenShare == 1 && report.withoutPicture == 1)
  }

  @Test func aPictureThatStandsToTheEndIsFrozenSinceTheLast() {
    let report = LoadReport([client(shownFor: 2)], now: asked + .seconds(10))
    #expect(report.freezes == 1)
    #expect(abs(report.frozenShare - 0.8) < 0.01)
  }

  @Test func picturesThatComeInTimeAreNotFrozen() {
    let report = LoadReport([client(shownFor: 10)], now: asked + .milliseconds(9_900))
    #expect(report.frozenShare == 0 && report.freezes == 0 && report.withoutPicture == 0)
  }

  @Test func soundAloneHasNoFiguresOfPictures() throws {
    let report = LoadReport([client()], hasPictures: false, now: asked + .seconds(10))
    let json = try JSONValue(parsing: report.json, strict: true)
    for key in [
      "neverSawPicture", "firstPictureMsP50", "firstPictureMsP95", "picturesPerSecondP50", "picturesPerSecondMin", "delayMsP50",
      "delayMsP95", "freezes", "frozenPercent", "keyframesPerSecond", "rungs",
    ] {
      #expect(try #require(json[key]).isNull, "\(key)")
    }
    #expect(json["soundsPerSecondP50"]?.number == 0 && json["connected"]?.integer == 1)
    #expect(
      !["picture", "frozen", "freeze", "shown", "compos", "keyframe"].contains { report.text.contains($0) }, "\(report.text)")
  }

  @Test func whatNobodySawIsNotMeasuredAsNothing() throws {
    let report = LoadReport([client()], now: asked + .seconds(10))
    let json = try JSONValue(parsing: report.json, strict: true)
    #expect(try #require(json["firstPictureMsP50"]).isNull && #require(json["delayMsP95"]).isNull)
    #expect(!report.text.contains("to the first picture"))
  }

  @Test func whereNobodyCameInNothingWentWell() throws {
    let json = try JSONValue(parsing: LoadReport([], now: asked).json, strict: true)
    for key in ["frozenPercent", "freezes", "lossPercent", "connectMsP50"] { #expect(try #require(json[key]).isNull, "\(key)") }
    #expect(json["clients"]?.integer == 0 && json["connected"]?.integer == 0)
  }

  @Test func theReportSaysWhoseFiguresItGives() throws {
    #expect(LoadReport([client()], now: asked).text.contains(" 1 viewers were let in; the figures are theirs\n"))
    let alone = LoadReport([client()], .publishers, now: asked)
    #expect(alone.text.contains(" 1 publishers were let in"))
    #expect(try JSONValue(parsing: alone.json, strict: true)["figuresOf"]?.string == "publishers")
  }

  @Test func refusalsStandInTheReportByTheirKind() throws {
    var report = LoadReport([client()], now: asked + .seconds(1))
    for seconds in ["5", "7", "6"] {
      report.refusals.add(Refusal(status: 503, body: #"{"status":503,"detail":"The machine is full."}"#, retryAfter: seconds))
    }
    report.refusals.add(Refusal(status: 404, body: "no"))
    let entries = try #require(JSONValue(parsing: report.json, strict: true)["refusals"]?.array)
    #expect(entries.map { $0["count"]?.integer } == [3, 1])
    #expect(entries.map { $0["status"]?.integer } == [503, 404])
    #expect(entries[0]["detail"]?.string == "The machine is full." && entries[0]["retryAfter"]?.integer == 7)
    #expect(try JSONValue(parsing: report.json, strict: true)["refused"]?.integer == 4)
    #expect(report.text.contains("  3 could not come in: 503: The machine is full. It asks to come again after 7 s. "))
  }
}
