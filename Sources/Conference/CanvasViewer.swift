import Layouts

/// For whom alone a picture is made, and how he sees himself in it.
package struct CanvasViewer: Hashable, Sendable {
  package var number: UInt32
  package var selfView: LayoutSelfView

  package init(number: UInt32, selfView: LayoutSelfView) { (self.number, self.selfView) = (number, selfView) }
}
