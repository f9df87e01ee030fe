/// One way the sound of a room is encoded: an output as somebody wants it.
struct SoundRendition: Equatable {
  var output: AudioOutputSettings
  /// What is above half of it is left out, in Hz.
  var playbackRateMax = 48_000
  /// Whether a stereo mix is sent in one channel.
  var isMono = false
  /// Whether packets are sent in silence as well.
  var isContinuous = false

  init(_ output: AudioOutputSettings) { self.output = output }
}

/// The renditions of a room: its outputs, and after them what receivers want otherwise.
struct SoundRenditions {
  let outputs: [AudioOutputSettings]
  private var all: [SoundRendition]
  /// Whether somebody was given another than he wants, for want of room.
  private var isShort = false

  /// Each is an encode for whoever is alone in wanting it. Who comes later with yet another is given one that is no more than he wants.
  private static let ownMax = 12

  init(_ outputs: [AudioOutputSettings]) {
    self.outputs = outputs
    all = outputs.map { SoundRendition($0) }
  }

  subscript(index: Int) -> SoundRendition { all[index] }

  /// Forgets all but the outputs, where somebody found no room and not all are used any longer.
  ///
  /// - Returns: whether it did: then numbers mean others than before.
  mutating func makeRoom(using used: Set<Int>) -> Bool {
    guard isShort, (outputs.count..<all.count).contains(where: { !used.contains($0) }) else { return false }
    self = SoundRenditions(outputs)
    return true
  }

  /// - Parameter name: of the output he is to hear; nil for the first.
  /// - Returns: the number of the rendition that goes with his wishes.
  mutating func index(of name: String?, for wishes: SoundWishes) -> Int {
    let base = outputs.firstIndex { $0.name == name } ?? 0
    let wanted = wishes.rendition(of: outputs[base])
    if wanted == all[base] { return base }
    if let index = all.firstIndex(of: wanted) { return index }
    guard all.count < outputs.count + Self.ownMax else {
      isShort = true
      let alike = all.firstIndex { $0.output.bitrate <= wanted.output.bitrate && $0.output.ptime == wanted.output.ptime }
      return alike ?? all.indices.min { all[$0].output.bitrate < all[$1].output.bitrate } ?? base
    }
    all.append(wanted)
    return all.count - 1
  }
}
