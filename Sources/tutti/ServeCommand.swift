import AudioFiles
import Compositing
import Conference
import Configuration
import ControlAPI
import Dispatch
import Glibc
import ICE
import LayoutWorkshop
import RealTime
import Timing

/// `tutti serve`: starts everything, waits for a signal, drains and ends.
enum ServeCommand {
  /// - Returns: the exit status: 0 after a drain.
  static func run(_ options: ServeOptions) -> Int32 {
    do {
      let configuration = try Configuration.load(options: options, environment: environment())
      // Before any thread starts, so that every thread leaves these signals to `waitForSignal`.
      let signals = blockSignals()
      let log = Log(level: configuration.logLevel, format: configuration.logFormat)
      for warning in configuration.warnings { log.warning(warning) }
      let layouts = LayoutFolder(directory: configuration.layoutsDirectory)
      do { try layouts.loadAll { log.error($0) } } catch { throw ConfigurationError(faults: [error.description]) }
      try checkDefaults(configuration, layouts.library)
      let sounds = try soundLibrary(configuration)
      var plan = try plan(configuration)
      plan.conference.sounds = try defaultSounds(configuration, sounds)
      let resources = try canvasResources(configuration, log)
      let server = try Server(plan, layouts: layouts, sounds: sounds, resources: resources, log: { log.info($0) }) {
        await tell($0, $1, $2, log)
      }
      watch(layouts, server.conferences, log)
      log.info("page and control at \(server.control.url)")
      log.info("media at \(server.network.localAddresses.map(\.description).joined(separator: ", ")) (UDP and ICE-TCP)")
      print("Open \(server.control.url) in a browser; Ctrl-C ends the server.")
      fflush(nil)
      waitForSignal(signals)
      log.info("draining: no new participants; a second signal ends at once")
      drain(server, seconds: configuration.drainSeconds, signals: signals)
      log.info("ended")
      return 0
    } catch let error as ConfigurationError {
      for fault in error.faults { printError("tutti: \(fault)") }
      return 2
    } catch {
      printError("tutti: \(error)")
      return 1
    }
  }

  /// Does what is done before anything is opened for others, without its effects.
  ///
  /// - Throws: the faults for which a server with this configuration would not start.
  static func check(_ configuration: Configuration) throws(ConfigurationError) {
    let layouts = LayoutFolder(directory: configuration.layoutsDirectory)
    do { try layouts.loadAll { printError($0) } } catch { throw ConfigurationError(faults: [error.description]) }
    try checkDefaults(configuration, layouts.library)
    _ = try defaultSounds(configuration, soundLibrary(configuration))
    _ = try plan(configuration)
    try check(configuration.avatarsDirectory, of: "avatars")
  }

  /// What rooms nobody set up are like must be possible.
  private static func checkDefaults(
    _ configuration: Configuration, _ library: LayoutLibrary
  ) throws(ConfigurationError) {
    let rooms = configuration.rooms
    let names = [rooms.layout] + rooms.outputs.compactMap(\.layout) + [rooms.stage.waitingLayout].compactMap { $0 }
    for name in names where !library.names.contains(name) {
      throw ConfigurationError(faults: [
        "there is no layout '\(name)' in \(configuration.layoutsDirectory); it has \(library.names.joined(separator: ", "))"
      ])
    }
  }

