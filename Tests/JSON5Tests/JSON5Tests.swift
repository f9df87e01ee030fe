import JSON5
import TestSupport
import Testing

@Suite struct ParserTests {
  @Test func everyKindOfValueIsRead() throws {
    let value = try JSONValue(parsing: #"{"a":null,"b":true,"c":-1.5e2,"d":"x\u00e9\n","e":[1,2],"f":{}}"#, strict: true)
    #expect(value["a"]?.isNull == true)
    #expect(value["b"]?.bool == true)
    #expect(value["c"]?.number == -150)
    #expect(value["c"]?.integer == -150)
    #expect(value["d"]?.string == "xé\n")
    #expect(value["e"]?.array?.map(\.integer) == [1, 2])
    #expect(value["f"]?.members?.isEmpty == true)
    #expect(value.members?.map(\.key) == ["a", "b", "c", "d", "e", "f"])
  }

  @Test func json5AddsWhatPeopleWrite() throws {
    let text = """
      // a comment
      { unquoted: 'single "quotes"', /* another */ hex: 0xFF, minus: -0x10, plus: +.5, point: 5.,
        'line\\
      continued': "\\x41\\v\\0\\'\\q", größe: 3, $_1: [1, 2, ], }
      """
    let value = try JSONValue(parsing: text)
    #expect(value["unquoted"]?.string == "single \"quotes\"")
    #expect(value["hex"]?.integer == 255)
    #expect(value["minus"]?.integer == -16)
    #expect(value["plus"]?.number == 0.5)
    #expect(value["point"]?.integer == 5)
    #expect(value["linecontinued"]?.string == "A\u{0B}\0'q")
    #expect(value["größe"]?.integer == 3)
    #expect(value["$_1"]?.array?.count == 2)
  }

  @Test func positionsAreLinesAndColumnsFromOne() throws {
    let value = try JSONValue(parsing: "{\n  \"é\": 1, \"b\":\r\n [\r  true]}")
    #expect(value.position == SourcePosition(line: 1, column: 1))
    #expect(value.members?[0].keyPosition == SourcePosition(line: 2, column: 3))
    #expect(value["é"]?.position == SourcePosition(line: 2, column: 8))
    #expect(value["b"]?.position == SourcePosition(line: 3, column: 2))
    #expect(value["b"]?.array?[0].position == SourcePosition(line: 4, column: 3))
  }

  @Test(arguments: [
    ("", "1:1: the text is empty, a value was expected"),
    ("{\"a\" 1}", "1:6: ':' was expected behind key 'a', found '1'"),
    ("[1 2]", "1:4: ',' or ']' was expected, found '2'"),
    ("{\"a\":1,\n\"a\":2}", "2:1: key 'a' is there twice, the first is in line 1"),
    ("[tru]", "1:2: 'tru' is not a value, did you mean true?"),
    ("[hello]", "1:2: 'hello' is not a value, strings stand in quotes"),
    ("[NaN]", "1:2: NaN is not taken, write a finite number"),
    ("[-Infinity]", "1:2: -Infinity is not taken, write a finite number"),
    ("[1e999]", "1:2: the number is too large"),
    ("[0x10000000000000000]", "1:2: the number is too large"),
    ("[01]", "1:2: numbers have no leading zeros"),
    ("[1.2.3]", "1:2: '1.2.3' is not a number"),
    ("[12px]", "1:2: '12px' is not a number"),
    ("[\"a", "1:2: the string has no end, a quote is missing"),
    ("[\"a\nb\"]", "1:2: the string has no end in its line, a quote is missing"),
    ("[\"\\ud800\"]", "1:3: half of a surrogate pair stands alone"),
    ("[\"\\ud800\\u0041\"]", "1:3: half of a surrogate pair stands alone"),
    ("[\"\\u12G4\"]", "1:3: 4 hexadecimal digits were expected in the escape"),
    ("/* no end", "1:1: the comment has no end, '*/' is missing"),
    ("/", "1:1: a value was expected, found '/'"),
    ("{a: 1} x", "1:8: nothing may follow the value, found 'x'"),
    ("{1a: 1}", "1:2: a key was expected, found '1'; keys that are not plain words stand in quotes"),
    ("[,]", "1:2: a value was expected, found ','"),
    ("{", "1:2: a key was expected, found the end of the text; keys that are not plain words stand in quotes"),
  ])
  func aFaultSaysWhereAndWhatToDo(text: String, message: String) {
    #expect(fault(of: text)?.description == message)
  }

  @Test(arguments: [
    "{a:1}", "{'a':1}", "[1,]", "{\"a\":1,}", "// x\n1", "[0x1]", "[+1]", "[.5]", "[5.]", "['a']", "[\"\\x41\"]", "[\"a\tb\"]",
    "[1]\u{0B}", "\u{A0}1",
  ])
  func strictTextsArePlainJSON(text: String) {
    #expect(fault(of: text, strict: true) != nil)
    #expect(fault(of: text) == nil)
  }

  @Test func invalidUTF8IsRefusedWithItsPlace() {
    let fault = #expect(throws: JSONFault.self) { try JSONValue(parsing: [0x5B, 0x0A, 0x22, 0xC3, 0x22, 0x5D]) }
    #expect(fault?.position == SourcePosition(line: 2, column: 2))
  }

  @Test func aByteOrderMarkIsPassed() throws {
    let value = try JSONValue(parsing: [0xEF, 0xBB, 0xBF, 0x31], strict: true)
    #expect(value.integer == 1)
    #expect(value.position == SourcePosition(line: 1, column: 1))
  }

  @Test func limitsHold() {
    let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
    #expect(fault(of: deep) == nil)
    #expect(fault(of: "[" + deep + "]")?.message == "nested deeper than 64 levels")
    #expect(fault(of: String(repeating: "[", count: 1_000_000))?.column == 65)
    #expect(throws: JSONFault.self) { try JSONValue(parsing: "[1,2,3]", limits: JSONLimits(bytes: 6)) }
    #expect(throws: JSONFault.self) { try JSONValue(parsing: "[1,2,3]", limits: JSONLimits(members: 2)) }
  }

  @Test func wholeNumbersAreExact() throws {
    let value = try JSONValue(parsing: "[9223372036854775807, -9223372036854775808, 3.0, 1e3, 0.5, 9223372036854775808]")
    #expect(value.array?.map(\.integer) == [.max, .min, 3, 1000, nil, nil])
  }

  @Test func noTruncationAndNoNoiseTraps() {
    let text = Array(#"{"a":[1.5e-3,"\ud83d\ude00é",true,null],/*c*/b:'x',c:0x1F}// end"#.utf8)
    for length in text.indices { _ = try? JSONValue(parsing: Array(text[..<length])) }
    var random = SeededRandom(seed: 7)
    let alphabet = Array("{}[]:,'\"\\ux0123eE.+-/*\n\r\ttruefalsn\u{FF}\u{00}é".utf8)
    for _ in 0..<20_000 {
      var mutated = text
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        mutated[Int.random(in: mutated.indices, using: &random)] = alphabet.randomElement(using: &random)!
      }
      for strict in [true, false] {
        guard let value = try? JSONValue(parsing: mutated, strict: strict) else { continue }
        var writer = JSONWriter()
        writer.value(value)
        #expect(throws: Never.self) { try JSONValue(parsing: writer.bytes, strict: true) }
      }
    }
  }

  private func fault(of text: String, strict: Bool = false) -> JSONFault? {
    do throws(JSONFault) {
      _ = try JSONValue(parsing: text, strict: strict)
      return nil
    } catch { return error }
  }
}

@Suite struct DecoderTests {
  @Test func everyFaultIsCollectedWithItsPlace() throws {
    let value = try JSONValue(
      parsing: "{ colour: 1,\n fps: 0,\n size: 'big', fit: 'covr',\n on: 'yes', gain: 9.5, list: {}, inner: { x: 1.5, q: 2 } }")
    let decoder = JSONDecoder()
    let object = try #require(
      decoder.object(value, allowing: ["color", "fps", "size", "fit", "on", "gain", "list", "inner", "name"]))
    #expect(object.integer("fps", in: 1...60) == nil)
    #expect(object.integer("size") == nil)
    #expect(object.string("fit", oneOf: ["cover", "contain"]) == nil)
    #expect(object.bool("on") == nil)
    #expect(object.number("gain", in: 0...8) == nil)
    #expect(object.array("list") == nil)
    #expect(object.object("inner", allowing: ["x"])?.integer("x") == nil)
    object.require("name")
    #expect(
      decoder.faults.map(\.description) == [
        "1:3: unknown key 'colour', did you mean 'color'?",
        "2:7: 'fps' must be a whole number from 1 to 60, not 0",
        "3:8: 'size' must be a whole number, not 'big'",
        "3:20: 'fit' is one of 'cover', 'contain', not 'covr', did you mean 'cover'?",
        "4:6: 'on' must be true or false, not 'yes'",
        "4:19: 'gain' must be a number from 0 to 8, not 9.5",
        "4:30: 'list' must be a list, not an object",
        "4:51: unknown key 'q', allowed are x",
        "4:46: 'x' must be a whole number, not 1.5",
        "1:1: key 'name' is missing",
      ])
  }

  @Test func aKeyThatIsMisspeltIsNotMissingAsWell() throws {
    let decoder = JSONDecoder()
    let object = try #require(decoder.object(try JSONValue(parsing: "{ heigth: 9 }"), allowing: ["width", "height"]))
    object.require("width", "height")
    #expect(
      decoder.faults.map(\.description) == [
        "1:3: unknown key 'heigth', did you mean 'height'?", "1:1: key 'width' is missing",
      ])
  }

  @Test func absentKeysAreNoFault() throws {
    let decoder = JSONDecoder()
    let object = try #require(decoder.object(try JSONValue(parsing: "{}"), allowing: ["a"]))
    #expect(object.bool("a") == nil)
    #expect(object.string("a") == nil)
    #expect(object.integer("a") == nil)
    #expect(decoder.faults.isEmpty)
  }

  @Test func theNearestWordIsSuggested() {
    #expect(nearest(to: "hieght", among: ["width", "height"]) == "height")
    #expect(nearest(to: "Width", among: ["width", "height"]) == "width")
    #expect(nearest(to: "banana", among: ["width", "height"]) == nil)
    #expect(nearest(to: "", among: ["width"]) == nil)
  }

  @Test func textOfStrangersIsQuotedHarmlessly() {
    #expect(quoted("a\nb\u{202E}") == "'a\\u{A}b\\u{202E}'")
    #expect(quoted(String(repeating: "x", count: 100)) == "'" + String(repeating: "x", count: 64) + "…'")
  }
}

