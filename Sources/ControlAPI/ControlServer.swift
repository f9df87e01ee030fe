import Glibc
import Conference
import JSON5
import LayoutWorkshop

/// The HTTP side of the server: WHIP, WHEP, control, events and the web page, in front of the conferences.
///
/// Knows nothing of media: SDP is opaque text here, and every decision about rooms is `ConferenceControl`'s.
package final class ControlServer: Sendable {
  package struct Settings: Sendable {
    /// A numeric IPv4 or IPv6 address without brackets.
    package var address = "127.0.0.1"
    /// 0 for any free port.
    package var port: UInt16 = 8080
    package var tls: TLS?
    package var authentication = Authentication.none
    /// Told to clients in `Link` headers (RFC 9725 section 4.6).
    package var iceServers: [ICEServer] = []
    /// More clients than this at once are turned away.
    package var connectionsMax = 1000
    package var limits = ConnectionLimits()
    /// Seconds since 1970, against which tokens are checked.
    package var now: @Sendable () -> Int = { Int(time(nil)) }

    package init() {}
  }

  package enum TLS: Sendable {
    /// Paths of PEM files.
    case files(certificate: String, key: String)
    /// A certificate made at the start, which browsers ask about once.
    case selfSigned
  }

  private let server: WebServer
  private let scheme: String
  private let address: String
  /// The port in fact listened on.
  package var port: UInt16 { server.port }
  /// Where the web page is.
  package var url: String { "\(scheme)://\(address.contains(":") ? "[\(address)]" : address):\(port)/" }

  /// Listens and serves from its own thread until `stop()`.
  package init(
    _ settings: Settings, control: any ConferenceControl, workshop: LayoutWorkshop
  ) throws(ControlServerError) {
    let application = ControlApplication(
      control: control, workshop: workshop, authentication: settings.authentication, iceServers: settings.iceServers,
      now: settings.now)
    var material: TLSMaterial?
    switch settings.tls {
    case .files(let certificate, let key): material = .files(certificate: certificate, key: key)
    case .selfSigned: material = try selfSignedCertificate(address: settings.address)
    case nil: break
    }
    scheme = material == nil ? "http" : "https"
    address = settings.address
    server = try WebServer(
      WebServerSettings(
        address: settings.address, port: settings.port, tls: material, connectionsMax: settings.connectionsMax,
        limits: settings.limits),
      application: WebApplication(
        policy: application.policy, answer: { await application.answer($0) },
        subscribe: { head, channel in await application.subscribe(head, channel) }))
  }

  /// Ends every connection and the thread; returns when they are gone. Blocks for at most half a second.
  package func stop() { server.stop() }

  deinit { server.stop() }
}

/// Why the server cannot serve: a sentence for its operator.
package struct ControlServerError: Error, Sendable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

extension ControlApplication {
  /// Connects a WebSocket with the events of the room its address names.
  func subscribe(_ head: HTTPRequestHead, _ channel: EventChannel) async -> @Sendable () -> Void {
    guard let route = try? Route(head.segments), case .events(let room) = route,
      let caller = try? identity(of: head, route: route, isWebSocket: true)
    else { return {} }
    let lobby = caller.leads ? nil : LobbyFilter(caller)
    let audience = head.queryValue("audience") == "count" ? AudienceFilter(caller) : nil
    if let lobby, let room = try? await control.room(room, listing: caller.listing) { lobby.read(room) }
    let subscription = await control.subscribe(room: room) { event in
      // Both take in what each event tells of who is where.
      let (isNoSecret, isWanted) = (lobby?.passes(event.change) ?? true, audience?.passes(event.change) ?? true)
      if isNoSecret && isWanted { channel.push(event.json) }
    }
    if lobby != nil || audience != nil, let room = try? await control.room(room, listing: caller.listing) {
      lobby?.read(room)
      audience?.read(room)
    }
    return subscription.cancel
  }
}
