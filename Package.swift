// swift-tools-version: 6.2
import PackageDescription

/// Swift 6 language mode; a warning stops the build.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableExperimentalFeature("Lifetimes"),
]

/// A Swift target and everything it may import. `ArchitectureTests` holds the same table and checks the sources against it.
func module(_ name: String, _ dependencies: [String] = [], resources: [Resource] = []) -> Target {
  .target(
    name: name, dependencies: dependencies.map { .init(stringLiteral: $0) }, resources: resources, swiftSettings: strict)
}

/// The tests of one target, which may also use what the target itself is built from.
func tests(_ name: String, _ dependencies: [String] = [], exclude: [String] = []) -> Target {
  let tested = name.hasSuffix("Tests") ? [String(name.dropLast(5))].filter { $0 != "Architecture" } : []
  return .testTarget(
    name: name, dependencies: (tested + dependencies + ["TestSupport"]).map { .init(stringLiteral: $0) }, exclude: exclude,
    swiftSettings: strict)
}

func systemLibrary(_ name: String, _ pkgConfig: String? = nil, apt package: String? = nil) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: package.map { [.apt([$0])] })
}

/// Intel's multi-buffer library is there for its processors alone; without it OpenSSL does the same work.
#if arch(x86_64)
  let multiBuffer = ["CIPSecMB"]
#else
  let multiBuffer: [String] = []
#endif

