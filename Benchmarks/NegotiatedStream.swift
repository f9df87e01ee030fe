import EncodedMedia
import RTP
import RTPStreams
import SDP

extension SendStream {
  /// The stream sent on a negotiated line; nil where nothing is sent.
  init?(_ media: NegotiatedMedia, using random: inout some RandomNumberGenerator) {
    guard let negotiated = media.sendCodec, let source = media.localSource,
      let codec = Codec.allCases.first(where: { $0.rawValue.lowercased() == negotiated.name.lowercased() })
    else { return nil }
    var payloadTypes = PayloadTypeMap()
    payloadTypes[negotiated.payloadType] = .media(codec)
    var extensions = HeaderExtensionMap()
    for known in media.sendExtensions {
      if let kind = HeaderExtensionKind(uri: known.uri) { extensions[kind] = known.id }
    }
    self.init(
      .init(
        source: SSRC(source.ssrc), kind: codec.kind, payloadTypes: payloadTypes, extensionMap: extensions,
        mid: media.mid.flatMap { ShortToken($0) }, using: &random))
  }
}
