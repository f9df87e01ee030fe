import EncodedMedia
import RTP
import Timing

/// What was sent on one outgoing source.
public struct SendCounters: Sendable {
  /// Frames that were given numbers.
  public internal(set) var frames = 0
  /// Packets and their payload bytes, without those sent again.
  public internal(set) var packets: Int64 = 0
  public internal(set) var octets: Int64 = 0
  /// Packets that NACKs asked for, and those that were sent again.
  public internal(set) var packetsRequested = 0
  public internal(set) var packetsResent = 0
  /// Packets sent again unasked, as padding.
  public internal(set) var paddingPackets = 0
  /// Packets of parity (RFC 5109), which are none of `packets`.
  public internal(set) var parityPackets = 0
}

/// What the receiver says of an outgoing source.
public struct ReceiverView: Sendable {
  /// From the last report with a sender report to measure by; nil before.
  public var roundTripTime: Interval?
  /// 0 to 1, between the last two reports.
  public var fractionLost: Double
  /// Packets since the beginning; below zero where more came twice than were lost (RFC 3550 section 6.4.1).
  public var cumulativeLost: Int32
  /// Interarrival jitter (RFC 3550 section 6.4.1).
  public var jitter: Interval
  /// The highest sequence number it has, above the count of its wraps.
  public var extendedHighestSequence: UInt32
}

extension SendStream {
  /// Copies of earlier frames that packets carry now: as many as the receiver's loss asks for and its path has room for, none where
  /// RED was not negotiated or the path is full.
  public var redundantCopies: Int {
    pathIsFull ? 0 : min(redundantCopiesWanted, copiesMax)
  }

  /// As many as the receiver's loss asks for, whether or not there is room for them.
  public var redundantCopiesWanted: Int {
    redundancy.copies > 0 && configuration.payloadTypes.hasRedundancy ? redundancy.copies : 0
  }

  /// The share of packets lost that copies are to make up for, 0 to 1.
  public var lossToRepair: Double { redundancy.loss }

  /// The sender's part of a report sent now; nil before the first frame.
  ///
  /// - Parameters:
  ///   - now: told of on the same clock as the frames' times.
  ///   - wallClock: the same instant.
  ///
  /// Counts as changing the stream, as all that is asked of it for each of many receivers.
  public mutating func senderReport(at now: Instant, wallClock: NTPTime) -> SenderReport? {
    guard let last else { return nil }
    let elapsed = Int((now - last.time).ticks(at: clockRate))
    return SenderReport(
      sender: configuration.source, ntp: wallClock, timestamp: last.timestamp + elapsed,
      packetCount: UInt32(truncatingIfNeeded: counters.packets), octetCount: UInt32(truncatingIfNeeded: counters.octets))
  }

  /// The receiver reported on this source.
  ///
  /// - Parameter wallClock: now, on the clock the sender reports were stamped with.
  public mutating func receive(_ block: ReportBlock, wallClock: NTPTime) {
    guard block.source == configuration.source else { return }
    var roundTripTime = receiverReport?.roundTripTime
    if block.lastSenderReport != 0 {
      let compact = wallClock.compact &- block.lastSenderReport &- block.delaySinceLastSenderReport
      // Clocks of 1/65536 s round: a little below zero is none at all, and more than a minute is nonsense.
      let ticks = max(Int64(Int32(bitPattern: compact)), 0)
      if ticks < 60 &* 65_536 { roundTripTime = .ticks(ticks, at: 65_536) }
    }
    let before = receiverReport?.extendedHighestSequence ?? UInt32(configuration.firstSequence & 0x7FFF)
    if !pathIsFull {
      redundancy.receive(
        fractionLost: Double(block.fractionLost) / 256,
        of: Int(Int32(bitPattern: block.extendedHighestSequence &- before)))
    }
    protection.receive(fractionLost: Double(block.fractionLost) / 256, roundTripTime: roundTripTime)
    settleProtection()
    isKnown = true
    receiverReport = ReceiverView(
      roundTripTime: roundTripTime, fractionLost: Double(block.fractionLost) / 256, cumulativeLost: block.cumulativeLost,
      jitter: .ticks(Int64(block.jitter), at: clockRate), extendedHighestSequence: block.extendedHighestSequence)
  }
}
