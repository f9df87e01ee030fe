/// The layouts that come with the server, as they came: whoever changed or deleted one can have it back.
package enum ShippedLayouts {
  /// Sorted.
  package static var names: [String] { texts.keys.sorted() }

  /// A layout's text; nil where none of that name came with the server.
  package static func text(of name: String) -> [UInt8]? { texts[name] }

  private static let texts: [String: [UInt8]] = [
    "audio-only": PackageResources.audio_only_json,
    "gallery-7x7": PackageResources.gallery_7x7_json,
    "grid": PackageResources.grid_json,
    "interview": PackageResources.interview_json,
    "picture-in-picture": PackageResources.picture_in_picture_json,
    "portrait": PackageResources.portrait_json,
    "presenter": PackageResources.presenter_json,
    "side-by-side": PackageResources.side_by_side_json,
    "single": PackageResources.single_json,
    "speaker": PackageResources.speaker_json,
    "stage": PackageResources.stage_json,
  ]
}
