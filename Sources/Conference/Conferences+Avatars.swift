import Compositing
import Dispatch
import ImageFiles

/// What stands for people who have no picture: a file of the server's, or an image they sent.
extension Conferences {
  /// Says so where an avatar cannot be shown, rather than to show initials in silence.
  func check(avatar: String) throws(ConferenceError) {
    guard resources.images?.contains(.init(.avatars, avatar)) != true else { return }
    throw .init(
      .unprocessable, "There is no image of that name in the directory of avatars; put it there as a PNG or JPEG file first.")
  }

  /// Shows another avatar from the next scene on.
  func setAvatar(_ avatar: ImageReference?, of index: Int, in room: Room) {
    let old = room.participants[index].avatar
    room.participants[index].avatar = avatar
    if let old, old != avatar, old.folder == .uploads { resources.images?.discard(old.path) }
  }

  package func putAvatar(
    room name: String, id: String, image: [UInt8], by requester: Requester
  ) async throws(ConferenceError) -> ParticipantDescription {
    _ = try find(room: name, participant: id)
    guard let images = resources.images else { throw .init(.unprocessable, "This server shows no images.") }
    avatarCount += 1
    let upload = "\(avatarCount)"
    if let fault = await Self.keep(image, as: upload, in: images) { throw .init(.unprocessable, fault.description) }
    // He may have left meanwhile.
    let room: Room
    let index: Int
    do throws(ConferenceError) {
      (room, index) = try find(room: name, participant: id)
    } catch {
      images.discard(upload)
      throw error
    }
    setAvatar(.init(.uploads, upload), of: index, in: room)
    room.publishScene()
    return tellChanged(index, in: room)
  }

  package func avatar(room name: String, id: String) async throws(ConferenceError) -> [UInt8] {
    let (room, index) = try find(room: name, participant: id)
    guard let avatar = room.participants[index].avatar, let images = resources.images else {
      throw .init(.notFound, "This participant has no avatar.")
    }
    let bytes: [UInt8]? = await withCheckedContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(returning: try? images.bytes(of: avatar)) }
    }
    guard let bytes else { throw .init(.notFound, "The participant's avatar is not in the directory of avatars any more.") }
    return bytes
  }

  private nonisolated static func keep(_ image: [UInt8], as name: String, in images: ImageLibrary) async -> ImageFileError? {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        do throws(ImageFileError) {
          try images.keep(image, as: name)
          continuation.resume(returning: nil)
        } catch { continuation.resume(returning: error) }
      }
    }
  }
}
