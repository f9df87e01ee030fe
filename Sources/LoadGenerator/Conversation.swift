/// Who of several people talks when: one after the other for four seconds each, and now and then the one before puts in a word.
package struct Conversation: Sendable, Equatable {
  package let peopleCount: Int

  /// - Parameter peopleCount: at least 1
  package init(peopleCount: Int) { self.peopleCount = max(1, peopleCount) }

  private static let turnFrames = 200
  /// Of every third turn: when the one before says something as well.
  private static let word = 100..<140

  /// - Parameters:
  ///   - person: 0 ..< `peopleCount`
  ///   - frame: of sound, 20 ms each, from the first on.
  package func talks(_ person: Int, at frame: Int) -> Bool {
    let (turn, within) = (frame / Self.turnFrames, frame % Self.turnFrames)
    if turn % peopleCount == person { return true }
    return turn % 3 == 2 && Self.word.contains(within) && (turn - 1) % peopleCount == person
  }
}
