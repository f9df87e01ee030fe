import RealTime
import Timing
import WebRTCTransport

/// How the server is doing, for who asks whether it does.
package struct LoadReport: Sendable, Equatable {
  package var level = VideoLevel.full
  package var takesNewcomers = true
  /// Processor time used of late, as a part of what may be used.
  package var processorShare = 0.0

  package init() {}
}

/// What the load is measured by, and what follows from it.
///
/// Once a second, while anybody is here: counts of the loops ──▶ Governor ──▶ rate and size of all canvases, an event
///                                          processor times ──▶ AdmissionControl ──▶ who may come in
///
/// Where much of the sound is late or hardly a picture is made the governor is told within a quarter of a second.
extension Conferences {
  /// What was counted at the last sample.
  struct LoadCounts {
    var at: Instant
    var process: Int64
    var sound: Int64
    var soundTicks: Int
    var soundLate: Int
    var pictureTicks: Int
    var picturesLate: Int
    /// Work for pictures that waited for a quota, and what of it waits now.
    var heldBack: Int
    var waiting: Int
    var punctuality: SendingPunctuality
  }

  private func counts() -> LoadCounts {
    LoadCounts(
      at: MonotonicClock.now(), process: ProcessorTime.ofProcess(), sound: mixLoop.processorTime, soundTicks: mixLoop.ticks,
      soundLate: mixLoop.lateTicks + mixLoop.skippedTicks, pictureTicks: pictureLoop.ticks,
      picturesLate: pictureLoop.lateTicks + pictureLoop.skippedTicks, heldBack: pictureGate.heldBack,
      waiting: pictureGate.waitingCount, punctuality: transport.punctuality)
  }

  /// Measures from now on until nobody is here any more and all is well.
  func startMeasuring() {
    guard lastCounts == nil else { return }
    let now = counts()
    (lastCounts, governed) = (now, now)
    Task { [weak self] in
      repeat { try? await Task.sleep(for: .milliseconds(250)) } while await self?.measure() ?? false
    }
  }

  /// - Returns: whether there is more to be measured.
  private func measure() -> Bool {
    guard let before = lastCounts, let governed else { return false }
    let now = counts()
    var sample = sample(from: governed, to: now)
    let isDue = now.at - before.at >= .milliseconds(990)
    missedPictures += takeMissed()
    sample.picturesMissed += missedPictures
    guard isDue || sample.isAlarming(within: now.at - governed.at) || sample.isClearlyStarved else { return true }
    missedPictures = 0
    let allowance = ProcessorTime.allowance()
    groupQuota.reopen()
    sample.processorShare = sample.processors / allowance
    self.governed = now
    if governor.observe(sample, at: now.at), settings.videoGivesWay { levelChanged() }
    guard isDue else { return true }
    lastCounts = now
    admissionControl.observe(
      use(from: before, to: now), census(), allowance: allowance, isShort: now.waiting > 0 || now.heldBack > before.heldBack)
    if videoLevel == .stills { askForStills() }
    publishLoad()
    tellAudiences()
    guard roomsByName.isEmpty, governor.level == .full, admissionControl.isAtRest else { return true }
    lastCounts = nil
    return false
  }

  /// Tells how many only watch, where that has changed: thousands may come, and each event goes to all who listen.
  package func tellAudiences() {
    for room in roomsByName.values {
      let count = room.audienceCount
      guard count != room.audienceTold else { continue }
      room.audienceTold = count
      events.post(.audienceChanged(count: count), room: room.name)
    }
  }

  private func sample(from before: LoadCounts, to now: LoadCounts) -> Governor.Sample {
    var sample = Governor.Sample()
    sample.soundTicks = now.soundTicks - before.soundTicks
    sample.soundLate = now.soundLate - before.soundLate
    sample.pictureTicks = now.pictureTicks - before.pictureTicks
    sample.picturesMissed = now.picturesLate - before.picturesLate
    sample.heldBack = now.heldBack - before.heldBack + now.waiting
    sample.sendings = now.punctuality.sendings - before.punctuality.sendings
    sample.sendingsLate = now.punctuality.late - before.punctuality.late
    sample.processors = Double(now.process - before.process) / Double(max((now.at - before.at).nanoseconds, 1))
    return sample
  }

