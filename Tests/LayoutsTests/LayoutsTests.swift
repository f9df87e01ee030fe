// LayoutsTests
