import Bytes
import EncodedMedia
import RTP
import RTPStreams
import SDP
import Timing

/// The streams a peer sends, found by SSRC; a new SSRC is placed by what it says of itself (RFC 8843 section 9.2).
struct IncomingStreams {
  struct Entry {
    let id: StreamID
    var stream: ReceiveStream
    /// When it took the place of another source; nil where it was the first one there.
    let replacedAt: Instant?
  }

  /// More SSRCs than an honest peer sends at once: two kinds, some m-lines, four layers.
  static let capacity = 24
  /// Between two changes of a stream's source: each costs as much memory as thousands of packets do.
  private static let replacementInterval = Interval.milliseconds(200)

  var entries: [Entry] = []
  private var lines: [Line]
  private var lastFound = 0
  /// Header extensions by their ids; one table for the session, since BUNDLE wants an id to mean one thing.
  private(set) var extensionMap: HeaderExtensionMap

  /// What is needed of one negotiated m-line.
  struct Line {
    var index: UInt8
    var kind: MediaKind
    var mid: ShortToken?
    var payloadTypes: PayloadTypeMap
    var announced: [RemoteSource]
    var layers: [ShortToken]
    var usesNACK: Bool
  }

  init(_ session: NegotiatedSession) {
    lines = session.media.compactMap(Line.init)
    extensionMap = HeaderExtensionMap(session.media.flatMap(\.receiveExtensions))
  }

  /// Takes a new negotiation; streams that run go on.
  mutating func update(_ session: NegotiatedSession) {
    lines = session.media.compactMap(Line.init)
    extensionMap = HeaderExtensionMap(session.media.flatMap(\.receiveExtensions))
    for index in entries.indices {
      guard let line = lines.first(where: { $0.index == entries[index].id.media }) else { continue }
      entries[index].stream.configuration.payloadTypes = line.payloadTypes
      entries[index].stream.configuration.usesNACK = line.usesNACK
    }
  }

  /// The entry a packet belongs to, made where the packet is the first of its source; nil where it cannot be placed, or would replace
  /// another source too soon.
  mutating func find(_ header: RTPHeader, _ extensions: HeaderExtensions, at now: Instant) -> Int? {
    if lastFound < entries.count, entries[lastFound].belongs(header.ssrc) { return lastFound }
    if let known = entries.firstIndex(where: { $0.belongs(header.ssrc) }) {
      lastFound = known
      return known
    }
    guard let line = line(of: header, extensions) else { return nil }
    if case .retransmission? = line.payloadTypes[header.payloadType] { return adoptRetransmission(header, extensions, line) }
    return add(header, extensions, line, at: now)
  }

  // A span lends its elements: a stream read by way of the array is copied first, with a reference count for each of its arrays.

  /// When the first of the streams wants to be called; nil where none does.
  var nextDeadline: Instant? {
    let entries = entries.span
    var earliest: Instant?
    for index in entries.indices {
      if let deadline = entries[index].stream.nextDeadline { earliest = min(earliest ?? deadline, deadline) }
    }
    return earliest
  }

