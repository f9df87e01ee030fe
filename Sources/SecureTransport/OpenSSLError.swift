import COpenSSL

/// The oldest reason in OpenSSL's error queue of this thread, in words; the queue is empty afterwards.
///
/// OpenSSL's queue belongs to the thread and outlives the call that filled it, so every call that may fail is followed by this.
func takeOpenSSLError() -> String {
  let code = ERR_get_error()
  ERR_clear_error()
  guard code != 0, let reason = ERR_reason_error_string(code) else { return "no reason given" }
  return String(cString: reason)
}
