import AudioFiles
import Dispatch
import RawMedia
import Timing

/// Recordings played into a room.
extension Conferences {
  /// At once in one room.
  static let promptsMax = 16

  package func startPrompt(room name: String, _ request: PromptRequest) async throws(ConferenceError) -> PromptDescription {
    guard (0...4).contains(request.gain) else { throw .init(.unprocessable, "gain must be from 0 to 4.") }
    _ = try audience(of: request, in: try find(room: name))
    let samples = try await sound(request.file)
    // The room may have changed while the file was read.
    let room = try find(room: name)
    let (place, listener) = try audience(of: request, in: room)
    guard room.prompts.count < Self.promptsMax else {
      throw .init(.conflict, "The room plays \(Self.promptsMax) prompts already; end one first.")
    }
    let id = makePromptID()
    let description = PromptDescription(
      id: String(id), request: request, seconds: Double(samples.count) / Double(AudioFormat.sampleRate))
    room.prompts.append(.init(id: id, description: description, place: place, listener: listener?.media.number))
    place.mix.play(
      Prompt(
        id: id, samples: samples, loops: request.loops, placement: request.placement, gain: Float(request.gain),
        audience: listener.map { .only([room.ear(of: $0)]) } ?? .everybody))
    events.post(.promptStarted(description), room: name)
    return description
  }

  /// The mix to play into, and whom to; nil for all who are there.
  private func audience(
    of request: PromptRequest, in room: Room
  ) throws(ConferenceError) -> (SoundPlace, Room.Participant?) {
    guard let id = request.participant else {
      guard !room.main.members.isEmpty else {
        throw .init(.conflict, "Nobody is in the room to hear it; wait for the event participant-joined.")
      }
      return (room.main, nil)
    }
    guard let index = room.index(of: id) else {
      throw .init(.unprocessable, "There is nobody with the id '\(id)' in this room.")
    }
    let participant = room.participants[index]
    guard participant.setup.sendCodec(.audio) != nil else {
      throw .init(.unprocessable, "The participant receives no sound.")
    }
    guard let place = participant.place else {
      throw .init(.conflict, "The participant is not connected yet; wait for the event participant-joined.")
    }
    return (place, participant)
  }

  package func prompts(room name: String) async throws(ConferenceError) -> [PromptDescription] {
    try find(room: name).prompts.map(\.description)
  }

  package func prompt(room name: String, id: String) async throws(ConferenceError) -> PromptDescription {
    let room = try find(room: name)
    return room.prompts[try index(ofPrompt: id, in: room)].description
  }

  package func stopPrompt(room name: String, id: String) async throws(ConferenceError) {
    let room = try find(room: name)
    end(promptAt: try index(ofPrompt: id, in: room), in: room, reason: .stopped)
  }

  private func index(ofPrompt id: String, in room: Room) throws(ConferenceError) -> Int {
    guard let index = room.prompts.firstIndex(where: { $0.description.id == id }) else {
      throw .init(.notFound, "There is no prompt '\(id)' being played; it may have ended.")
    }
    return index
  }

  private func end(promptAt index: Int, in room: Room, reason: PromptEndReason) {
    let prompt = room.prompts.remove(at: index)
    if reason != .finished { prompt.place.mix.stopPrompt(prompt.id) }
    events.post(.promptEnded(prompt.description, reason: reason), room: room.name)
  }

  /// The mix has played it to its end. Tones are not in the list, and nobody is told of them.
  func promptFinished(_ id: Prompt.ID, in room: Room) {
    if forgetWaiting(id, in: room) {
      // It loops: the mix let it go because its channels changed, and waits for it anew.
      return settleWaiting(of: room)
    }
    guard let index = room.prompts.firstIndex(where: { $0.id == id }) else { return }
    end(promptAt: index, in: room, reason: .finished)
  }

  /// The mix has no room for it. Asked again at once it would refuse again: the sound for waiting begins with the next change.
  func promptRefused(_ id: Prompt.ID, in room: Room) {
    if forgetWaiting(id, in: room) { return }
    guard let index = room.prompts.firstIndex(where: { $0.id == id }) else { return }
    end(promptAt: index, in: room, reason: .refused)
  }

  /// - Returns: whether the prompt was for those who wait.
  private func forgetWaiting(_ id: Prompt.ID, in room: Room) -> Bool {
    guard let place = room.places.first(where: { $0.waiting?.prompt == id }) else { return false }
    place.waiting = nil
    return true
  }

  /// Ends what is played to one who leaves a place, or to all of a place that nobody is in any more.
  func endPrompts(in room: Room, at place: SoundPlace, for listener: UInt32?) {
    for index in room.prompts.indices.reversed() {
      let prompt = room.prompts[index]
      if prompt.place === place, prompt.listener == listener { end(promptAt: index, in: room, reason: .left) }
    }
  }

  // MARK: Sounds

  /// The samples of a sound, read on a thread that has time.
  private func sound(_ name: String) async throws(ConferenceError) -> [Int16] {
    let library = soundLibrary
    let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<[Int16], AudioFileError>, Never>) in
      soundQueue.async {
        do throws(AudioFileError) {
          continuation.resume(returning: .success(try library.load(name)))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    switch result {
    case .success(let samples): return samples
    case .failure(let error): throw .init(.unprocessable, error.description)
    }
  }

  /// The samples of all sounds that settings name.
  func sounds(of change: AudioChange?) async throws(ConferenceError) -> [String: [Int16]] {
    var sounds: [String: [Int16]] = [:]
    for name in [change?.joinTone ?? nil, change?.leaveTone ?? nil, change?.waiting ?? nil].compactMap({ $0 }) {
      sounds[name] = try await sound(name)
    }
    return sounds
  }
}

/// Something being played, as its room remembers it.
struct RunningPrompt {
  let id: Prompt.ID
  let description: PromptDescription
  let place: SoundPlace
  /// The participant it is for; nil for all.
  let listener: UInt32?
}

enum SoundLength {
  /// How long samples of one channel last.
  static func of(_ samples: [Int16]) -> Interval {
    .milliseconds(Int64(samples.count * 1_000 / AudioFormat.sampleRate))
  }
}
