import AudioMixing
import TestSupport
import Testing
import Timing

/// People in a room, each with a gate, for so many ticks of who is how loud.
private struct Room {
  var detector: SpeakerDetector
  var events: [SpeakerEvent] = []
  private var gates: [SpeakerID: VoiceGate] = [:]
  private let people: [SpeakerID]
  private(set) var tick = 0

  init(_ people: ClosedRange<SpeakerID>, settings: SpeakerDetector.Settings = .init()) {
    self.people = Array(people)
    detector = SpeakerDetector(settings: settings)
    run(milliseconds: 1_000, [:])
  }

  /// - Parameter loud: levels in -dBov; who is not named makes a little noise.
  mutating func run(milliseconds: Int, _ loud: [SpeakerID: UInt8]) {
    for _ in 0..<(milliseconds / 20) {
      let now = Instant.zero + .milliseconds(20) * Int64(tick)
      for id in people {
        let level = loud[id] ?? 75
        let isOpen = gates[id, default: VoiceGate()].update(level: level, at: now)
        detector.observe(id, level: level, isOpen: isOpen, isLoud: gates[id]?.isLoud ?? false)
      }
      detector.update(at: now, into: &events)
      tick += 1
    }
  }

  /// Words of 240 ms with pauses of 100 ms between.
  mutating func talk(milliseconds: Int, _ loud: [SpeakerID: UInt8]) {
    for _ in 0..<(milliseconds / 340) {
      run(milliseconds: 240, loud)
      run(milliseconds: 100, [:])
    }
  }

  func count(_ matches: (SpeakerEvent) -> Bool) -> Int { events.filter(matches).count }

  var floorChanges: [SpeakerID?] {
    events.compactMap { event -> SpeakerID?? in
      if case .floorChanged(let id) = event { return .some(id) }
      return nil
    }
  }
}

@Suite struct SpeakerDetectorTests {
  @Test func whoeverOpensHisGateIsHeardInThatVeryTick() {
    var room = Room(1...10)
    #expect(room.detector.heard.isEmpty)
    room.run(milliseconds: 20, [4: 30])
    #expect(room.detector.heard == [4])
    room.run(milliseconds: 380, [:])
    #expect(room.detector.heard == [4], "held through a pause")
    room.run(milliseconds: 100, [:])
    #expect(room.detector.heard.isEmpty)
  }

  @Test func onlyTheLoudestFewAreHeard() {
    var room = Room(1...10)
    room.run(milliseconds: 1_000, [1: 40, 2: 42, 3: 44, 4: 46])
    #expect(Set(room.detector.heard) == [1, 2, 3, 4])
    room.run(milliseconds: 400, [1: 40, 2: 42, 3: 44, 4: 46, 5: 45])
    #expect(!room.detector.isHeard(5), "not louder by enough")
    room.run(milliseconds: 400, [1: 40, 2: 42, 3: 44, 4: 46, 6: 25])
    #expect(Set(room.detector.heard) == [1, 2, 3, 6])
    #expect(room.detector.heard.count == 4)
  }

  @Test func aCoughNeitherSpeaksNorTakesTheFloor() {
    var room = Room(1...4)
    room.talk(milliseconds: 3_400, [1: 30])
    #expect(room.detector.floor == 1)
    room.run(milliseconds: 180, [1: 30, 2: 15])
    room.talk(milliseconds: 3_400, [1: 30])
    room.run(milliseconds: 2_000, [:])
    room.run(milliseconds: 180, [3: 15])
    room.run(milliseconds: 2_000, [:])
    #expect(room.floorChanges == [1])
    #expect(room.count { $0 == .speakingStarted(2) || $0 == .speakingStarted(3) } == 0)
  }

  @Test func speakingStartsAndStopsOnceForATurn() {
    var room = Room(1...3)
    room.talk(milliseconds: 6_800, [2: 30])
    #expect(room.detector.isSpeaking(2))
    room.run(milliseconds: 2_000, [:])
    #expect(room.events == [.speakingStarted(2), .floorChanged(2), .speakingStopped(2)])
    #expect(room.detector.floor == 2, "kept while nobody speaks")
  }

