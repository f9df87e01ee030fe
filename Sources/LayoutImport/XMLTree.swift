import CExpat
import JSON5

/// An element of an XML text and where it stands.
struct XMLElement {
  var name: String
  var attributes: [String: String]
  /// From 1.
  var line: Int
  var children: [XMLElement] = []
  /// Character data right inside it, as it stands.
  var text = ""

  subscript(attribute: String) -> String? { attributes[attribute] }

  func children(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

  /// The first element of that name in document order, this one included.
  func first(_ name: String) -> XMLElement? {
    if self.name == name { return self }
    for child in children { if let found = child.first(name) { return found } }
    return nil
  }
}

/// Reads XML into a tree, by Expat.
///
/// A document type is refused and with it every entity of the author's own, so that a text never grows while it is read and never
/// names another file. Bytes, depth, elements and attributes are limited.
enum XMLTree {
  static let bytesMax = 1 << 20
  static let depthMax = 32
  static let elementsMax = 20_000
  static let attributesMax = 32

  static func parse(_ bytes: [UInt8]) throws(JSONFault) -> XMLElement {
    guard bytes.count <= bytesMax else { throw JSONFault(line: 1, column: 1, message: "the file is larger than a megabyte") }
    guard let parser = XML_ParserCreate(nil) else { throw JSONFault(line: 1, column: 1, message: "out of memory") }
    defer { XML_ParserFree(parser) }
    let builder = XMLTreeBuilder(parser)
    XML_SetUserData(parser, Unmanaged.passUnretained(builder).toOpaque())
    install(parser)
    let isWhole = withExtendedLifetime(builder) {
      bytes.withUnsafeBytes { tutti_expat_parse(parser, $0.bindMemory(to: CChar.self).baseAddress, Int32($0.count)) == 1 }
    }
    if let fault = builder.fault { throw fault }
    guard isWhole, let root = builder.root else {
      let message = XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) } ?? "this is no XML"
      throw builder.faultHere(message)
    }
    return root
  }

  private static func install(_ parser: OpaquePointer) {
    XML_SetElementHandler(
      parser,
      { context, name, attributes in
        guard let builder = XMLTreeBuilder.at(context), let name, let attributes else { return }
        builder.begin(String(cString: name), XMLTreeBuilder.dictionary(attributes))
      }, { context, _ in XMLTreeBuilder.at(context)?.end() })
    XML_SetCharacterDataHandler(parser) { context, text, count in
      guard let builder = XMLTreeBuilder.at(context), let text else { return }
      let bytes = UnsafeRawBufferPointer(start: text, count: Int(count))
      builder.append(String(decoding: bytes, as: UTF8.self))
    }
    XML_SetStartDoctypeDeclHandler(parser) { context, _, _, _, _ in
      XMLTreeBuilder.at(context)?.stop("a document type is not allowed in a layout file: delete the DOCTYPE")
    }
    XML_SetEntityDeclHandler(parser) { context, _, _, _, _, _, _, _, _ in
      XMLTreeBuilder.at(context)?.stop("entities are not allowed in a layout file")
    }
  }
}

/// Gathers what Expat reports; stops it at the first limit.
private final class XMLTreeBuilder {
  private let parser: OpaquePointer
  private var open: [XMLElement] = []
  private var elements = 0
  private(set) var root: XMLElement?
  private(set) var fault: JSONFault?

  init(_ parser: OpaquePointer) { self.parser = parser }

  static func at(_ context: UnsafeMutableRawPointer?) -> XMLTreeBuilder? {
    context.map { Unmanaged<XMLTreeBuilder>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Names and values in turn, up to a null; one pair more than allowed at most.
  static func dictionary(_ attributes: UnsafeMutablePointer<UnsafePointer<CChar>?>) -> [String: String] {
    var result: [String: String] = [:]
    var index = 0
    while let name = attributes[index], let value = attributes[index + 1], result.count <= XMLTree.attributesMax {
      result[String(cString: name)] = String(cString: value)
      index += 2
    }
    return result
  }

  func faultHere(_ message: String) -> JSONFault {
    JSONFault(
      line: Int(XML_GetCurrentLineNumber(parser)), column: Int(XML_GetCurrentColumnNumber(parser)) + 1, message: message)
  }

  /// Expat may report a little more after it was stopped; the first reason counts.
  func stop(_ message: String) {
    if fault == nil { fault = faultHere(message) }
    XML_StopParser(parser, 0)
  }

  func begin(_ name: String, _ attributes: [String: String]) {
    guard fault == nil else { return }
    elements += 1
    if elements > XMLTree.elementsMax { return stop("more than \(XMLTree.elementsMax) elements") }
    if open.count >= XMLTree.depthMax { return stop("elements are more than \(XMLTree.depthMax) deep") }
    if attributes.count > XMLTree.attributesMax { return stop("more than \(XMLTree.attributesMax) attributes") }
    open.append(XMLElement(name: name, attributes: attributes, line: Int(XML_GetCurrentLineNumber(parser))))
  }

  func append(_ text: String) {
    guard fault == nil, let last = open.indices.last else { return }
    open[last].text += text
  }

  func end() {
    guard fault == nil, let element = open.popLast() else { return }
    if let last = open.indices.last { open[last].children.append(element) } else { root = element }
  }
}
