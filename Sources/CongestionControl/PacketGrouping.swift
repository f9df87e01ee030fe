import Timing

/// How one group of packets fared against the one before: the input of the delay gradient (draft-ietf-rmcat-gcc-02 section 4.1).
struct GroupDelta: Sendable {
  var sent: Interval
  var arrived: Interval
  /// When the later group was complete, on the receiver's clock.
  var arrival: Instant
}

/// Joins packets that were sent as one burst, or arrived as one, so that neither a frame's packets nor a link that releases in
/// bunches count as changes of delay.
struct PacketGrouping: Sendable {
  private struct Group: Sendable {
    var firstSent: Instant
    var lastSent: Instant
    var firstArrival: Instant
    var lastArrival: Instant
  }

  private static let burst = Interval.milliseconds(5)
  private static let burstMax = Interval.milliseconds(100)
  /// A receiver whose clock jumps so far against ours starts anew.
  private static let jumpMax = Interval.seconds(3)

  private var current: Group?
  private var previous: Group?

  /// - Returns: the step between the last two complete groups, where this packet begins a new one.
  mutating func add(sent: Instant, arrival: Instant) -> GroupDelta? {
    guard var group = current else {
      current = Group(firstSent: sent, lastSent: sent, firstArrival: arrival, lastArrival: arrival)
      return nil
    }
    guard sent >= group.firstSent else { return nil }
    if joins(group, sent, arrival) {
      group.lastSent = max(group.lastSent, sent)
      group.lastArrival = max(group.lastArrival, arrival)
      current = group
      return nil
    }
    defer {
      previous = group
      current = Group(firstSent: sent, lastSent: sent, firstArrival: arrival, lastArrival: arrival)
    }
    guard let previous else { return nil }
    let delta = GroupDelta(
      sent: group.lastSent - previous.lastSent, arrived: group.lastArrival - previous.lastArrival, arrival: group.lastArrival)
    let change = delta.arrived - delta.sent
    if change > Self.jumpMax || change < -Self.jumpMax {
      group = Group(firstSent: sent, lastSent: sent, firstArrival: arrival, lastArrival: arrival)
      return nil
    }
    return delta.arrived >= .zero ? delta : nil
  }

  private func joins(_ group: Group, _ sent: Instant, _ arrival: Instant) -> Bool {
    if sent - group.firstSent <= Self.burst { return true }
    let change = (arrival - group.lastArrival) - (sent - group.lastSent)
    return change < .zero && arrival - group.lastArrival <= Self.burst && arrival - group.firstArrival < Self.burstMax
  }
}