  @Test func theFloorFollowsTurnsQuickly() {
    var room = Room(1...3)
    room.talk(milliseconds: 3_400, [1: 30])
    room.run(milliseconds: 600, [:])
    let start = room.tick
    while room.detector.floor != 2, room.tick < start + 100 { room.run(milliseconds: 20, [2: 32]) }
    #expect(((room.tick - start) * 20) <= 500)
    #expect(room.floorChanges == [1, 2])
  }

  @Test func anInterruptionMustLast() {
    var room = Room(1...3)
    room.run(milliseconds: 3_000, [1: 30])
    room.run(milliseconds: 400, [1: 30, 2: 20])
    #expect(room.detector.floor == 1)
    room.run(milliseconds: 2_000, [1: 30])
    room.run(milliseconds: 1_000, [1: 30, 2: 20])
    #expect(room.detector.floor == 2)
  }

  @Test func twoWhoTalkAtOnceDoNotMakeTheFloorFlap() {
    var room = Room(1...3)
    for turn in 0..<100 {
      // Each now a little louder, now a little quieter than the other.
      room.run(milliseconds: 120, turn % 2 == 0 ? [1: 28, 2: 33] : [1: 33, 2: 28])
    }
    #expect(room.floorChanges.count <= 2)
    #expect(room.count { if case .speakingStopped = $0 { true } else { false } } == 0)
  }

  @Test func theFloorPassesOnWhenItsHolderLeaves() {
    var room = Room(1...3)
    room.talk(milliseconds: 3_400, [3: 30])
    room.run(milliseconds: 1_000, [:])
    room.talk(milliseconds: 3_400, [1: 30])
    room.events = []
    room.detector.remove(1, into: &room.events)
    #expect(room.events == [.speakingStopped(1), .floorChanged(3)])
    room.events = []
    room.detector.remove(2, into: &room.events)
    room.detector.remove(3, into: &room.events)
    #expect(room.events == [.floorChanged(nil)])
    #expect(room.detector.floor == nil)
  }

  @Test func whoIsNotObservedAnyLongerFallsSilent() {
    var events: [SpeakerEvent] = []
    var detector = SpeakerDetector()
    for tick in 0..<50 {
      detector.observe(9, level: 20, isOpen: true, isLoud: true)
      detector.update(at: .zero + .milliseconds(20) * Int64(tick), into: &events)
    }
    #expect(detector.heard == [9])
    for tick in 50..<100 { detector.update(at: .zero + .milliseconds(20) * Int64(tick), into: &events) }
    #expect(detector.heard.isEmpty)
    #expect(events == [.speakingStarted(9), .floorChanged(9), .speakingStopped(9)])
  }

  @Test func aTickAllocatesNothing() {
    var detector = SpeakerDetector()
    var events: [SpeakerEvent] = []
    events.reserveCapacity(64)
    func run(_ ticks: Range<Int>) {
      for tick in ticks {
        for id in 0..<20 as Range<SpeakerID> {
          let isLoud = Int(id) % 7 == tick / 30 % 7
          detector.observe(id, level: isLoud ? 30 : 80, isOpen: isLoud, isLoud: isLoud)
        }
        events.removeAll(keepingCapacity: true)
        detector.update(at: .zero + .milliseconds(20) * Int64(tick), into: &events)
      }
    }
    run(0..<300)
    let count = allocations { run(300..<900) }
    #expect(count == 0)
  }

  @Test func threeHundredPeopleAreFollowed() {
    var room = Room(1...300)
    room.run(milliseconds: 2_000, [7: 30, 200: 35, 300: 40])
    #expect(Set(room.detector.heard) == [7, 200, 300])
    #expect(room.detector.floor == 7)
  }
}
