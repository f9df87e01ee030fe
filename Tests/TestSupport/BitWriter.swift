/// Writes numbers of any count of bits, highest bit first.
package struct BitWriter {
  package private(set) var bytes: [UInt8] = []
  private var used = 0

  package init() {}

  package mutating func write(_ value: Int, _ count: Int) {
    for bit in (0..<count).reversed() {
      if used % 8 == 0 { bytes.append(0) }
      if value >> bit & 1 == 1 { bytes[bytes.count - 1] |= 0x80 >> UInt8(used % 8) }
      used += 1
    }
  }
}
