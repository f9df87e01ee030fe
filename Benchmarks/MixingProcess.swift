import EncodedMedia
import Timing

/// A mixer in a process of its own: takes frames in from clients and sends back the composed picture and the mixes.
///
/// Two implementations: our server, and a GStreamer pipeline.
protocol MixingProcess: AnyObject {
  /// Told of every frame that comes back: to whom, what and when. Called on other threads.
  typealias Delivery = @Sendable (_ client: Int, _ frame: EncodedFrame, _ arrived: Instant) -> Void

  /// Sends a frame as client `client` would.
  func send(_ frame: EncodedFrame, from client: Int)
  /// CPU nanoseconds used so far; nil where it has ended.
  var cpuTime: Int64? { get }
  func stop()
}

/// How many take part, and how many only watch and listen; clients are numbered in this order.
struct Attendance {
  var participants: Int
  var viewers = 0

  var count: Int { participants + viewers }
}
