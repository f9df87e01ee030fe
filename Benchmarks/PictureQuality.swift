import Codecs
import Glibc
import RawMedia

extension Picture {
  /// What the luma of another picture is worth beside this one's: its PSNR in dB, 99 where they are the same.
  ///
  /// - Parameter areas: where it is looked at, within both.
  func quality(of other: Picture, in areas: [DamageRectangle]) -> Double {
    var (error, count) = (0, 0)
    for area in areas {
      for y in area.y..<area.y + area.height {
        let (own, seen) = (luma + y * lumaStride, other.luma + y * other.lumaStride)
        for x in area.x..<area.x + area.width {
          let difference = Int(own[x]) - Int(seen[x])
          error += difference * difference
        }
      }
      count += area.width * area.height
    }
    return error == 0 ? 99 : 10 * log10(255 * 255 * Double(count) / Double(error))
  }
}
