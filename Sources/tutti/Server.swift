import AudioFiles
import Compositing
import Conference
import ControlAPI
import DatagramIO
import ICE
import LayoutWorkshop
import RealTime
import SecureTransport
import WebRTCTransport

/// A running server: sockets, rooms and HTTP, wired together. Decides nothing.
struct Server {
  let conferences: Conferences
  let network: NetworkLoopGroup
  let control: ControlServer
  let webhooks: [WebhookSender]

  /// What the parts need to know.
  struct Plan {
    /// Where media is received.
    var mediaAddresses: [TransportAddress]
    /// Addresses told to clients instead of those bound, port aside: what a NAT in front of the server shows.
    var announced: [TransportAddress] = []
    /// Threads that receive and send.
    var networkThreads = 1
    var conference = ConferenceSettings()
    var control = ControlServer.Settings()
    var webhooks: [Webhook] = []
  }

  /// - Parameter layoutChanged: what to tell the rooms of a layout that was saved.
  /// - Throws: a sentence for the operator.
  init(
    _ plan: Plan, layouts: LayoutFolder, sounds: SoundLibrary, resources: CanvasResources,
    log: @escaping @Sendable (String) -> Void,
    layoutChanged: @escaping @Sendable (Conferences, String, LayoutFolder.Change) async -> Void
  ) throws {
    let certificate = try DTLSCertificate()
    let network = try NetworkLoopGroup(
      bind: plan.mediaAddresses, acceptsTCP: true, threads: plan.networkThreads, seed: UInt64.random(in: 0 ... .max))
    self.network = network
    let senders = plan.webhooks.map { WebhookSender($0, now: plan.control.now) }
    let negotiator = PeerNegotiator(
      certificate: certificate, candidates: Self.candidates(bound: network.localAddresses, announced: plan.announced))
    conferences = Conferences(
      settings: plan.conference, layouts: layouts.library, sounds: sounds, resources: resources, negotiator: negotiator,
      transport: network,
      transportMetrics: { Self.metrics(of: network) + Self.metrics(of: senders) }, log: log)
    webhooks = senders
    conferences.observe { event in for sender in senders { sender.post(event) } }
    let workshop = LayoutWorkshop(layouts) { [conferences] name, change in await layoutChanged(conferences, name, change) }
    control = try ControlServer(plan.control, control: conferences, workshop: workshop)
  }

  /// UDP first; TCP for who cannot use it.
  private static func candidates(bound: [TransportAddress], announced: [TransportAddress]) -> [ICECandidate] {
    var addresses: [TransportAddress] = []
    for local in bound {
      let own = announced.filter { $0.family == local.family }.map { $0.withPort(local.port) }
      addresses += own.isEmpty ? [local] : own
    }
    let udp = addresses.enumerated().map { ICECandidate.host($1, localPreference: UInt16(65535 - $0)) }
    let tcp = addresses.enumerated().map { ICECandidate.passiveTCPHost($1, preference: UInt16(8191 - $0)) }
    return udp + tcp
  }

  private static func metrics(of senders: [WebhookSender]) -> [(String, String, Double)] {
    let counts = senders.map(\.counts)
    return [
      ("tutti_webhooks_delivered_total", "Events that a webhook took.", Double(counts.reduce(0) { $0 + $1.delivered })),
      (
        "tutti_webhooks_dropped_total", "Events that a webhook did not take in time.",
        Double(counts.reduce(0) { $0 + $1.dropped })
      ),
    ]
  }

  private static func metrics(of network: NetworkLoopGroup) -> [(String, String, Double)] {
    let counters = network.statistics
    return [
      ("tutti_datagrams_received_total", "Datagrams that came in.", Double(counters.datagramsReceived)),
      ("tutti_datagrams_sent_total", "Datagrams handed to the kernel.", Double(counters.datagramsSent)),
      ("tutti_datagrams_dropped_total", "Datagrams the kernel had no room for.", Double(counters.datagramsDropped)),
      ("tutti_datagrams_stray_total", "Datagrams that were meant for nobody.", Double(counters.datagramsStray)),
      ("tutti_network_threads", "Threads that receive and send.", Double(network.threads)),
      (
        "tutti_datagrams_handed_over_total", "Datagrams that another network thread read than that of their peer.",
        Double(counters.datagramsHandedOver)
      ),
      ("tutti_frames_dropped_total", "Frames given up because the network loop was behind.", Double(counters.framesDropped)),
      (
        "tutti_sendings_total", "Times that the network thread sent what was handed over, or spans of 20 ms that it waited.",
        Double(counters.punctuality.sendings)
      ),
      (
        "tutti_sendings_late_total", "Of those, the spans of 20 ms that it waited.", Double(counters.punctuality.late)
      ),
      (
        "tutti_sending_wait_seconds",
        "The longest that something handed over waited until it was sent, in the last half second.",
        counters.longestWait.seconds
      ),
      ("tutti_peers", "Transport sessions there are.", Double(counters.peers)),
      ("tutti_tcp_connections", "ICE-TCP connections there are.", Double(counters.tcpConnections)),
    ]
  }
}
