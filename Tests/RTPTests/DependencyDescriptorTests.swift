import EncodedMedia
import RTP
import TestSupport
import Testing

private func parse(_ bytes: [UInt8], _ known: DependencyStructure?) -> DependencyDescriptor? {
  DependencyDescriptor(bytes.span, known: known)
}

@Suite struct DependencyDescriptorTests {
  /// Two spatial and two temporal layers, four decode targets, two chains; ids from 60 on, which wrap.
  private func keyframe(active: Int? = nil, sizes: Bool = true) -> [UInt8] {
    var bits = BitWriter()
    bits.write(0b10, 2)
    bits.write(60, 6)
    bits.write(0xABCD, 16)
    bits.write(active == nil ? 0b10000 : 0b11000, 5)
    bits.write(60, 6)
    bits.write(3, 5)
    // Templates: S0T0 key, S0T0, S0T1, S1T0, S1T1.
    for next in [0, 1, 2, 1, 3] { bits.write(next, 2) }
    for row in [[2, 2, 2, 2], [2, 2, 3, 3], [0, 1, 0, 3], [0, 0, 2, 2], [0, 0, 0, 1]] {
      for each in row { bits.write(each, 2) }
    }
    for row in [[], [4], [2], [1, 4], [1, 2]] {
      for distance in row {
        bits.write(1, 1)
        bits.write(distance - 1, 4)
      }
      bits.write(0, 1)
    }
    // Chains: ns(5) of 2 is "10", then of each target ns(2), one bit.
    bits.write(2, 2)
    for chain in [0, 0, 1, 1] { bits.write(chain, 1) }
    for row in [[0, 0], [4, 3], [2, 1], [1, 1], [3, 2]] { for each in row { bits.write(each, 4) } }
    bits.write(sizes ? 1 : 0, 1)
    if sizes { for side in [320, 180, 640, 360] { bits.write(side - 1, 16) } }
    if let active { bits.write(active, 4) }
    return bits.bytes
  }

  @Test func aKeyframeTellsTheStructure() throws {
    let told = try #require(parse(keyframe(), nil))
    #expect(told.startsFrame && !told.endsFrame && told.frameNumber == 0xABCD && told.activeTargets == 0b1111)
    let structure = try #require(told.structure)
    #expect(structure.targets.map(\.spatialLayer) == [0, 0, 1, 1] && structure.targets.map(\.temporalLayer) == [0, 1, 0, 1])
    #expect(structure.targets.map(\.chain) == [0, 0, 1, 1] && structure.chainCount == 2)
    #expect(structure.sizes == [PictureSize(width: 320, height: 180), PictureSize(width: 640, height: 360)])
    #expect(told.dependencies.referenceCount == 0 && told.dependencies.indication(for: 3) == .switching)
    #expect(parse(keyframe(active: 0b0011, sizes: false), nil)?.activeTargets == 0b0011)
  }

  @Test func laterFramesNameTheirTemplate() throws {
    let structure = parse(keyframe(), nil)?.structure
    // Template 3 is 63; template 4 has wrapped to 0.
    let third = try #require(parse([0x80 | 63, 0, 2], structure))
    #expect(third.dependencies.spatialLayer == 1 && third.dependencies.temporalLayer == 0 && third.structure == nil)
    #expect((0..<third.dependencies.referenceCount).map { third.dependencies.reference($0, of: 2) } == [1, 65534])
    #expect(third.dependencies.chainDistance(0) == 1 && third.activeTargets == nil)
    let fourth = try #require(parse([0x40, 0, 9], structure))
    #expect(!fourth.startsFrame && fourth.endsFrame && fourth.dependencies.temporalLayer == 1)
    #expect((0..<4).map { fourth.dependencies.indication(for: $0) } == [.notPresent, .notPresent, .notPresent, .discardable])
    #expect(parse([0x81, 0, 9], structure) == nil, "there are five templates")
    #expect(parse([0x80 | 63, 0, 2], nil) == nil, "nothing is known of the stream")
  }

