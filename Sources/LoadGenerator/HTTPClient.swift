import CCurl

/// Requests to a server's HTTP interface, one after the other; each thread has one of its own.
package final class HTTPClient {
  package struct Response {
    package var status: Int
    /// The value of `Location`; nil where there is none.
    package var location: String?
    /// The value of `Retry-After`; nil where there is none.
    package var retryAfter: String?
    package var body: String
  }

  private let handle: OpaquePointer?
  private let token: String?
  private let checksCertificate: Bool

  /// What came back, collected by libcurl's callbacks.
  private final class Collector {
    var body: [UInt8] = []
    var headers: [UInt8] = []
  }
  /// More than any answer of a conference server.
  private static let bodyMax = 4 << 20
  private static let isReady: Bool = tutti_curl_global_init() == CURLE_OK

  /// - Parameters:
  ///   - token: sent as a bearer token (RFC 6750); nil for none.
  ///   - checksCertificate: whether an https server has to show one that the system trusts.
  package init(token: String?, checksCertificate: Bool = true) {
    self.token = token
    self.checksCertificate = checksCertificate
    handle = Self.isReady ? curl_easy_init().map { OpaquePointer($0) } : nil
  }

  deinit { if let handle { curl_easy_cleanup(UnsafeMutableRawPointer(handle)) } }

  /// - Throws: a sentence for the operator where the server cannot be reached; a refusal is a response like any other.
  package func request(_ method: String, _ url: String, type: String? = nil, body: String = "") throws(LoadError) -> Response {
    guard let handle else { throw LoadError("libcurl could not be started.") }
    let curl = UnsafeMutableRawPointer(handle)
    curl_easy_reset(curl)
    var headers = curl_slist_append(nil, "Expect:")
    if let type { headers = curl_slist_append(headers, "Content-Type: \(type)") }
    if let token { headers = curl_slist_append(headers, "Authorization: Bearer \(token)") }
    defer { curl_slist_free_all(headers) }
    let collector = Collector()
    let pointer = Unmanaged.passUnretained(collector).toOpaque()
    let result = withExtendedLifetime(collector) { () -> CURLcode in
      _ = tutti_curl_set_text(curl, CURLOPT_URL, url)
      _ = tutti_curl_set_text(curl, CURLOPT_CUSTOMREQUEST, method)
      _ = tutti_curl_set_headers(curl, headers)
      _ = tutti_curl_set_long(curl, CURLOPT_NOSIGNAL, 1)
      _ = tutti_curl_set_long(curl, CURLOPT_CONNECTTIMEOUT_MS, 10_000)
      _ = tutti_curl_set_long(curl, CURLOPT_TIMEOUT_MS, 30_000)
      _ = tutti_curl_set_long(curl, CURLOPT_SSL_VERIFYPEER, checksCertificate ? 1 : 0)
      _ = tutti_curl_set_long(curl, CURLOPT_SSL_VERIFYHOST, checksCertificate ? 2 : 0)
      _ = tutti_curl_set_collector(
        curl, { HTTPClient.collect($0, $1 * $2, $3, \.body) }, pointer,
        { HTTPClient.collect($0, $1 * $2, $3, \.headers) }, pointer)
      if !body.isEmpty {
        _ = tutti_curl_set_long(curl, CURLOPT_POSTFIELDSIZE, body.utf8.count)
        return body.withCString { text in
          _ = tutti_curl_set_text(curl, CURLOPT_POSTFIELDS, text)
          return curl_easy_perform(curl)
        }
      }
      return curl_easy_perform(curl)
    }
    guard result == CURLE_OK else {
      let advice = result == CURLE_PEER_FAILED_VERIFICATION ? " With --insecure any certificate will do." : ""
      // Without the query, by which one client differs from the next.
      throw LoadError("\(url.prefix { $0 != "?" }) cannot be reached: \(String(cString: curl_easy_strerror(result))).\(advice)")
    }
    return Response(
      status: tutti_curl_status(curl), location: Self.header("location", collector.headers),
      retryAfter: Self.header("retry-after", collector.headers), body: String(decoding: collector.body, as: UTF8.self))
  }

  private static func collect(
    _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ context: UnsafeMutableRawPointer?,
    _ part: ReferenceWritableKeyPath<Collector, [UInt8]>
  ) -> Int {
    guard let bytes, let context else { return 0 }
    let collector = Unmanaged<Collector>.fromOpaque(context).takeUnretainedValue()
    guard collector[keyPath: part].count + count <= bodyMax else { return 0 }
    collector[keyPath: part] += UnsafeRawBufferPointer(start: bytes, count: count)
    return count
  }

  private static func header(_ name: String, _ bytes: [UInt8]) -> String? {
    for line in bytes.split(whereSeparator: { $0 == 10 || $0 == 13 }) {
      let text = String(decoding: line, as: UTF8.self)
      guard let colon = text.firstIndex(of: ":"), text[..<colon].lowercased() == name else { continue }
      return String(text[text.index(after: colon)...].drop { $0 == " " })
    }
    return nil
  }
}

/// What went wrong, in a sentence for who runs the load.
package struct LoadError: Error, Sendable, CustomStringConvertible {
  package let description: String
  init(_ description: String) { self.description = description }
}
