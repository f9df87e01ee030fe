import CCurl
import Conference
import Dispatch
import RealTime
import Synchronization
import Timing

/// Tells an address what happens in the rooms, from a thread of its own as long as the program runs: a slow one delays nobody else.
package final class WebhookSender: Sendable {
  private let webhook: Webhook
  private let now: @Sendable () -> Int
  private let queue = Mutex(WebhookQueue())
  private let nextID = Atomic<UInt64>(1)
  private let wake = DispatchSemaphore(value: 0)

  /// How long an address may take to answer.
  private static let answerTime = 10_000
  private static let isReady: Bool = tutti_curl_global_init() == CURLE_OK

  /// - Parameter now: seconds since 1970, for signatures.
  package init(_ webhook: Webhook, now: @escaping @Sendable () -> Int) {
    self.webhook = webhook
    self.now = now
    MediaThread.start(name: "webhook") { [self] in run() }
  }

  /// Takes an event, from any thread, and returns at once.
  package func post(_ event: ConferenceEvent) {
    guard webhook.wants(event.change) else { return }
    let id = nextID.add(1, ordering: .relaxed).oldValue
    let body = event.json
    queue.withLock { $0.post(.init(id: id, body: body)) }
    wake.signal()
  }

  /// Deliveries that were taken, and those that were given up.
  package var counts: (delivered: Int, dropped: Int) { queue.withLock { ($0.deliveredCount, $0.droppedCount) } }

  /// Whether nothing waits to be sent.
  package var isIdle: Bool { queue.withLock { $0.isEmpty } }

  private func run() {
    guard Self.isReady, let curl = curl_easy_init() else { return }
    while true {
      let time = MonotonicClock.now()
      if let delivery = queue.withLock({ $0.next(at: time) }) {
        let status = send(delivery, curl)
        queue.withLock { $0.finished(status: status, at: MonotonicClock.now()) }
        continue
      }
      if let deadline = queue.withLock({ $0.nextDeadline }) {
        let wait = max(1, Int((deadline - time).milliseconds.rounded(.up)))
        _ = wake.wait(timeout: .now() + .milliseconds(wait))
      } else {
        wake.wait()
      }
    }
  }

  /// - Returns: the answer's status; nil where none came.
  private func send(_ delivery: WebhookQueue.Delivery, _ curl: UnsafeMutableRawPointer) -> Int? {
    curl_easy_reset(curl)
    var headers = curl_slist_append(nil, "Expect:")
    for header in webhook.headers(of: delivery, now: now()) { headers = curl_slist_append(headers, header) }
    defer { curl_slist_free_all(headers) }
    _ = tutti_curl_set_text(curl, CURLOPT_URL, webhook.url)
    _ = tutti_curl_set_text(curl, CURLOPT_CUSTOMREQUEST, "POST")
    _ = tutti_curl_set_headers(curl, headers)
    _ = tutti_curl_set_long(curl, CURLOPT_NOSIGNAL, 1)
    _ = tutti_curl_set_long(curl, CURLOPT_CONNECTTIMEOUT_MS, Self.answerTime)
    _ = tutti_curl_set_long(curl, CURLOPT_TIMEOUT_MS, Self.answerTime)
    // What the answer says besides its status is read and dropped.
    _ = tutti_curl_set_collector(curl, { _, size, count, _ in size * count }, nil, { _, size, count, _ in size * count }, nil)
    _ = tutti_curl_set_long(curl, CURLOPT_POSTFIELDSIZE, delivery.body.count)
    let text = delivery.body.map { CChar(bitPattern: $0) } + [0]
    let result = text.withUnsafeBufferPointer { text in
      _ = tutti_curl_set_text(curl, CURLOPT_POSTFIELDS, text.baseAddress)
      return curl_easy_perform(curl)
    }
    return result == CURLE_OK ? Int(tutti_curl_status(curl)) : nil
  }
}
