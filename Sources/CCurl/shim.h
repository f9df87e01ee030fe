#ifndef CCURL_SHIM_H
#define CCURL_SHIM_H
#include <curl/curl.h>

/* curl_easy_setopt and curl_easy_getinfo are variadic, which Swift cannot call. */
static inline CURLcode tutti_curl_set_text(CURL *handle, CURLoption option, const char *value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode tutti_curl_set_long(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode tutti_curl_set_headers(CURL *handle, struct curl_slist *headers) {
  return curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
}
static inline CURLcode tutti_curl_set_collector(
  CURL *handle, size_t (*collect)(char *, size_t, size_t, void *), void *body, size_t (*collectHeader)(char *, size_t, size_t, void *),
  void *header) {
  CURLcode result = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, collect);
  if (result == CURLE_OK) result = curl_easy_setopt(handle, CURLOPT_WRITEDATA, body);
  if (result == CURLE_OK) result = curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, collectHeader);
  if (result == CURLE_OK) result = curl_easy_setopt(handle, CURLOPT_HEADERDATA, header);
  return result;
}
static inline long tutti_curl_status(CURL *handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return status;
}
static inline CURLcode tutti_curl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

#endif
