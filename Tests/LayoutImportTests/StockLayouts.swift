/// A `conference_layouts` file with the names, shapes and groups of FreeSWITCH's stock one, made by rule.
enum StockLayouts {
  static let text: String = {
    let layouts = grids + zoomed + oneUp + twoUp + threeUp + presenters
    let elements = layouts.map { name, images in
      let automatic = name.hasPrefix("presenter") || name == "1x1" ? "" : " auto-3d-position=\"true\""
      return "<layout name=\"\(name)\"\(automatic)>\n\(images.joined(separator: "\n"))\n</layout>"
    }
    let groupElements = groups.map { name, members in
      "<group name=\"\(name)\">\n\(members.map { "<layout>\($0)</layout>" }.joined(separator: "\n"))\n</group>"
    }
    return """
      <configuration name="conference_layouts.conf" description="Audio Conference">
      <layout-settings><layouts>
      \(elements.joined(separator: "\n"))
      </layouts><groups>
      \(groupElements.joined(separator: "\n"))
      </groups></layout-settings>
      </configuration>
      """
  }()

  static let groups: [(String, [String])] = [
    ("grid", ["1x1", "2x1", "1x1+2x1", "2x2", "3x3", "4x4", "5x5", "6x6", "8x8"]),
    (
      "grid-zoom",
      ["1x1", "2x1-zoom", "3x1-zoom", "2x2", "5-grid-zoom", "3x2-zoom", "7-grid-zoom", "4x2-zoom", "3x3"]
    ),
    ("1up_top_left_plus", ["1up_top_left+5", "1up_top_left+7", "1up_top_left+9"]),
    ("3up_plus", ["3up+4", "3up+9"]),
  ]

  private static func image(_ x: Int, _ y: Int, _ scale: Int, _ rest: String = "") -> String {
    "<image x=\"\(x)\" y=\"\(y)\" scale=\"\(scale)\" \(rest)/>"
  }

  private static func cells(_ columns: Int, _ rows: Int, width: Int, height: Int, x: Int = 0, y: Int = 0, _ rest: String = "")
    -> [String]
  {
    (0..<columns * rows).map { image(x + $0 % columns * width, y + $0 / columns * height, width, rest) }
  }

  private static let grids: [(String, [String])] =
    [
      ("1x1", [image(0, 0, 360, "floor=\"true\"")]), ("1x2", [image(90, 0, 180), image(90, 180, 180)]),
      ("2x1", [image(0, 90, 180), image(180, 90, 180)]),
      ("1x1+2x1", [image(90, 0, 180), image(0, 180, 180), image(180, 180, 180)]),
    ] + [2, 3, 4, 5, 6, 8].map { ("\($0)x\($0)", cells($0, $0, width: 360 / $0, height: 360 / $0)) }

  private static let zoomed: [(String, [String])] = [
    ("2x1-zoom", cells(2, 1, width: 180, height: 360, "hscale=\"360\" zoom=\"true\"")),
    ("3x1-zoom", cells(3, 1, width: 120, height: 360, "hscale=\"360\" zoom=\"true\"")),
    ("3x2-zoom", cells(3, 2, width: 120, height: 180, "hscale=\"180\" zoom=\"true\"")),
    ("4x2-zoom", cells(4, 2, width: 90, height: 180, "hscale=\"180\" zoom=\"true\"")),
    (
      "5-grid-zoom",
      cells(2, 1, width: 180, height: 180) + cells(3, 1, width: 120, height: 180, y: 180, "hscale=\"180\" zoom=\"true\"")
    ),
    (
      "7-grid-zoom",
      cells(3, 1, width: 120, height: 180, "hscale=\"180\" zoom=\"true\"")
        + cells(4, 1, width: 90, height: 180, y: 180, "hscale=\"180\" zoom=\"true\"")
    ),
    (
      "2x1-presenter-zoom",
      [
        image(0, 0, 180, "hscale=\"360\" zoom=\"true\" floor=\"true\""),
        image(180, 0, 180, "hscale=\"360\" zoom=\"true\" reservation_id=\"presenter\""),
      ]
    ),
  ]

  private static let oneUp: [(String, [String])] = [(5, 120), (7, 90), (9, 72)].map { count, small in
    let large = 360 - small
    let right = stride(from: 0, to: large, by: small).map { image(large, $0, small) }
    let below = stride(from: 0, to: 360, by: small).map { image($0, large, small) }
    return ("1up_top_left+\(count)", [image(0, 0, large, "floor=\"true\"")] + right + below)
  }

  private static let twoUp: [(String, [String])] = [
    ("top", 0, [180, 270]), ("middle", 90, [0, 270]), ("bottom", 180, [0, 90]),
  ]
  .map { place, y, rows in
    let large = [image(0, y, 180, "floor=\"true\""), image(180, y, 180, "reservation_id=\"secondary\"")]
    return ("2up_\(place)+8", large + rows.flatMap { cells(4, 1, width: 90, height: 90, y: $0) })
  }

  private static let threeUp: [(String, [String])] = [(4, 2, 90), (9, 3, 60)].map { count, side, small in
    let large = [
      image(0, 0, 180, "floor=\"true\""), image(180, 0, 180, "reservation_id=\"secondary\""),
      image(0, 180, 180, "reservation_id=\"third\""),
    ]
    return ("3up+\(count)", large + cells(side, side, width: small, height: small, x: 180, y: 180))
  }

  private static let presenters: [(String, [String])] = {
    let key = "reservation_id=\"presenter\""
    let overlap = [("small", 60), ("large", 180)].flatMap { size, scale in
      [("top", 0), ("bot", 360 - scale)].map { place, y in
        (
          "presenter-overlap-\(size)-\(place)-right",
          [image(0, 0, 360, "floor-only=\"true\""), image(360 - scale, y, scale, "overlap=\"true\" " + key)]
        )
      }
    }
    let small = stride(from: 300, through: 0, by: -60).map { image($0, 300, 60, "overlap=\"true\"") }
    return [
      ("presenter-dual-vertical", [image(90, 0, 180, "floor-only=\"true\""), image(90, 180, 180, key)]),
      ("presenter-dual-horizontal", [image(0, 90, 180, "floor-only=\"true\""), image(180, 90, 180, key)]),
      ("overlaps", [image(0, 0, 360, "floor-only=\"true\"")] + small),
    ] + overlap
  }()
}
