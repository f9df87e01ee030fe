import COpus
import RawMedia

/// Decodes Opus packets (RFC 6716) of 2.5 to 120 ms to 48 kHz audio, and makes up for those that are missing.
///
/// Mono and stereo packets alike come out with the channels asked for. Not to be used by two threads at once; allocates nothing
/// after `init`. No packet, however broken, does more than throw.
package final class OpusDecoder: @unchecked Sendable {
  // Unchecked because of the C handle, which may move between threads but not be shared by them.

  package let channelCount: Int
  private let handle: OpaquePointer

  /// Samples a channel in the longest packet, 120 ms.
  package static let samplesPerPacketMax = 5_760
  /// Samples a channel in the shortest frame, 2.5 ms; concealment comes in multiples of it.
  package static let samplesPerStep = 120

  /// - Parameter channelCount: 1 or 2, interleaved.
  package init(channelCount: Int) throws(CodecError) {
    guard channelCount == 1 || channelCount == 2 else { throw .wrongSize }
    var status: Int32 = 0
    guard let handle = opus_decoder_create(Int32(AudioFormat.sampleRate), Int32(channelCount), &status), status == OPUS_OK
    else { throw .unavailable(.opusDecoder) }
    self.handle = handle
    self.channelCount = channelCount
  }

  deinit { opus_decoder_destroy(handle) }

  /// Decodes a packet.
  ///
  /// - Parameter samples: room for the packet's samples, interleaved; `samplesPerPacketMax` a channel always suffice.
  /// - Returns: samples a channel written.
  package func decode(_ packet: Span<UInt8>, into samples: inout MutableSpan<Int16>) throws(CodecError) -> Int {
    // An empty packet would mean concealment to the library.
    guard !packet.isEmpty else { throw .malformed }
    return try run(packet, sampleCount: samples.count / channelCount, recoversPrevious: false, into: &samples)
  }

  /// Continues what was heard last, fading, in place of a frame that is missing.
  ///
  /// - Parameter sampleCount: samples a channel, rounded down to a multiple of `samplesPerStep`, at most `samplesPerPacketMax`.
  /// - Returns: samples a channel written.
  package func conceal(_ sampleCount: Int, into samples: inout MutableSpan<Int16>) throws(CodecError) -> Int {
    let count = min(sampleCount, Self.samplesPerPacketMax) / Self.samplesPerStep * Self.samplesPerStep
    guard count > 0 else { return 0 }
    guard count <= samples.count / channelCount else { throw .wrongSize }
    return try run(nil, sampleCount: count, recoversPrevious: false, into: &samples)
  }

  /// Decodes a missing frame from the redundancy in the packet after it, and conceals what that does not hold.
  ///
  /// Comes before `decode` of that packet.
  /// - Parameter sampleCount: how long the gap before `following` is, as in `conceal`.
  /// - Returns: samples a channel written.
  package func recover(
    _ sampleCount: Int, from following: Span<UInt8>, into samples: inout MutableSpan<Int16>
  ) throws(CodecError) -> Int {
    let count = min(sampleCount, Self.samplesPerPacketMax) / Self.samplesPerStep * Self.samplesPerStep
    guard count > 0 else { return 0 }
    guard count <= samples.count / channelCount else { throw .wrongSize }
    guard !following.isEmpty else { return try conceal(count, into: &samples) }
    return try run(following, sampleCount: count, recoversPrevious: true, into: &samples)
  }

  /// Goes on from where another decoder of as many channels is.
  func copyState(of other: OpusDecoder) {
    guard other.channelCount == channelCount else { return }
    tutti_opus_copy_decoder(handle, other.handle, Int32(channelCount))
  }

  /// Forgets the stream decoded so far.
  package func reset() { _ = tutti_opus_reset_decoder(handle) }

  private func run(
    _ packet: Span<UInt8>?, sampleCount: Int, recoversPrevious: Bool, into samples: inout MutableSpan<Int16>
  ) throws(CodecError) -> Int {
    let room = Int32(min(sampleCount, Self.samplesPerPacketMax))
    let written = samples.withUnsafeMutableBufferPointer { output -> Int32 in
      guard let target = output.baseAddress else { return OPUS_BUFFER_TOO_SMALL }
      guard let packet else { return opus_decode(handle, nil, 0, target, room, 0) }
      return packet.withUnsafeBufferPointer { input in
        let count = Int32(clamping: input.count)
        return opus_decode(handle, input.baseAddress, count, target, room, recoversPrevious ? 1 : 0)
      }
    }
    guard written >= 0 else { throw written == OPUS_BUFFER_TOO_SMALL ? .wrongSize : .malformed }
    return Int(written)
  }
}
