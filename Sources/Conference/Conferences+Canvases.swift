import Compositing
import Dispatch
import EncodedMedia
import Layouts
import RawMedia
import RealTime
import Timing
import WebRTCTransport

/// Which pictures are made in a room, and who is sent which.
extension Conferences {
  /// Starts a canvas for each picture that somebody receives, stops the others, and brings each receiver to his.
  func updateCanvases(of room: Room) {
    let keys = canvasKeys(in: room)
    var wanted: [Room.CanvasKey: Set<Codec>] = [:]
    for (participant, keys) in zip(room.participants, keys) where participant.isConnected {
      guard let codec = participant.setup.sendCodec(.video) else { continue }
      for key in keys { wanted[key, default: []].insert(codec) }
    }
    for (key, canvas) in room.canvases {
      let settings = room.settings(of: key.output).map(videoLevel.applied)
      if wanted[key] == nil || settings.map(canvas.settings.isSamePicture) != true { stop(canvas, key, in: room) }
    }
    for (key, codecs) in wanted {
      guard let canvas = room.canvases[key] ?? start(key, in: room) else { continue }
      settle(codecs, of: canvas)
    }
    chooseWhoTellsPlaces(in: room)
    let rungs = room.canvases.mapValues(\.rungs)
    for index in room.participants.indices { subscribeToPictures(index, keys[index].compactMap { rungs[$0] }, in: room) }
    guard room.canvases.isEmpty else { return }
    let now = MonotonicClock.now()
    for participant in room.participants { participant.media.decideAttention(at: now) }
  }

  private func start(_ key: Room.CanvasKey, in room: Room) -> Canvas? {
    guard let settings = room.settings(of: key.output) else { return nil }
    let canvas = Canvas(
      settings: videoLevel.applied(to: settings), viewer: key.viewer, board: key.isWaiting ? room.waitingBoard : room.board,
      resources: room.resources,
      transport: transport,
      execution: .serialQueue(pictureGate))
    canvas.setPeriods(videoLevel.periods(atRate: settings.fps))
    room.canvases[key] = canvas
    pictureLoop.add(canvas)
    return canvas
  }

  func stop(_ canvas: Canvas, _ key: Room.CanvasKey, in room: Room) {
    pictureLoop.remove(canvas)
    for output in canvas.outputs.values { outputDesk.withdraw(output) }
    canvas.end(at: MonotonicClock.now())
    room.canvases[key] = nil
  }

  /// Encodes a canvas to just these codecs.
  private func settle(_ codecs: Set<Codec>, of canvas: Canvas) {
    let running = canvas.outputs
    for (codec, output) in running where !codecs.contains(codec) {
      outputDesk.withdraw(output)
      canvas.remove(codec)
    }
    for codec in codecs where running[codec] == nil {
      let output = outputs.next()
      outputDesk.register(canvas, output)
      canvas.add(codec, as: output, isOnDemand: true)
    }
  }

  /// The canvases each participant may receive, in their order: one, or those of all outputs from the best down.
  private func canvasKeys(in room: Room) -> [[Room.CanvasKey]] {
    var viewers: Set<CanvasViewer> = []
    let scene = room.board.current
    return room.participants.map { participant in
      guard participant.isConnected, let output = participant.output, participant.setup.sendCodec(.video) != nil else {
        return []
      }
      let outputs = participant.isAutomatic ? room.ladder(within: participant.setup.pictureBitsPerSecondMax) : [output]
      if room.isKeptWaiting(participant) { return outputs.map { Room.CanvasKey(output: $0, isWaiting: true) } }
      return outputs.map { output in
        let policy = participant.selfView.map { $0 ? .shown : .hidden } ?? scene.layout(of: output).selfView
        var viewer = policy == .shown ? nil : viewer(participant, policy, in: room)
        if let wanted = viewer, !viewers.contains(wanted) {
          if viewers.count < settings.personalPicturesMax { viewers.insert(wanted) } else { viewer = nil }
        }
        return Room.CanvasKey(output: output, viewer: viewer)
      }
    }
  }

  /// Who somebody is to the picture he receives; nil where he is not in it. Who follows another's mix is that one.
  private func viewer(_ participant: Room.Participant, _ policy: LayoutSelfView, in room: Room) -> CanvasViewer? {
    let number = room.ear(of: participant)
    guard let index = room.index(of: number), room.participants[index].isShown else { return nil }
    return CanvasViewer(number: number, selfView: policy)
  }

