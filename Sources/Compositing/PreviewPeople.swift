import Layouts

/// The made-up people of a preview: how many, and what each of them does.
package struct PreviewPeople: Hashable, Sendable {
  /// 0 to `countMax`.
  package var count: Int
  /// Who has the floor and speaks, from 0; nil for nobody.
  package var floor: Int? = 0
  /// Who shares a screen, from 0; nil for nobody.
  package var screen: Int?
  /// How many send a picture, from the first on; nil for all.
  package var cameras: Int?
  /// The roles of the first people, an empty one for that of everybody else; nil for those that the layout has slots for.
  package var roles: [String]?
  /// The slots that the first people were given; an empty one is none.
  package var slots: [String] = []

  package static let countMax = 100

  package init(_ count: Int) { self.count = min(max(count, 0), Self.countMax) }

  private static let names = [
    "Ada", "Ben", "Chiara", "David", "Emeka", "Fatima", "Goran", "Hana", "Ivo", "Jun", "Kim", "Leila",
  ]

  /// What the person is called, which is also his id in tiles.
  package static func name(_ index: Int) -> String {
    let round = index / names.count
    return names[index % names.count] + (round > 0 ? " \(round + 1)" : "")
  }

  private func role(_ index: Int, _ template: LayoutTemplate) -> String {
    let roles = roles ?? template.roles
    return roles.indices.contains(index) && !roles[index].isEmpty ? roles[index] : "panelist"
  }
  private func slot(_ index: Int) -> String? { slots.indices.contains(index) && !slots[index].isEmpty ? slots[index] : nil }
  private func sendsVideo(_ index: Int) -> Bool { index < cameras ?? count || index == screen }

  /// For the solver.
  func layoutPeople(of template: LayoutTemplate) -> [LayoutPerson] {
    (0..<count).map { index in
      LayoutPerson(
        id: Self.name(index), role: role(index, template), hasFloor: index == floor, sendsVideo: sendsVideo(index),
        sharesScreen: index == screen, pinnedSlot: slot(index))
    }
  }

  /// For the compositor, by id.
  func sceneParticipants(of template: LayoutTemplate) -> [String: SceneParticipant] {
    let people = (0..<count).map { index in
      (
        Self.name(index),
        SceneParticipant(
          name: Self.name(index), role: role(index, template),
          picture: !sendsVideo(index) ? nil : index == screen ? PreviewPicture.screen : PreviewPicture.person(index),
          isScreen: index == screen, isSpeaking: index == floor)
      )
    }
    return Dictionary(people, uniquingKeysWith: { first, _ in first })
  }
}