  /// A directory that need not be there unless somebody named it.
  private static func check(_ directory: String?, of key: String) throws(ConfigurationError) {
    guard let directory else { return }
    var status = stat()
    guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw ConfigurationError(faults: ["\(key): there is no directory '\(directory)'"])
    }
  }

  /// Fonts and images of the whole server.
  private static func canvasResources(
    _ configuration: Configuration, _ log: Log
  ) throws(ConfigurationError) -> CanvasResources {
    try check(configuration.avatarsDirectory, of: "avatars")
    let warnings = CompositingWarnings { log.warning($0.description) }
    let images = ImageLibrary(
      layouts: configuration.layoutsDirectory, avatars: configuration.avatarsDirectory ?? "Avatars", warnings: warnings)
    MediaThread.start(name: "image-files") {
      while true {
        sleep(imagePeriodSeconds)
        images.refresh()
      }
    }
    return CanvasResources(images: images, warnings: warnings)
  }

  /// How often files of images are looked at, should they have been saved anew.
  private static let imagePeriodSeconds: UInt32 = 2

  private static func soundLibrary(_ configuration: Configuration) throws(ConfigurationError) -> SoundLibrary {
    try check(configuration.promptsDirectory, of: "prompts")
    return SoundLibrary(directory: configuration.promptsDirectory ?? "Prompts")
  }

  /// The sounds of rooms that nobody set up are read now: a join does not wait for a file.
  private static func defaultSounds(
    _ configuration: Configuration, _ library: SoundLibrary
  ) throws(ConfigurationError) -> [String: [Int16]] {
    var sounds: [String: [Int16]] = [:]
    do throws(AudioFileError) {
      for name in configuration.rooms.audio.soundNames { sounds[name] = try library.load(name) }
    } catch { throw ConfigurationError(faults: ["rooms.audio: \(error)"]) }
    return sounds
  }

  private static func plan(_ configuration: Configuration) throws(ConfigurationError) -> Server.Plan {
    var plan = Server.Plan(mediaAddresses: [])
    plan.announced = configuration.announce.compactMap { TransportAddress(host: $0, port: 0) }
    for address in configuration.rtc {
      guard let media = TransportAddress(host: address.address, port: address.port) else {
        throw ConfigurationError(faults: ["rtc: \(address) is no address"])
      }
      if media.isUnspecified, !plan.announced.contains(where: { $0.family == media.family }) {
        throw ConfigurationError(faults: [
          "rtc: \(address) tells clients no address to send to: name one of this machine, or add --announce with one it is reached by"
        ])
      }
      plan.mediaAddresses.append(media)
    }
    plan.networkThreads = configuration.networkThreads ?? max(1, Int(ProcessorTime.allowance()) / 4)
    plan.conference.autoCreate = configuration.rooms.autoCreate
    plan.conference.emptySeconds = configuration.rooms.emptySeconds
    plan.conference.layout = configuration.rooms.layout
    plan.conference.outputs = configuration.rooms.outputs
    plan.conference.audio = configuration.rooms.audio
    plan.conference.processorMax = configuration.overload.processorMax
    plan.conference.videoGivesWay = configuration.overload.videoGivesWay
    plan.conference.admission = configuration.rooms.admission
    plan.conference.stage = configuration.rooms.stage
    plan.control.address = configuration.http.address
    plan.control.port = configuration.http.port
    switch configuration.tls {
    case .files(let certificate, let key):
      for file in [certificate, key] where access(file, R_OK) != 0 {
        throw ConfigurationError(faults: ["tls: \(file) cannot be read: \(String(cString: strerror(errno)))"])
      }
      plan.control.tls = .files(certificate: certificate, key: key)
    case .selfSigned: plan.control.tls = .selfSigned
    case nil: break
    }
    plan.control.authentication = try TokenCommand.authentication(configuration.authentication)
    plan.webhooks = configuration.webhooks.map {
      Webhook(url: $0.url, secret: $0.secret.map { Array($0.utf8) }, events: $0.events.map(Set.init))
    }
    plan.control.iceServers = configuration.iceServers.flatMap { server in
      server.urls.map { url in
        .init(
          url: url, username: server.username, credential: server.credential,
          secret: url.hasPrefix("stun") ? nil : server.secret.map { Array($0.utf8) }, ttlSeconds: server.ttlSeconds)
      }
    }
    return plan
  }

  /// Reads each layout file anew when it is saved.
  private static func watch(_ layouts: LayoutFolder, _ conferences: Conferences, _ log: Log) {
    MediaThread.start(name: "layout-files") {
      let watcher = LayoutWatcher(layouts, report: { log.warning($0) }) { name, change in
        // The rooms learn of one change before the next is looked for.
        let isTold = DispatchSemaphore(value: 0)
        Task {
          await tell(conferences, name, change, log)
          isTold.signal()
        }
        isTold.wait()
      }
      watcher.run()
    }
  }

  private static func tell(_ conferences: Conferences, _ name: String, _ change: LayoutFolder.Change, _ log: Log) async {
    switch change {
    case .read:
      log.info("layout \(name) was read anew")
      await conferences.layoutChanged(name)
    case .faulty(let faults):
      for fault in faults { log.error(fault) }
      await conferences.layoutInvalid(name, message: faults.joined(separator: "\n"))
    case .deleted:
      if await conferences.layoutDeleted(name) {
        log.info("layout \(name) was deleted")
      } else {
        log.warning("layout \(name) was deleted and is in use: it stays as it was read last until the server ends")
      }
    }
  }

  // MARK: Signals

  private static func blockSignals() -> sigset_t {
    signal(SIGPIPE, SIG_IGN)
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGTERM)
    sigaddset(&signals, SIGINT)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    return signals
  }

  private static func waitForSignal(_ signals: sigset_t) {
    var signals = signals
    var number: Int32 = 0
    while sigwait(&signals, &number) != 0 {}
  }

  /// Tells everybody, waits until they have left or their time is up, then closes what is left.
  private static func drain(_ server: Server, seconds: Int, signals: sigset_t) {
    let finished = DispatchSemaphore(value: 0)
    MediaThread.start(name: "second-signal") {
      waitForSignal(signals)
      _exit(1)
    }
    Task {
      await server.conferences.drain()
      let deadline = MonotonicClock.now() + .seconds(Int64(seconds))
      while await !server.conferences.isEmpty, MonotonicClock.now() < deadline {
        try? await Task.sleep(for: .milliseconds(50))
      }
      await server.conferences.stop()
      // The last goodbyes leave with the network loop's next turn, the last events as fast as they are taken.
      try? await Task.sleep(for: .milliseconds(50))
      let patience = MonotonicClock.now() + .seconds(2)
      while !server.webhooks.allSatisfy(\.isIdle), MonotonicClock.now() < patience {
        try? await Task.sleep(for: .milliseconds(20))
      }
      finished.signal()
    }
    finished.wait()
    server.network.stop()
    server.control.stop()
  }

  /// The variables of this program.
  static func environment() -> [String: String] {
    var result: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
      next += 1
      let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0].hasPrefix("TUTTI_") else { continue }
      result[String(parts[0])] = String(parts[1])
    }
    return result
  }
}
