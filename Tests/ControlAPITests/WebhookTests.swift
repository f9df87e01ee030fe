import Conference
import ControlAPI
import Testing
import Timing

/// Telling other servers what happens in the rooms.
@Suite struct WebhookTests {
  private func delivery(_ id: UInt64) -> WebhookQueue.Delivery { .init(id: id, body: [UInt8(truncatingIfNeeded: id)]) }
  private func second(_ n: Int64) -> Instant { .zero + .seconds(n) }

  @Test func eventsAreSentInOrderOneAfterTheOther() {
    var queue = WebhookQueue()
    for id in 1...3 as ClosedRange<UInt64> { queue.post(delivery(id)) }
    for id in 1...3 as ClosedRange<UInt64> {
      let next = queue.next(at: .zero)
      #expect(next?.id == id)
      let second = queue.next(at: .zero)
      #expect(second == nil && queue.nextDeadline == nil, "one at a time")
      queue.finished(status: 204, at: .zero)
    }
    #expect(queue.isEmpty && queue.deliveredCount == 3 && queue.droppedCount == 0)
  }

  @Test func whoDoesNotAnswerIsAskedLaterAndLaterAndThenGivenUp() {
    var queue = WebhookQueue()
    queue.post(delivery(1))
    queue.post(delivery(2))
    var times: [Int64] = []
    for time in 0...200 as ClosedRange<Int64> {
      guard let next = queue.next(at: second(time)), next.id == 1 else { continue }
      times.append(time)
      queue.finished(status: time % 2 == 0 ? nil : 503, at: second(time))
    }
    #expect(times == [0, 1, 3, 7, 15, 31] && queue.droppedCount == 1)
    #expect(!queue.isEmpty, "the next waits for its own answer")
  }

  @Test func whatIsRefusedForWhatItIsIsNotSentAgain() {
    for (status, isGivenUp) in [(400, true), (404, true), (410, true), (408, false), (429, false), (500, false), (301, false)] {
      var queue = WebhookQueue()
      queue.post(delivery(1))
      _ = queue.next(at: .zero)
      queue.finished(status: status, at: .zero)
      #expect(queue.isEmpty == isGivenUp, "\(status)")
    }
  }

  @Test func anAddressThatIsGoneDoesNotFillTheMemory() {
    var queue = WebhookQueue()
    for id in 1...UInt64(WebhookQueue.capacity) { queue.post(delivery(id)) }
    let sending = queue.next(at: .zero)
    #expect(sending?.id == 1)
    queue.post(delivery(5_000))
    queue.finished(status: 200, at: .zero)
    #expect(queue.droppedCount == 1 && queue.deliveredCount == 1)
    let next = queue.next(at: .zero)
    #expect(next?.id == 3, "the oldest that was not under way went")
  }

  /// The expected value is Python's: hmac.new(b"0123456789abcdef", b"1800000000.{}", sha256).hexdigest().
  @Test func aRequestIsSignedWithItsTime() {
    let webhook = Webhook(url: "https://example.net/hook", secret: Array("0123456789abcdef".utf8))
    let headers = webhook.headers(of: .init(id: 7, body: Array("{}".utf8)), now: 1_800_000_000)
    #expect(headers.contains("Tutti-Delivery: 7") && headers.contains("Content-Type: application/json"))
    #expect(
      headers.contains("Tutti-Signature: t=1800000000,v1=1313ae9c874eb1a0868ad0b65f841c4243c23fdcfad69a3ada227726fad9960e"))
    #expect(Webhook(url: "http://a").headers(of: .init(id: 1, body: []), now: 0).count == 2)
  }

  @Test func whoSpeaksIsToldOnlyWhereItIsAskedFor() {
    let all = Webhook(url: "http://a")
    #expect(
      all.wants(.participantLeft(id: "p", reason: .kicked)) && !all.wants(.speakingStarted(id: "p"))
        && !all.wants(.floorChanged(id: nil)))
    let some = Webhook(url: "http://a", events: ["speaking-started"])
    #expect(some.wants(.speakingStarted(id: "p")) && !some.wants(.participantLeft(id: "p", reason: .left)))
  }
}
