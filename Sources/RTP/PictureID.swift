import Bytes

/// A picture id as the payload descriptors of VP8 and VP9 carry it (RFC 7741 and RFC 9628, section 4.2 of each).
struct PictureID {
  /// 7 or 15 bits.
  let value: UInt16
  /// M: whether it has 15 bits.
  let isLong: Bool

  /// Reads one or two bytes.
  ///
  /// - Returns: nil where the payload ends within them.
  init?(_ reader: inout ByteReader) {
    guard let high = reader.readUInt8() else { return nil }
    isLong = high & 0x80 != 0
    guard isLong else {
      value = UInt16(high & 0x7F)
      return
    }
    guard let low = reader.readUInt8() else { return nil }
    value = UInt16(high & 0x7F) << 8 | UInt16(low)
  }
}
