import PixelKernels
import RawMedia
import Synchronization

/// Pictures scaled for the tiles of a room's canvases: each at most once for each size, whichever canvas needs it first.
///
/// Only what is needed more than once is kept: by two canvases, or by one whose tiles overlap. All else is scaled straight into its
/// canvas. Used by the threads of all canvases; while one scales a picture, others that need it wait for it, which is less than a
/// tile's scaling, and draw their other tiles first where they can.
package final class ScaledPictures: Sendable {
  /// One person at one size.
  struct Demand: Hashable, Sendable {
    var person: String
    var shape: Placement.Shape
  }

  /// The newest pictures of one demand.
  final class Entry: Sendable {
    /// Canvases look at a moving picture at different moments: the newest and the one before.
    private static let countMax = 2
    private struct State: ~Copyable, @unchecked Sendable {
      // Unchecked because a pool says nothing of threads; it is used under the lock alone.
      var results: [(source: Picture, scaled: Picture)] = []
      var pool = PicturePool(capacity: Entry.countMax + 2)
    }
    private let state = Mutex(State())

    /// The scaled picture, made if it is not there; waits while another thread makes it.
    func picture(of source: Picture, _ placement: Placement, make: (Picture) -> Void) -> Picture {
      state.withLock { Self.find(source, placement, &$0, make) }
    }

    /// The same, nil where another thread is at it.
    func pictureIfFree(of source: Picture, _ placement: Placement, make: (Picture) -> Void) -> Picture? {
      state.withLockIfAvailable { Self.find(source, placement, &$0, make) }
    }

    private static func find(_ source: Picture, _ placement: Placement, _ state: inout State, _ make: (Picture) -> Void)
      -> Picture
    {
      if let found = state.results.first(where: { $0.source === source }) { return found.scaled }
      if state.results.count >= Self.countMax { state.results.removeFirst() }
      let scaled = state.pool.take(width: placement.width, height: placement.height)
      make(scaled)
      state.results.append((source, scaled))
      return scaled
    }

    static func byteCount(_ shape: Placement.Shape) -> Int { shape.width * shape.height * 3 / 2 * (countMax + 1) }
  }

  private struct Need {
    var entry: Entry?
    var canvases = 0
    /// How many canvases need it more than once.
    var overlapping = 0
  }
  private struct State {
    var needs: [Demand: Need] = [:]
    var byteCount = 0
    var subscriptions = 0
  }
  private let state = Mutex(State())
  private let entryCount = Atomic<Int>(0)
  private let bytesMax: Int

  /// - Parameter bytesMax: what all kept pictures may take; what exceeds it is scaled by each canvas for itself.
  package init(bytesMax: Int = 96 << 20) { self.bytesMax = bytesMax }

  /// Demands for which pictures are kept, and the bytes set aside for them.
  package var kept: (count: Int, byteCount: Int) {
    state.withLock { state in (state.needs.values.count { $0.entry != nil }, state.byteCount) }
  }

  /// What one canvas needs; it needs nothing any more when this is let go of.
  final class Subscription: Sendable {
    private let pictures: ScaledPictures
    private let demands = Mutex<[Demand: Bool]>([:])
    /// Differs from canvas to canvas, so that they begin with different tiles.
    let number: Int

    init(_ pictures: ScaledPictures) {
      self.pictures = pictures
      number = pictures.state.withLock { state in
        state.subscriptions &+= 1
        return state.subscriptions
      }
    }

    deinit { demands.withLock { pictures.replace($0, by: [:]) } }

    /// - Parameter new: for each demand whether it is needed more than once by this canvas alone.
    func need(_ new: [Demand: Bool]) {
      demands.withLock { demands in
        guard demands != new else { return }
        pictures.replace(demands, by: new)
        demands = new
      }
    }

    /// Whether any pictures are kept; a room of one canvas mostly has none.
    var hasEntries: Bool { pictures.entryCount.load(ordering: .relaxed) > 0 }

    /// Where a demand's pictures are kept; nil where they are not.
    func entry(for demand: Demand) -> Entry? { pictures.state.withLock { $0.needs[demand]?.entry } }
  }

  private func replace(_ old: [Demand: Bool], by new: [Demand: Bool]) {
    state.withLock { state in
      for (demand, overlaps) in new {
        state.needs[demand, default: Need()].canvases += 1
        if overlaps { state.needs[demand]?.overlapping += 1 }
      }
      for (demand, overlaps) in old {
        state.needs[demand]?.canvases -= 1
        if overlaps { state.needs[demand]?.overlapping -= 1 }
      }
      for demand in Set(old.keys).union(new.keys) {
        guard var need = state.needs[demand] else { continue }
        let bytes = Entry.byteCount(demand.shape)
        let isKept = need.canvases > 1 || need.overlapping > 0
        if isKept, need.entry == nil, state.byteCount + bytes <= bytesMax {
          need.entry = Entry()
          entryCount.add(1, ordering: .relaxed)
          state.byteCount += bytes
        } else if !isKept, need.entry != nil {
          need.entry = nil
          entryCount.subtract(1, ordering: .relaxed)
          state.byteCount -= bytes
        }
        state.needs[demand] = need.canvases > 0 ? need : nil
      }
    }
  }
}