@Suite struct WriterTests {
  @Test func commasAndEscapesComeByThemselves() {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("a", "q\"\\\n\u{01}\u{7F}\u{2028}\u{85}é漢")
    writer.key("b")
    writer.beginArray()
    writer.value(1)
    writer.value(true)
    writer.null()
    writer.beginObject()
    writer.endObject()
    writer.endArray()
    writer.member("c", nil)
    writer.endObject()
    #expect(writer.text == #"{"a":"q\"\\\n\u0001\u007f\u2028\u0085é漢","b":[1,true,null,{}],"c":null}"#)
  }

  @Test(
    arguments: [
      (0, "0"), (-0.5, "-0.5"), (1e-7, "0.0000001"), (-1.25e-5, "-0.0000125"), (1e21, "1000000000000000000000"),
      (1.5e300, "15" + String(repeating: "0", count: 299)), (123456.789, "123456.789"), (.infinity, "null"), (.nan, "null"),
    ] as [(Double, String)])
  func numbersHaveNoExponent(number: Double, text: String) {
    var writer = JSONWriter()
    writer.value(number)
    #expect(writer.text == text)
  }

  @Test func numbersReadBackTheSame() throws {
    var random = SeededRandom(seed: 3)
    for _ in 0..<5_000 {
      let number = Double(bitPattern: random.next())
      guard number.isFinite else { continue }
      var writer = JSONWriter()
      writer.value(number)
      let value = try JSONValue(parsing: writer.bytes, strict: true)
      #expect(value.number == number)
    }
  }
}
