import Conference
import Testing
import Timing

extension PictureTurns<String> {
  /// Capital letters are composed pictures, the others decoded ones.
  fileprivate mutating func append(_ pieces: String...) {
    for piece in pieces { append(piece, isOutput: piece == piece.uppercased(), at: .zero) }
  }
}

@Suite struct PictureTurnsTests {
  /// All that begins while `admit` says so, each a nanosecond for each letter.
  private func order(
    _ turns: inout PictureTurns<String>, _ admit: (String) -> PictureBudget.Admission = { _ in .now }
  ) -> [String] {
    var order: [String] = []
    while true {
      var asked = ""
      let next = turns.next(
        at: .zero,
        expected: { piece in
          asked = piece
          return Int64(piece.count)
        }, admit: { _, _ in admit(asked) })
      guard let next else { return order }
      order.append(next.piece)
    }
  }

  private func filled() -> PictureTurns<String> {
    var turns = PictureTurns<String>()
    turns.append("a", "b", "c", "A", "B")
    return turns
  }

  @Test func composedAndDecodedPicturesTakeTurnsAndAmongThemWhoCameFirst() {
    var turns = filled()
    #expect(order(&turns) == ["A", "a", "b", "B", "c"] && turns.count == 0)
    turns.append("d")
    turns.append("C")
    #expect(order(&turns) == ["d", "C"])
  }

  @Test func whoseTurnItIsIsRememberedFromOneToTheNext() {
    var turns = filled()
    let first = turns.next(at: .zero, expected: { _ in 1 }, admit: { _, _ in .now })
    turns.append("C")
    #expect(first?.piece == "A" && order(&turns) == ["a", "b", "B", "c", "C"])
  }

  @Test func decodedPicturesGetTwiceTheTimeOfComposedOnesHoweverLongTheirPiecesAre() {
    var turns = PictureTurns<String>()
    turns.append("AAA", "AAA", "AAA")
    turns.append("a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a")
    #expect(order(&turns).joined() == "AAAaaaaaaAAAaaaaaaAAA")
  }

  @Test func whoDidNotWaitHasNothingToCatchUpOn() {
    var turns = PictureTurns<String>()
    turns.append("a", "a", "a", "a", "a")
    #expect(order(&turns).count == 5)
    turns.append("A", "A", "A")
    turns.append("a", "a", "a")
    #expect(order(&turns).joined() == "AaaAaA")
  }

  @Test func aLongPieceIsMadeUpForThoughNoOtherOfItsKindWaits() {
    var turns = PictureTurns<String>()
    turns.append("a", "a", "a", "a", "a")
    turns.append("AA")
    var begun = (0..<3).compactMap { _ in
      turns.next(at: .zero, expected: { Int64($0.count) }, admit: { _, _ in .now })?.piece
    }
    turns.append("B")
    begun += order(&turns)
    #expect(begun == ["AA", "a", "a", "a", "a", "B", "a"])
  }

  @Test func whoFitsSoonHasTheOthersWaitBehindHim() {
    var turns = filled()
    #expect(order(&turns) { $0 == "a" ? .soon : .now } == ["A"])
    #expect(turns.count == 4 && turns.contains { $0 == "a" })
  }

  @Test func whoIsTooLongStandsAsideAndKeepsHisPlace() {
    var turns = filled()
    #expect(order(&turns) { $0 == "A" || $0 == "b" ? .later : .now } == ["a", "B", "c"])
    turns.append("C")
    #expect(order(&turns) == ["A", "b", "C"])
  }

  @Test func eachIsAskedWithTheTimeHeHasWaited() {
    var turns = PictureTurns<String>()
    turns.append("A")
    turns.append("a", isOutput: false, at: .zero + .seconds(1))
    var waited: [Interval] = []
    _ = turns.next(
      at: .zero + .seconds(3), expected: { _ in 1 },
      admit: { _, time in
        waited.append(time)
        return .later
      })
    #expect(waited == [.seconds(3), .seconds(2)])
  }
}
