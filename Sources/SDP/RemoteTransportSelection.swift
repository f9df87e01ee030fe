extension RemoteTransport {
  /// The transport of the first of these lines that has credentials, else of the session part (RFC 8843 section 7.3.1).
  ///
  /// `lines` are those bundled with one another, the one that carries the transport first.
  init(of description: SessionDescription, lines: [Int]) throws(NegotiationError) {
    let media = lines.compactMap { description.media.indices.contains($0) ? description.media[$0] : nil }
    let tagged = media.first { $0.usernameFragment != nil && $0.password != nil } ?? media.first
    guard let fragment = tagged?.usernameFragment ?? description.usernameFragment,
      let password = tagged?.password ?? description.password, (4...256).contains(fragment.utf8.count),
      (22...256).contains(password.utf8.count)
    else { throw .missingICECredentials }
    credentials = CredentialAttributes(usernameFragment: fragment, password: password)

    let own = tagged?.fingerprints ?? []
    fingerprints = (own.isEmpty ? description.fingerprints : own).filter { $0.isUsable }
    if fingerprints.isEmpty { throw .missingFingerprint }

    setup = tagged?.setup ?? description.setup
    isICELite = description.isICELite
    iceOptions = description.iceOptions + (tagged?.iceOptions ?? []).filter { !description.iceOptions.contains($0) }

    let sharing = media.filter { ($0.usernameFragment ?? description.usernameFragment) == fragment }
    var seen: Set<CandidateAttribute> = []
    candidates = Array(
      sharing.flatMap { $0.candidates }.filter { $0.component == 1 && seen.insert($0).inserted }.prefix(64))
    hasEndOfCandidates =
      sharing.contains { $0.hasEndOfCandidates }
      || description.otherAttributes.contains { $0.name == "end-of-candidates" }
  }
}