  /// Of several canvases with several layouts, one says in which slot somebody is: of the first output received, what most see.
  private func chooseWhoTellsPlaces(in room: Room) {
    let ranks = Dictionary(room.outputs.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    let first = room.canvases.filter { !$0.key.isWaiting }.min { a, b in
      (ranks[a.key.output] ?? .max, a.key.viewer?.number ?? 0) < (ranks[b.key.output] ?? .max, b.key.viewer?.number ?? 0)
    }
    for canvas in room.canvases.values { canvas.tellPlaces(canvas === first?.value) }
  }

  /// - Parameter canvases: what those he may receive are encoded to, from the best down.
  private func subscribeToPictures(_ index: Int, _ canvases: [[Codec: VideoLadder.Rung]], in room: Room) {
    let participant = room.participants[index]
    guard participant.isConnected else { return }
    let rungs = participant.setup.sendCodec(.video).map { codec in canvases.compactMap { $0[codec] } } ?? []
    let ladder = rungs.isEmpty ? nil : VideoLadder(rungs, isAutomatic: participant.isAutomatic)
    guard ladder != participant.subscribedPictures else { return }
    room.participants[index].subscribedPictures = ladder
    // What he is sent and may be sent still goes on, and nothing will tell of it anew.
    if let given = participant.givenOutput, ladder?.rungs.contains(where: { $0.output == given.id }) != true {
      room.participants[index].givenOutput = nil
    }
    // Who finds no recent keyframe there is asked one for by the transport.
    if let ladder {
      transport.subscribe(participant.peer, to: ladder)
    } else {
      transport.subscribe(participant.peer, .video, to: nil)
    }
  }

  /// Somebody is sent another picture, or none any more.
  func pictureSwitched(_ index: Int, to output: OutputID?, in room: Room) {
    let given = output.flatMap { output in
      room.canvases.first { $0.value.outputs.values.contains(output) }.map { (id: output, name: $0.key.output) }
    }
    let before = room.participants[index].givenOutput?.name
    room.participants[index].givenOutput = given
    guard room.participants[index].isAutomatic, given?.name != before else { return }
    events.post(.pictureSwitched(id: room.participants[index].id, output: given?.name), room: room.name)
  }

  // MARK: Snapshots

  package func snapshot(room name: String, output: String?) async throws(ConferenceError) -> [UInt8] {
    let room = try find(room: name)
    guard let settings = room.output(named: output) else {
      throw .init(
        .notFound, "There is no output '\(output ?? "")'; choose one of \(room.outputs.map(\.name).joined(separator: ", ")).")
    }
    // What the audience sees, before the start as well.
    let key = Room.CanvasKey(output: settings.name, isWaiting: !room.stage.onAir)
    if let drawing = room.snapshots[key] { return await drawing.value }
    let drawing = Task { await draw(settings, key, of: room) }
    room.snapshots[key] = drawing
    defer { room.snapshots[key] = nil }
    return await drawing.value
  }

  private func draw(_ settings: OutputSettings, _ key: Room.CanvasKey, of room: Room) async -> [UInt8] {
    snapshotCount += 1
    if let running = room.canvases[key]?.lastPicture { return await png(running) }
    let canvas = Canvas(
      settings: settings, board: key.isWaiting ? room.waitingBoard : room.board, resources: room.resources,
      transport: transport, execution: .inPlace)
    canvas.tellPlaces(false)
    return await png(await Self.picture(of: canvas))
  }

  /// What a canvas shows that does not run. Nobody may have looked at those on it: their pictures come once they are asked for.
  private nonisolated static func picture(of canvas: Canvas) async -> Picture {
    let patience = MonotonicClock.now() + .seconds(2)
    while !canvas.isComplete(at: MonotonicClock.now()), MonotonicClock.now() < patience {
      try? await Task.sleep(for: .milliseconds(20))
    }
    defer { canvas.end(at: MonotonicClock.now()) }
    return canvas.drawOnce(at: MonotonicClock.now())
  }

  /// One after the other: people may ask for as many as they like.
  private static let snapshotQueue = DispatchQueue(label: "snapshots", qos: .utility)

  private func png(_ picture: Picture) async -> [UInt8] {
    await withCheckedContinuation { continuation in
      Self.snapshotQueue.async { continuation.resume(returning: PNGEncoder.encode(picture)) }
    }
  }
}

extension OutputSettings {
  /// Whether a canvas of these settings can go on with others: the layout is looked at anew at each tick.
  fileprivate func isSamePicture(_ other: OutputSettings) -> Bool {
    var other = other
    other.layout = layout
    return self == other
  }
}