  @Test func aFrameMayDifferFromItsTemplate() throws {
    let structure = parse(keyframe(), nil)?.structure
    var bits = BitWriter()
    bits.write(0b11, 2)
    bits.write(63, 6)
    bits.write(7, 16)
    bits.write(0b01111, 5)
    bits.write(0b0101, 4)
    for each in [0, 1, 2, 3] { bits.write(each, 2) }
    for (size, distance) in [(1, 16), (2, 200), (3, 4096)] {
      bits.write(size, 2)
      bits.write(distance - 1, size * 4)
    }
    bits.write(0, 2)
    bits.write(200, 8)
    bits.write(0, 8)
    let told = try #require(parse(bits.bytes, structure))
    #expect(told.activeTargets == 0b0101 && told.dependencies.indication(for: 2) == .switching)
    #expect((0..<3).map { told.dependencies.reference($0, of: 5000) } == [4984, 4800, 904])
    #expect(told.dependencies.chainDistance(0) == 200 && told.dependencies.chainDistance(1) == 0)
    for length in 0..<bits.bytes.count {
      #expect(parse(Array(bits.bytes.prefix(length)), structure)?.dependencies.chainDistance(0) != 200)
    }
  }

  @Test func whatEndsTooEarlyIsRefused() {
    let whole = keyframe(active: 9)
    for length in 0..<whole.count { #expect(parse(Array(whole.prefix(length)), nil) == nil) }
  }

  @Test func moreThanTheLimitsIsRefused() {
    // Five spatial layers, then nine temporal ones, then templates without an end.
    for steps in [[2, 2, 2, 2, 3], [1, 1, 1, 1, 1, 1, 1, 1, 3], [Int](repeating: 0, count: 80)] {
      var bits = BitWriter()
      bits.write(0x80, 8)
      bits.write(0, 16)
      bits.write(0b10000, 5)
      bits.write(0, 11)
      for step in steps { bits.write(step, 2) }
      for _ in 0..<200 { bits.write(0, 8) }
      #expect(parse(bits.bytes, nil) == nil)
    }
  }

  @Test func randomBytesNeverTrap() {
    var random = SeededRandom(seed: 77)
    let whole = keyframe(active: 5)
    var known: DependencyStructure?
    for round in 0..<20_000 {
      var bytes = randomBytes(Int(random.next() % 80), &random)
      if round % 2 == 0 {
        bytes = whole
        for _ in 0..<1 + random.next() % 3 {
          bytes[Int(random.next() % UInt64(bytes.count))] ^= UInt8(1 << (random.next() % 8))
        }
      }
      guard let told = parse(bytes, known) else { continue }
      for index in 0..<told.dependencies.referenceCount { _ = told.dependencies.reference(index, of: told.frameNumber) }
      if let structure = told.structure { known = structure }
    }
  }

  @Test func itIsFoundInBothFormsOfHeaderExtensions() throws {
    let whole = keyframe()
    var map = HeaderExtensionMap()
    map[.dependencyDescriptor] = 5
    map[.mid] = 3
    let short: [UInt8] = [0xBC, 0, 7]
    let one: [UInt8] = [0x30, 0x61, 0x52] + short + [0, 0]
    let two: [UInt8] =
      [3, 1, 0x61, 5, UInt8(whole.count)] + whole + [UInt8](repeating: 0, count: (3 - whole.count % 4 + 4) % 4)
    for (profile, elements, expected) in [([UInt8(0xBE), 0xDE], one, short), ([0x10, 0], two, whole)] {
      let padded = elements + [UInt8](repeating: 0, count: (4 - elements.count % 4) % 4)
      let packet: [UInt8] =
        [0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3] + profile + [0, UInt8(padded.count / 4)] + padded + [1, 2, 3]
      let header = try #require(parseHeader(packet))
      let extensions = HeaderExtensions(header, in: packet.span, map: map)
      #expect(array(extensions.dependencyDescriptor(in: packet.span)) == expected)
      #expect(array(HeaderExtensions().dependencyDescriptor(in: packet.span)).isEmpty)
      let shorter = Array(packet.prefix(17))
      #expect(array(extensions.dependencyDescriptor(in: shorter.span)).isEmpty)
    }
  }
}
