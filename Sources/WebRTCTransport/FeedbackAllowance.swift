/// How much one datagram of feedback may have looked at: a few of its bytes can name thousands of packets.
struct FeedbackAllowance {
  /// Statuses of packets in transport-wide feedback: four times as many as are remembered, while honest feedback tells once of each.
  var statuses = 4_096
  /// Packets that NACKs name: about what a picture of some hundred kilobytes takes. Who lost more asks again for the rest.
  var lostPackets = 512
}
