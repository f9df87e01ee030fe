import JSON5
import LayoutImport
import TestSupport
import Testing

@Suite struct HostileTests {
  private func fault(_ text: String) -> JSONFault? {
    do {
      _ = try imported(text)
      return nil
    } catch { return error as? JSONFault }
  }

  @Test func aDocumentTypeIsRefused() {
    let bomb = """
      <?xml version="1.0"?>
      <!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
      <layouts><layout name="&b;"><image x="0" y="0" scale="9"/></layout></layouts>
      """
    #expect(fault(bomb)?.message.contains("document type") == true)
    #expect(fault(bomb)?.line == 2)
    #expect(fault("<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><layouts/>")?.message.contains("document type") == true)
    #expect(fault("<layouts><layout name=\"&other;\"/></layouts>") != nil)
  }

  @Test func depthElementsAttributesAndBytesAreLimited() {
    let deep = String(repeating: "<a>", count: 1000) + String(repeating: "</a>", count: 1000)
    #expect(fault(deep)?.message == "elements are more than 32 deep")
    #expect(fault("<a>" + String(repeating: "<b/>", count: 20_001) + "</a>")?.message == "more than 20000 elements")
    let attributes = (0..<40).map { "a\($0)='1'" }.joined(separator: " ")
    #expect(fault("<a \(attributes)/>")?.message == "more than 32 attributes")
    #expect(fault("<a>" + String(repeating: " ", count: 1 << 20) + "</a>")?.message == "the file is larger than a megabyte")
  }

  @Test func whatIsNoLayoutFileIsAFaultWithAPlace() {
    for text in ["", " ", "<", "<a", "<a></b>", "<layouts></layouts>", "<html/>", "{", "{}", "[]", "7", "\"x\"", "null"] {
      #expect(fault(text) != nil, "\(text)")
    }
    #expect(fault("<a>\n<b></a>")?.line == 2)
  }

  @Test func anyTruncationAndAnyDamageIsReadOrRefused() throws {
    var random = SeededRandom(seed: 7)
    let owt =
      "{\"views\":[{\"label\":\"v\",\"video\":{\"maxInput\":25,\"layout\":{\"templates\":{\"base\":\"lecture\",\"custom\":[{\"region\":[{\"area\":{\"left\":\"1/3\",\"top\":0.5,\"width\":\"1/2\",\"height\":\"1/2\"}}]}]}}}}]}"
    let xml =
      "<layouts><layout name='a' border='3' auto-3d-position='1'><image x='1' y='2' scale='30' hscale='9' audio-position='1:2:3'/></layout></layouts>"
    for text in [owt, xml] {
      let bytes = Array(text.utf8)
      for length in bytes.indices { _ = try? LayoutImport(reading: Array(bytes[..<length]), name: "x") }
      for _ in 0..<3000 {
        var damaged = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          damaged[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        _ = try? LayoutImport(reading: damaged, name: "x")
      }
    }
    let huge = try imported(
      "[{\"region\":[{\"left\":0,\"top\":0,\"relativesize\":\"9223372036854775807/1\"},{\"left\":0,\"top\":0,\"relativesize\":1}]}]"
    )
    #expect(huge.files.count == 1)
  }
}
