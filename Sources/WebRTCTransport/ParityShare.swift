/// What parity adds to the pictures of a peer, measured over what was sent of late: what its path carries is for both.
package struct ParityShare {
  /// Less says nothing yet.
  private static let bytesMin = 10_000
  /// Then half of what was counted is forgotten.
  private static let bytesMax = 60_000
  private static let shareMax = 1.0
  /// Less than a packet of parity among so many bytes: there is none any more.
  private static let parityBytesMin = 50

  private var parityBytes = 0
  /// Of all pictures, parity included, since there is parity.
  private var pictureBytes = 0

  /// Of pictures alone; 0 where none was sent.
  package private(set) var share = 0.0

  package init() {}

  /// So much of a bit rate is for pictures.
  func protected(in bitsPerSecond: Int) -> Int {
    share > 0 ? Int(min(Double(bitsPerSecond), 1e12) / (1 + share)) : bitsPerSecond
  }

  /// What pictures of a bit rate take with their parity.
  func whole(of bitsPerSecond: Int) -> Int {
    share > 0 ? Int(min(Double(bitsPerSecond), 1e12) * (1 + share)) : bitsPerSecond
  }

  /// A datagram of pictures left, or of their parity.
  package mutating func countPicture(_ size: Int) {
    guard parityBytes > 0 else { return }
    pictureBytes &+= size
    guard pictureBytes > Self.bytesMax else { return }
    measure()
    (parityBytes, pictureBytes) = (parityBytes / 2, pictureBytes / 2)
  }

  /// The datagram of pictures that has just left was parity.
  package mutating func count(_ size: Int) {
    if parityBytes == 0 { pictureBytes = size }
    parityBytes &+= size
    if pictureBytes >= Self.bytesMin { measure() }
  }

  private mutating func measure() {
    guard parityBytes >= Self.parityBytesMin else { return (parityBytes, share) = (0, 0) }
    share = min(Double(parityBytes) / Double(max(pictureBytes &- parityBytes, 1)), Self.shareMax)
  }
}
