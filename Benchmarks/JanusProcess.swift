import Glibc

/// Janus with one plug-in, asked for things over a socket of the file system.
final class JanusProcess {
  let control: JanusControl
  private let process: ChildProcess
  private let folder: String
  private let files: [String]

  /// - Parameters:
  ///   - plugin: such as `audiobridge`; all others stay unloaded.
  ///   - settings: the plug-in's configuration.
  ///   - general: more of Janus's own.
  init(plugin: String, settings: String, general: String = "") throws {
    var template = Array("/tmp/tutti-bench-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw BenchmarkError("no folder for Janus's configuration") }
    folder = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let path = folder + "/api"
    let others = Self.plugins.filter { $0 != plugin }.map { "libjanus_\($0).so" }.joined(separator: ",")
    let configuration = [
      "janus.jcfg": """
      general: { configs_folder = "\(folder)" debug_level = 1 session_timeout = 0 \(general) }
      media: { rtp_port_range = "20000-40000" }
      plugins: { disable = "\(others)" }
      transports: { disable = "libjanus_http.so,libjanus_websockets.so,libjanus_rabbitmq.so,libjanus_mqtt.so,libjanus_nanomsg.so" }

      """,
      "janus.transport.pfunix.jcfg": """
      general: { enabled = true json = "compact" path = "\(path)" type = "SOCK_SEQPACKET" }
      admin: { admin_enabled = false }

      """,
      "janus.plugin.\(plugin).jcfg": settings,
    ]
    files = Array(configuration.keys)
    for (name, text) in configuration { try Self.write(text, to: folder + "/" + name) }
    (process, control) = try Self.start(folder, path, plugin: "janus.plugin.\(plugin)")
  }

  /// Now and then it finds no transport as it starts, and ends; then it is started again.
  private static func start(_ folder: String, _ path: String, plugin: String) throws -> (ChildProcess, JanusControl) {
    for _ in 0..<startsMax {
      let process = try ChildProcess(["janus", "--configs-folder=\(folder)"])
      while process.cpuTime != nil {
        if let control = try JanusControl(path, plugin: plugin) { return (process, control) }
        usleep(50_000)
      }
    }
    throw BenchmarkError("Janus does not listen; is Debian's package `janus` installed?")
  }
  private static let startsMax = 5

  /// Debian's package has these.
  private static let plugins = [
    "audiobridge", "echotest", "streaming", "videocall", "sip", "nosip", "recordplay", "videoroom", "voicemail", "textroom",
    "lua",
    "duktape",
  ]

  private static func write(_ text: String, to path: String) throws {
    guard let file = fopen(path, "w") else { throw BenchmarkError("cannot write \(path)") }
    fputs(text, file)
    fclose(file)
  }

  var cpuTime: Int64? { process.cpuTime }

  func stop() {
    process.stop()
    for name in files + ["api"] { unlink(folder + "/" + name) }
    rmdir(folder)
  }
}
