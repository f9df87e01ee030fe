import Configuration
import Dispatch
import Glibc
import LoadGenerator
import SecureTransport

/// `tutti load` and `tutti demo`: clients for a server that runs elsewhere.
enum LoadCommand {
  static func run(_ options: LoadCommandOptions, isDemo: Bool) throws(ConfigurationError) -> Int32 {
    raiseDescriptorLimit()
    do {
      let address = try RoomAddress(options.url)
      let load = LoadRun(settings(options, address, isDemo: isDemo)) { line in
        // Ahead of a pipe's reader, not when its buffer is full.
        if options.isJSON || isDemo { printError(line) } else { print(line); fflush(nil) }
      }
      if isDemo { printError("Open \(address.origin)/?room=\(address.room) beside this; Ctrl-C ends it.") }
      let sources = [SIGINT, SIGTERM].map { onSignal($0) { load.stop() } }
      let report = try withExtendedLifetime(sources) { try load.run() }
      // Whoever reads the report by a program finds there as well that nobody came.
      if options.isJSON { print(report.json) }
      let failures = load.failures
      if !failures.isEmpty { throw ConfigurationError(faults: failures) }
      if isDemo { return 0 }
      if !options.isJSON { print(report.text) }
      return report.connected == report.clients && report.refusals.total == 0 ? 0 : 1
    } catch let error as ConfigurationError {
      throw error
    } catch {
      throw ConfigurationError(faults: ["\(error)"])
    }
  }

  private static func settings(_ options: LoadCommandOptions, _ address: RoomAddress, isDemo: Bool) -> LoadOptions {
    var settings = LoadOptions(address: address)
    settings.publishers = options.publishers
    settings.viewers = options.viewers
    settings.seconds = options.seconds
    settings.joinsPerSecond = options.joinsPerSecond
    settings.token = options.token
    settings.isInsecure = options.isInsecure
    settings.output = options.output
    settings.isAudioOnly = options.isAudioOnly
    settings.takesTurns = isDemo
    settings.lossShare = options.lossPercent / 100
    settings.slowViewers = options.slowViewers
    settings.lineBitsPerSecond = options.lineKilobits * 1_000
    if options.hasCounterModeOnly { settings.viewerProfiles = [.aes128CMHMACSHA1_80] }
    settings.keyframeRequestsPerSecond = options.keyframeRequestsPerSecond
    return settings
  }

  private static func onSignal(_ number: Int32, _ body: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler { body() }
    source.resume()
    return source
  }

  /// A client is a socket: as many as the system lets have.
  private static func raiseDescriptorLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