let package = Package(
  name: "tutti",
  products: [
    .executable(name: "tutti", targets: ["tutti"]),
    // All that its users name in their imports.
    .library(
      name: "WebRTCTransport",
      targets: [
        "WebRTCTransport", "DatagramIO", "RealTime", "CongestionControl", "RTPStreams", "RTP", "SecureTransport", "ICE", "SDP",
        "EncodedMedia", "Bytes", "Timing",
      ]),
  ],
  targets: [
    // C libraries, one each; their types stay inside the Swift wrapper above them.
    systemLibrary("CLinux"),
    systemLibrary("CMemory"),
    systemLibrary("COpenSSL", "openssl", apt: "libssl-dev"),
    systemLibrary("CSRTP", "libsrtp2", apt: "libsrtp2-dev"),
    systemLibrary("COpus", "opus", apt: "libopus-dev"),
    systemLibrary("CVPX", "vpx", apt: "libvpx-dev"),
    systemLibrary("COpenH264", "openh264", apt: "libopenh264-dev"),
    systemLibrary("CDav1d", "dav1d", apt: "libdav1d-dev"),
    systemLibrary("CAVCodec", "libavcodec", apt: "libavcodec-dev"),
    systemLibrary("CSndFile", "sndfile", apt: "libsndfile1-dev"),
    systemLibrary("CWebSockets", "libwebsockets", apt: "libwebsockets-dev"),
    systemLibrary("CSpeexDSP", "speexdsp", apt: "libspeexdsp-dev"),
    systemLibrary("CCurl", "libcurl", apt: "libcurl4-openssl-dev"),
    systemLibrary("CPango", "pangocairo", apt: "libpango1.0-dev"),
    systemLibrary("CExpat", "expat", apt: "libexpat1-dev"),
    systemLibrary("CPNG", "libpng", apt: "libpng-dev"),
    systemLibrary("CTurboJPEG", "libturbojpeg", apt: "libturbojpeg0-dev"),
    .target(name: "CPixelKernels", cSettings: [.unsafeFlags(["-O3", "-Wall", "-Werror"])]),

    // The shared product: one peer's transport, which knows no room.
    module("Timing"),
    module("Bytes", ["CMemory"]),
    module("EncodedMedia", ["Timing", "Bytes"]),
    module("RTP", ["EncodedMedia", "Bytes", "Timing"]),
    module("SDP"),
    module("ICE", ["Bytes", "Timing", "COpenSSL"]),
    module("SecureTransport", ["Bytes", "Timing", "COpenSSL"] + multiBuffer),
    module("RTPStreams", ["RTP", "EncodedMedia", "Bytes", "Timing"]),
    module("CongestionControl", ["RTP", "EncodedMedia", "Bytes", "Timing"]),
    module(
      "WebRTCTransport",
      ["SDP", "ICE", "SecureTransport", "RTPStreams", "CongestionControl", "RTP", "EncodedMedia", "Bytes", "Timing"]),
    module("RealTime", ["Timing", "CLinux"]),
    module("DatagramIO", ["WebRTCTransport", "ICE", "EncodedMedia", "RealTime", "Bytes", "Timing", "CLinux"]),

    // The mixing server.
    module("RawMedia", ["Timing"]),
    module("JSON5"),
    module("Codecs", ["EncodedMedia", "RawMedia", "Timing", "COpus", "CVPX", "COpenH264", "CDav1d", "CAVCodec"]),
    module("Playout", ["EncodedMedia", "Bytes", "Timing"]),
    module("AudioMixing", ["RawMedia", "Timing"]),
    module("NoiseSuppression", ["RawMedia", "CSpeexDSP"]),
    module("AudioFiles", ["RawMedia", "CSndFile"]),
    module("PixelKernels", ["RawMedia", "CPixelKernels"]),
    module("Layouts", ["JSON5"]),
    module("LayoutImport", ["Layouts", "JSON5", "CExpat"]),
    module("ImageFiles", ["CPNG", "CTurboJPEG"]),
    module("Compositing", ["Layouts", "PixelKernels", "ImageFiles", "RawMedia", "Timing", "CPango"]),
    module(
      "Conference",
      [
        "WebRTCTransport", "EncodedMedia", "RawMedia", "Playout", "Codecs", "AudioMixing", "NoiseSuppression", "AudioFiles",
        "Layouts", "Compositing", "ImageFiles", "JSON5", "RealTime", "Bytes", "Timing", "CLinux",
      ]),
    module(
      "LayoutWorkshop", ["Conference", "Compositing", "Layouts", "JSON5", "RealTime", "CLinux"],
      resources: [.embedInCode("Shipped")]),
    module(
      "ControlAPI",
      ["Conference", "LayoutWorkshop", "Layouts", "JSON5", "RealTime", "Timing", "CCurl", "CWebSockets", "COpenSSL"],
      resources: [.embedInCode("Page")]),
    module("Configuration", ["Conference", "LayoutWorkshop", "JSON5", "RealTime"]),
    module(
      "LoadGenerator",
      [
        "DatagramIO", "WebRTCTransport", "SecureTransport", "ICE", "EncodedMedia", "RawMedia", "Codecs", "AudioMixing",
        "JSON5", "RealTime", "Bytes", "Timing", "CCurl",
      ]),
    .executableTarget(
      name: "tutti",
      dependencies: [
        "ControlAPI", "Configuration", "Conference", "LoadGenerator", "DatagramIO", "WebRTCTransport", "SecureTransport", "ICE",
        "RealTime", "Timing", "Compositing", "LayoutWorkshop", "Layouts", "LayoutImport", "AudioFiles", "JSON5",
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "benchmarks",
      dependencies: [
        "DatagramIO", "WebRTCTransport", "SecureTransport", "ICE", "SDP", "RTPStreams", "RTP", "EncodedMedia", "RawMedia",
        "Codecs", "AudioMixing", "Playout", "PixelKernels", "Layouts", "Compositing", "Conference", "LoadGenerator", "RealTime",
        "Bytes", "Timing", "CSRTP", "CLinux", "COpenSSL",
      ],
      path: "Benchmarks", swiftSettings: strict),

    // Tests: one target each, then the rules of the tree, whole conferences by seed, and what tests share.
    .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
    .target(
      name: "TestSupport", dependencies: ["Timing", "Bytes", "EncodedMedia", "RawMedia", "CAllocationCounter"],
      path: "Tests/TestSupport", swiftSettings: strict),
    .target(
      name: "TestPeers",
      dependencies: ["WebRTCTransport", "SDP", "ICE", "SecureTransport", "EncodedMedia", "Bytes", "Timing", "TestSupport"],
      path: "Tests/TestPeers", swiftSettings: strict),
    tests("TimingTests"),
    tests("BytesTests"),
    tests("EncodedMediaTests"),
    tests("RTPTests", ["EncodedMedia", "Bytes", "Timing"]),
    tests("SDPTests", exclude: ["Fixtures"]),
    tests("ICETests", ["Bytes", "Timing"]),
    tests("SecureTransportTests", ["Bytes", "Timing", "CSRTP", "COpenSSL"]),
    tests("CongestionControlTests", ["RTPStreams", "RTP", "EncodedMedia", "Bytes", "Timing"]),
    tests("RTPStreamsTests", ["RTP", "EncodedMedia", "Bytes", "Timing"], exclude: ["Fixtures"]),
    tests(
      "WebRTCTransportTests",
      ["TestPeers", "SDP", "ICE", "SecureTransport", "RTPStreams", "RTP", "EncodedMedia", "Bytes", "Timing"]),
    tests("RealTimeTests", ["Timing"]),
    tests("LoadGeneratorTests", ["EncodedMedia", "ICE", "Bytes", "JSON5", "Timing"]),
    tests(
      "DatagramIOTests",
      ["TestPeers", "RealTime", "WebRTCTransport", "SecureTransport", "ICE", "EncodedMedia", "Bytes", "Timing", "CLinux"]),
    tests("RawMediaTests"),
    tests("JSON5Tests"),
    tests("CodecsTests", ["COpus", "EncodedMedia", "RawMedia", "Timing"], exclude: ["Fixtures"]),
    tests("PlayoutTests", ["EncodedMedia", "Timing"]),
    tests("AudioMixingTests", ["RawMedia", "Timing"]),
    tests("NoiseSuppressionTests"),
    tests("AudioFilesTests", ["RawMedia", "CSndFile"]),
    tests("PixelKernelsTests", ["RawMedia", "CPixelKernels"]),
    tests("LayoutsTests", ["JSON5"]),
    tests("LayoutImportTests", ["Layouts", "JSON5"]),
    tests("ImageFilesTests", ["CTurboJPEG"]),
    tests("CompositingTests", ["Layouts", "PixelKernels", "ImageFiles", "RawMedia", "Timing"], exclude: ["Fixtures"]),
    tests(
      "ConferenceTests",
      [
        "TestPeers", "ICE", "WebRTCTransport", "EncodedMedia", "RawMedia", "Codecs", "Playout", "AudioMixing", "AudioFiles",
        "Layouts", "Compositing", "JSON5", "Timing",
      ]),
    tests("LayoutWorkshopTests", ["Conference", "Compositing", "Layouts", "JSON5"]),
    tests("ControlAPITests", ["Conference", "LayoutWorkshop", "JSON5", "Timing"]),
    tests("ConfigurationTests", ["Conference"]),
    tests("ArchitectureTests"),
    tests(
      "ConferenceSimulation",
      [
        "TestPeers", "Playout", "Conference", "WebRTCTransport", "SDP", "ICE", "SecureTransport", "RTPStreams",
        "CongestionControl", "RTP", "EncodedMedia", "RawMedia", "Codecs", "AudioMixing", "Layouts", "Bytes", "Timing",
      ]),
  ],
  swiftLanguageModes: [.v6]
)

for name in multiBuffer { package.targets.append(systemLibrary(name, apt: "libipsec-mb-dev")) }

// Instrumented builds only: `./dev fuzz`.
if Context.environment["TUTTI_FUZZING"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzzing",
      dependencies: [
        "ICE", "SDP", "RTP", "RTPStreams", "EncodedMedia", "RawMedia", "Codecs", "Layouts", "JSON5", "Bytes", "Timing",
      ],
      path: "Tests/Fuzzing", swiftSettings: [.unsafeFlags(["-parse-as-library"])]))
}