  private func use(from before: LoadCounts, to now: LoadCounts) -> CostModel.Use {
    let wall = Double(max((now.at - before.at).nanoseconds, 1))
    var use = CostModel.Use()
    use.total = Double(now.process - before.process) / wall
    use.sound = Double(now.sound - before.sound) / wall
    for room in roomsByName.values {
      // By index, and not asked whether they send: copies of all who watch would take longer than everything else here.
      for index in room.participants.indices {
        use.decoding += Double(room.participants[index].media.video.takeProcessorTime()) / wall
      }
      for canvas in room.canvases.values { use.outputs += Double(canvas.takeProcessorTime()) / wall }
    }
    return use
  }

  private func census() -> CostModel.Census {
    var census = CostModel.Census()
    for room in roomsByName.values {
      census.peers += room.participants.count
      census.outputs += room.canvases.values.reduce(0) { $0 + $1.outputs.count }
      for index in room.participants.indices where room.participants[index].isConnected {
        if room.participants[index].isTaken(.video) { census.pictures += 1 }
        if room.participants[index].isTaken(.audio) { census.voices += 1 }
      }
    }
    return census
  }

  /// Ticks that found the picture before still at work.
  private func takeMissed() -> Int {
    roomsByName.values.reduce(0) { sum, room in sum + room.canvases.values.reduce(0) { $0 + $1.takeMissedTicks() } }
  }

  // MARK: What follows

  /// How much of the pictures is given up now.
  var videoLevel: VideoLevel { settings.videoGivesWay ? governor.level : .full }

  private func levelChanged() {
    let level = videoLevel
    let words =
      level == .full
      ? "The server has time again: pictures are whole."
      : "The server is short of time: pictures are at \(level.name). Sound is not touched."
    log("load: video \(level.name)")
    for room in roomsByName.values {
      // A size takes a new canvas, a rate does not.
      updateCanvases(of: room)
      for canvas in room.canvases.values { canvas.setPeriods(level.periods(atRate: canvas.settings.fps)) }
      for participant in room.participants { participant.media.video.setTakesStills(level == .stills) }
      events.post(.overload(level: level, detail: words), room: room.name)
    }
  }

  /// Decoding is most of what is left to give up: of each picture one a second.
  private func askForStills() {
    for room in roomsByName.values {
      for participant in room.participants where participant.isTaken(.video) { participant.media.video.askForStill() }
    }
  }

  /// Refuses a newcomer who would be too much.
  ///
  /// - Returns: what he will cost, to be expected once he is in.
  func checkLoad(_ request: JoinRequest) throws(ConferenceError) -> Double {
    let room = roomsByName[request.room]
    let output = room?.output(named: request.output)?.name ?? request.output ?? ""
    // Those count who have been answered and are not connected yet: else each of a crowd would be the first.
    let isMade = room?.participants.contains { $0.output == output } ?? false
    let cost = admissionControl.model.cost(
      publishes: request.kind != .watch && request.role != Room.audienceRole,
      startsOutput: request.kind != .publish && !isMade)
    guard admissionControl.admits(cost, at: videoLevel) else {
      publishLoad()
      throw .init(
        .overloaded(retryAfterSeconds: 10), "The server is at the end of its capacity; try again later, or another one.")
    }
    return cost
  }

  /// Counts a newcomer who is in. Who asked and was refused costs nothing, however often he asks.
  func expectLoad(_ cost: Double) {
    admissionControl.expect(cost)
    startMeasuring()
  }

  private func publishLoad() {
    var report = LoadReport()
    report.level = videoLevel
    report.takesNewcomers = !admissionControl.isFull && !videoLevel.refusesNewcomers
    report.processorShare = admissionControl.share
    loadReport.withLock { [report] in $0 = report }
  }

  package nonisolated func load() -> LoadReport { loadReport.withLock { $0 } }

  func addLoad(to text: inout MetricsText) {
    text.add(
      "tutti_video_level",
      "How much of the pictures is given up: 0 nothing, 1 half the rate, 2 a quarter, 3 half the size, 4 stills.",
      .gauge, Double(videoLevel.rawValue))
    text.add(
      "tutti_processor_share", "Processor time used of late, as a part of what may be used.", .gauge, admissionControl.share)
    text.add("tutti_joins_refused_total", "Newcomers refused for load.", .counter, Double(admissionControl.refusedCount))
    let model = admissionControl.model
    text.add(
      "tutti_pictures_held_back_total", "Pieces of work for pictures that waited so as not to use up a processor quota.",
      .counter,
      Double(pictureGate.heldBack))
    text.add(
      "tutti_cost_processors", "What one more costs, in processors, as it was measured.", .gauge,
      [("picture", model.picture), ("voice", model.voice), ("output", model.output), ("peer", model.peer)].map {
        ([("kind", $0.0)], $0.1)
      })
  }
}
