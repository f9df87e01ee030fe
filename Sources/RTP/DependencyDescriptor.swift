import Bytes
import EncodedMedia

/// What a packet says of the frame it is of, whatever its codec (RTP payload format for AV1, appendix A).
///
/// Every packet tells its frame's number and whether it begins or ends; the first of a keyframe tells what kinds of frames the
/// stream has, the first of every other frame which of these it is.
public struct DependencyDescriptor: Sendable {
  /// start_of_frame.
  public private(set) var startsFrame = false
  /// end_of_frame.
  public private(set) var endsFrame = false
  /// frame_number: one more for each frame of each layer; wraps.
  public private(set) var frameNumber: UInt16 = 0
  /// What kinds of frames there are from here on; nil where the packet does not tell.
  public private(set) var structure: DependencyStructure?
  /// active_decode_targets_bitmask: bit n is decode target n; nil where the packet changes nothing.
  public private(set) var activeTargets: UInt32?
  /// What the frame builds on.
  public private(set) var dependencies = FrameDependencies()

  /// The first bytes of a descriptor, which every packet has and which mean the same in each.
  public static func startsFrame(_ bytes: Span<UInt8>) -> Bool { bytes.count >= 3 && bytes[0] & 0x80 != 0 }

  /// The same: end_of_frame.
  public static func endsFrame(_ bytes: Span<UInt8>) -> Bool { bytes.count >= 3 && bytes[0] & 0x40 != 0 }

  /// Whether a descriptor tells a new structure, which is with a keyframe.
  public static func tellsStructure(_ bytes: Span<UInt8>) -> Bool { bytes.count >= 4 && bytes[3] & 0x80 != 0 }

  /// - Parameter known: what the stream's frames were said to be last.
  /// - Returns: nil for what ends too early or goes beyond a limit, and for a frame of which no structure is known.
  public init?(_ bytes: Span<UInt8>, known: DependencyStructure?) {
    var bits = BitReader(bytes)
    guard let starts = bits.readFlag(), let ends = bits.readFlag(), let template = bits.read(6), let number = bits.read(16)
    else { return nil }
    (startsFrame, endsFrame, frameNumber) = (starts, ends, UInt16(truncatingIfNeeded: number))
    var custom: (targets: Bool, references: Bool, chains: Bool) = (false, false, false)
    if bytes.count > 3 {
      guard let tells = bits.readFlag(), let changesTargets = bits.readFlag(), let hasTargets = bits.readFlag(),
        let hasReferences = bits.readFlag(), let hasChains = bits.readFlag()
      else { return nil }
      custom = (hasTargets, hasReferences, hasChains)
      if tells {
        guard let told = DependencyStructure(&bits) else { return nil }
        structure = told
        activeTargets = told.allTargets
      }
      if changesTargets {
        guard let structure = structure ?? known, let active = bits.read(structure.targetCount) else { return nil }
        activeTargets = active
      }
    }
    guard let structure = structure ?? known, var frame = structure.template(UInt8(truncatingIfNeeded: template)) else {
      return nil
    }
    if custom.targets { guard frame.readIndications(&bits, count: structure.targetCount) else { return nil } }
    if custom.references { guard frame.readOwnReferences(&bits) else { return nil } }
    if custom.chains { guard frame.readChains(&bits, count: structure.chainCount, width: 8) else { return nil } }
    dependencies = frame
  }
}
