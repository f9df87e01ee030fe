import LoadGenerator
import Testing

/// People of a demonstration talk as people do.
@Suite struct ConversationTests {
  @Test(arguments: [1, 2, 3, 6, 60]) func oneTalksAtATimeAndNowAndThenTwo(count: Int) {
    let conversation = Conversation(peopleCount: count)
    var heard = [Int](repeating: 0, count: count)
    var together = 0
    for frame in 0..<(count * 600) {
      let talking = (0..<count).filter { conversation.talks($0, at: frame) }
      #expect(talking.count == 1 || talking.count == 2 && count > 1)
      if talking.count == 2 { together += 1 }
      for person in talking { heard[person] += 1 }
    }
    #expect(heard.allSatisfy { $0 >= 600 })
    #expect(count == 1 || together > 0 && together < count * 60)
  }
}
