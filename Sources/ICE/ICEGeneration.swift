/// The credentials of both sides between one ICE restart and the next, ready for use.
struct ICEGeneration: Sendable {
  let local: ICECredentials
  let localKey: STUNIntegrityKey
  /// Nil until the peer's description arrived.
  private(set) var remoteKey: STUNIntegrityKey?
  /// USERNAME of the checks that come in, `local:remote`; empty while the peer's fragment is unknown.
  private(set) var incomingUsername: [UInt8] = []
  /// USERNAME of the checks that go out, `remote:local`.
  private(set) var outgoingUsername: [UInt8] = []
  private(set) var remoteUfrag: String?

  init(local: ICECredentials, remote: ICECredentials?) {
    self.local = local
    self.localKey = STUNIntegrityKey(password: local.password)
    if let remote { setRemote(remote) }
  }

  mutating func setRemote(_ remote: ICECredentials) {
    remoteUfrag = remote.ufrag
    remoteKey = STUNIntegrityKey(password: remote.password)
    incomingUsername = Array("\(local.ufrag):\(remote.ufrag)".utf8)
    outgoingUsername = Array("\(remote.ufrag):\(local.ufrag)".utf8)
  }

  /// Whether the peer we know wrote this request: the whole USERNAME and MESSAGE-INTEGRITY are right.
  func authenticates(_ request: borrowing STUNMessage) -> Bool {
    guard !incomingUsername.isEmpty, let username = request.username, username.count == incomingUsername.count else {
      return false
    }
    for index in username.indices where username[index] != incomingUsername[index] { return false }
    return request.verifyIntegrity(localKey)
  }
}
