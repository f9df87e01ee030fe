import Foundation
import Testing

/// What each target may import: the arrows of the map. The same table as Package.swift, held here because an incremental
/// build lets an undeclared import of a sibling pass.
private let allowedImports: [String: Set<String>] = [
  "Timing": [],
  "Bytes": ["CMemory"],
  "EncodedMedia": ["Timing", "Bytes"],
  "RTP": ["EncodedMedia", "Bytes", "Timing"],
  "SDP": [],
  "ICE": ["Bytes", "Timing", "COpenSSL"],
  "SecureTransport": ["Bytes", "Timing", "COpenSSL", "CIPSecMB"],
  "RTPStreams": ["RTP", "EncodedMedia", "Bytes", "Timing"],
  "CongestionControl": ["RTP", "EncodedMedia", "Bytes", "Timing"],
  "WebRTCTransport": [
    "SDP", "ICE", "SecureTransport", "RTPStreams", "CongestionControl", "RTP", "EncodedMedia", "Bytes", "Timing",
  ],
  "RealTime": ["Timing", "CLinux"],
  "DatagramIO": ["WebRTCTransport", "ICE", "EncodedMedia", "RealTime", "Bytes", "Timing", "CLinux"],
  "RawMedia": ["Timing"],
  "JSON5": [],
  "Codecs": ["EncodedMedia", "RawMedia", "Timing", "COpus", "CVPX", "COpenH264", "CDav1d", "CAVCodec"],
  "Playout": ["EncodedMedia", "Bytes", "Timing"],
  "AudioMixing": ["RawMedia", "Timing"],
  "NoiseSuppression": ["RawMedia", "CSpeexDSP"],
  "AudioFiles": ["RawMedia", "CSndFile"],
  "PixelKernels": ["RawMedia", "CPixelKernels"],
  "Layouts": ["JSON5"],
  "LayoutImport": ["Layouts", "JSON5", "CExpat"],
  "ImageFiles": ["CPNG", "CTurboJPEG"],
  "Compositing": ["Layouts", "PixelKernels", "ImageFiles", "RawMedia", "Timing", "CPango"],
  "Conference": [
    "WebRTCTransport", "EncodedMedia", "RawMedia", "Playout", "Codecs", "AudioMixing", "NoiseSuppression", "AudioFiles",
    "Layouts", "Compositing", "ImageFiles", "JSON5", "RealTime", "Bytes", "Timing",
  ],
  "LayoutWorkshop": ["Conference", "Compositing", "Layouts", "JSON5", "RealTime", "CLinux"],
  "ControlAPI": ["Conference", "LayoutWorkshop", "Layouts", "JSON5", "RealTime", "Timing", "CCurl", "CWebSockets", "COpenSSL"],
  "Configuration": ["Conference", "LayoutWorkshop", "JSON5", "RealTime"],
  "LoadGenerator": [
    "DatagramIO", "WebRTCTransport", "SecureTransport", "ICE", "EncodedMedia", "RawMedia", "Codecs", "AudioMixing",
    "JSON5", "RealTime", "Bytes", "Timing", "CCurl",
  ],
  "tutti": [
    "Configuration", "ControlAPI", "Conference", "LoadGenerator", "DatagramIO", "WebRTCTransport", "SecureTransport", "ICE",
    "RealTime", "Timing", "Compositing", "LayoutWorkshop", "Layouts", "LayoutImport", "AudioFiles", "JSON5",
  ],
]

/// What the toolchain brings and every target may use. Foundation is not among it: it would make the binary four times as large.
private let toolchainModules: Set<String> = ["Synchronization", "Dispatch", "Glibc"]

/// The targets that are told the time and never ask for it.
private let targetsWithoutClock: Set<String> = [
  "Timing", "Bytes", "EncodedMedia", "RTP", "SDP", "ICE", "SecureTransport", "RTPStreams", "CongestionControl",
  "WebRTCTransport", "RawMedia",
  "JSON5",
  "Codecs", "Playout", "AudioMixing", "NoiseSuppression", "AudioFiles", "PixelKernels", "Layouts", "LayoutImport", "ImageFiles",
  "Compositing",
]

@Test func importsPointOnlyDownward() throws {
  for (target, files) in try swiftFilesByTarget() {
    let allowed = try #require(allowedImports[target], "target \(target) is not in the table of imports")
    for file in files {
      for module in file.imports where !allowed.contains(module) && !toolchainModules.contains(module) {
        Issue.record("\(file.path) imports \(module), which \(target) may not")
      }
    }
  }
}

@Test func theTableOfImportsHasNoCycle() {
  var settled: Set<String> = []
  var open = allowedImports.mapValues { $0.filter { allowedImports[$0] != nil } }
  while let next = open.first(where: { $0.value.isSubset(of: settled) })?.key {
    settled.insert(next)
    open[next] = nil
  }
  #expect(open.isEmpty, "these import one another: \(open.keys.sorted())")
}

@Test func nothingBelowTheLoopsReadsAClock() throws {
  let readers = [
    "ContinuousClock", "SuspendingClock", "clock_gettime", "DispatchTime.now", "Date(", "Task.sleep", "gettimeofday",
  ]
  for (target, files) in try swiftFilesByTarget() where targetsWithoutClock.contains(target) {
    for file in files {
      for reader in readers where file.code.contains(reader) {
        Issue.record("\(file.path) reads a clock by \(reader); \(target) is told the time")
      }
    }
  }
}

@Test func nothingTheNetworkReachesCanTrapByName() throws {
  let traps = ["try!", "as!", "fatalError(", ".unsafelyUnwrapped", "TODO", "FIXME"]
  for (_, files) in try swiftFilesByTarget() {
    for file in files {
      for trap in traps where file.code.contains(trap) { Issue.record("\(file.path) contains \(trap)") }
    }
  }
}

// MARK: - Reading the tree

private struct SourceFile {
  let path: String
  /// The text without line comments.
  let code: String
  let imports: [String]
}

private func swiftFilesByTarget() throws -> [String: [SourceFile]] {
  let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources").standardizedFileURL
  let manager = FileManager.default
  var targets: [String: [SourceFile]] = [:]
  for directory in try manager.contentsOfDirectory(at: sources, includingPropertiesForKeys: nil) {
    let names = try manager.subpathsOfDirectory(atPath: directory.path).filter { $0.hasSuffix(".swift") }
    guard !names.isEmpty else { continue }
    targets[directory.lastPathComponent] = try names.map { name in
      let text = try String(contentsOf: directory.appending(path: name), encoding: .utf8)
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let code = lines.map { line in line.range(of: "//").map { line[..<$0.lowerBound] } ?? line[...] }
      let imports = code.compactMap { line -> String? in
        let words = line.split(separator: " ")
        guard let keyword = words.firstIndex(of: "import"), keyword <= 1, words.count > keyword + 1 else { return nil }
        // Before it stands nothing or how far the import is seen; anything else is a sentence.
        guard keyword == 0 || words[0].hasPrefix("@") || ["public", "package", "internal", "private"].contains(words[0])
        else { return nil }
        return String(words[keyword + 1])
      }
      return SourceFile(
        path: "Sources/\(directory.lastPathComponent)/\(name)", code: code.joined(separator: "\n"), imports: imports)
    }
  }
  try #require(targets.count > 15, "the sources were not found at \(sources.path)")
  return targets
}