  /// Asks for the memory of the stream that came last.
  mutating func prefetch() {
    guard lastFound < entries.count else { return }
    entries.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      Prefetch.memory(at: base + lastFound &* MemoryLayout<Entry>.stride, byteCount: MemoryLayout<Entry>.size)
    }
  }

  /// Whether one of the streams has anything to tell its sender.
  mutating func hasFeedback(at now: Instant) -> Bool {
    for index in entries.indices where entries[index].stream.hasFeedback(at: now) { return true }
    return false
  }

  /// The entry of a media source that RTCP speaks of.
  func index(of source: SSRC) -> Int? { entries.firstIndex { $0.stream.configuration.source == source } }

  private func line(of header: RTPHeader, _ extensions: HeaderExtensions) -> Line? {
    if let mid = extensions.mid, let line = lines.first(where: { $0.mid == mid }) { return line }
    if let line = lines.first(where: { $0.announces(header.ssrc) }) { return line }
    let candidates = lines.filter { $0.payloadTypes[header.payloadType] != nil }
    return candidates.count == 1 ? candidates.first : nil
  }

  private mutating func add(
    _ header: RTPHeader, _ extensions: HeaderExtensions, _ line: Line, at now: Instant
  ) -> Int? {
    var layer: UInt8 = 0
    if let rid = extensions.rid, let index = line.layers.firstIndex(of: rid) { layer = UInt8(truncatingIfNeeded: index) }
    let id = StreamID(media: line.index, kind: line.kind, layer: layer)
    let retransmission = line.announced.first { $0.ssrc == header.ssrc.rawValue }?.retransmissionSSRC
    let configuration = ReceiveStream.Configuration(
      source: header.ssrc, kind: line.kind, payloadTypes: line.payloadTypes,
      retransmissionSource: retransmission.map { SSRC($0) }, usesNACK: line.usesNACK)
    if let place = entries.firstIndex(where: { $0.id == id }) { return replace(place, configuration, at: now) }
    guard entries.count < Self.capacity else { return nil }
    entries.append(Entry(id: id, stream: ReceiveStream(configuration), replacedAt: nil))
    lastFound = entries.count &- 1
    return lastFound
  }

  /// A source replaces another in its place: the sender restarted it, or the SSRC collided. The first one does so at once.
  private mutating func replace(_ place: Int, _ configuration: ReceiveStream.Configuration, at now: Instant) -> Int? {
    if let last = entries[place].replacedAt, now - last < Self.replacementInterval { return nil }
    let stream = ReceiveStream(configuration, after: entries[place].stream)
    entries[place] = Entry(id: entries[place].id, stream: stream, replacedAt: now)
    lastFound = place
    return place
  }

  /// A retransmission whose source was not announced: of the layer it names, else of the only stream of its line that has none yet.
  private mutating func adoptRetransmission(_ header: RTPHeader, _ extensions: HeaderExtensions, _ line: Line) -> Int? {
    let repaired = extensions.repairedRID.flatMap { line.layers.firstIndex(of: $0) }
    let candidates = entries.indices.filter { index in
      guard entries[index].id.media == line.index else { return false }
      if let repaired { return Int(entries[index].id.layer) == repaired }
      return entries[index].stream.configuration.retransmissionSource == nil
    }
    guard candidates.count == 1 else { return nil }
    entries[candidates[0]].stream.configuration.retransmissionSource = header.ssrc
    return candidates[0]
  }
}

extension IncomingStreams.Entry {
  func belongs(_ source: SSRC) -> Bool {
    stream.configuration.source == source || stream.configuration.retransmissionSource == source
  }
}

extension IncomingStreams.Line {
  init?(_ media: NegotiatedMedia) {
    guard media.direction.receives, let index = UInt8(exactly: media.index) else { return nil }
    var payloadTypes = PayloadTypeMap()
    for negotiated in media.receiveCodecs {
      guard let codec = Codec(sdpName: negotiated.name) else { continue }
      payloadTypes[negotiated.payloadType] = .media(codec)
      if let retransmission = negotiated.retransmissionPayloadType {
        payloadTypes[retransmission] = .retransmission(of: negotiated.payloadType)
      }
      if let redundancy = negotiated.redundancyPayloadType {
        payloadTypes[redundancy] = .redundancy(of: negotiated.payloadType)
      }
      if let protection = negotiated.protection {
        payloadTypes[protection.block] = .block
        payloadTypes[protection.parity] = .parity
      }
    }
    self.init(
      index: index, kind: media.type.kind, mid: media.mid.flatMap { ShortToken($0) }, payloadTypes: payloadTypes,
      announced: media.remoteSources, layers: media.receiveRIDs.compactMap { ShortToken($0) },
      usesNACK: media.feedback.contains(.nack))
  }

  func announces(_ source: SSRC) -> Bool {
    announced.contains { $0.ssrc == source.rawValue || $0.retransmissionSSRC == source.rawValue }
  }
}

extension HeaderExtensionMap {
  init(_ extensions: [HeaderExtensionID]) {
    self.init()
    for known in extensions {
      if let kind = HeaderExtensionKind(uri: known.uri) { self[kind] = known.id }
    }
  }
}
