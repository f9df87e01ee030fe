import ControlAPI
import Testing

private let secret = Array("0123456789abcdef0123456789abcdef".utf8)
private let publicKey = """
  -----BEGIN PUBLIC KEY-----
  MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEvx+b5yQsy0afmc+ueb4SQdb9N6Xb
  E0NIBkj6OX5LNz8wxFPSBLmg9oFaYqxE5yg+tSZ8ZjIrySeDa37swBQ9yg==
  -----END PUBLIC KEY-----
  """
private let now = 1_800_000_000

/// Tokens made by PyJWT and by hand, for a POST to /rooms/lobby/whip at second `now`.
private let cases: [(name: String, token: String, status: Int)] = [
  (
    "good HS256",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.yB2tuwfXbRDxp7zUchUcPfaPA8Ld4f8YzjfPgvEytyc",
    201
  ),
  (
    "good ES256",
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.vkcgqrgZj0mH7swzAftf-XjDS_7IDe_gY2j2k7ftTO7Gd6Mzk-obAsA873V3zK6J0PKmoNTwkv9J_kDZ0PBTjQ",
    201
  ),
  (
    "all rooms",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoiKiIsInJvbGUiOiJob3N0IiwiZXhwIjoxODAwMDAwMDYwfQ.X7e-mKyvMPNf8HjCTqhcLlcSEiT6gS-UsaHzB0ufoQE",
    201
  ),
  (
    "admin",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiYWRtaW4iLCJleHAiOjE4MDAwMDAwNjB9.lyOLXwN6PuwTHYOs5b4zOzz5IMYCNWSApNCr5dwXY34",
    201
  ),
  (
    "panelist",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoicGFuZWxpc3QiLCJleHAiOjE4MDAwMDAwNjB9.mXKjM7WK8XQGmdNBB9vfeYee1ui0EW0B5C56IVuRy9s",
    201
  ),
  (
    "without typ",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.8YenDRJdOKQ5kvWyJDMyIwA0wJcvx_ENvPwz_TQrm_o",
    201
  ),
  (
    "fractional exp",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDAwMS41fQ.OERNygK6mj_3f4nyGgZ65rUtDcNvlcG60n1qo2QkpvA",
    201
  ),
  (
    "nbf now",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MCwibmJmIjoxODAwMDAwMDAwfQ.-QDRVCYlZgRkgUykZxJBxnCvkaEViMUID0DxYFWeDiU",
    201
  ),
  (
    "nbf within leeway",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MCwibmJmIjoxODAwMDAwMDA0fQ.ZYP848duSMfNrjOjad7YQsqyskPjTZ61E8bFAJWsnBc",
    201
  ),
  (
    "without sub",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.MDUONasqKDIcVHFQ6L1oStcbeQHbfRfiTIdtZN3vfe0",
    201
  ),
  (
    "known kid",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImsxIn0.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.Aw_08tWsnPYa1RMmsdUI-w0iAQXvp8j88zrI3KCPyJM",
    201
  ),
  (
    "alg none", "eyJhbGciOiJub25lIn0.eyJzdWIiOiAiQWRhIiwgInJvb20iOiAibG9iYnkiLCAicm9sZSI6ICJob3N0IiwgImV4cCI6IDE4MDAwMDAwNjB9.",
    401
  ),
  (
    "alg None, signed",
    "eyJhbGciOiJOb25lIn0.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.f1HZFVosRHFKYu5S3U_5iR1ODZSxJJn6DjQjF7cnJHs",
    401
  ),
  (
    "alg HS512",
    "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.ivtIvzWhMxMixQpi49SeP425Nf-aX4zAECsCIBZpMJRdpAlgWcLUPcRP8W06msH3BaDkrTUIg6mVXsusY0YwbQ",
    401
  ),
  (
    "alg HS256 with the public key as secret",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.suyaZnlz5jUq0jJ0R8fAfTBkXCBBlAlrIxr094UIVmQ",
    401
  ),
  (
    "alg ES256 signed with the secret",
    "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.0fsPHCwZjp4TfNZQpBfHhoSoG41v-FXDNJhrCpBNFvo",
    401
  ),
  (
    "ES256 of another key",
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.cY9yU2Cn8QGgpkmatFcIYyIi8ODdzAnNs5xz9hGKMbPxtXkJ17VYA4CeQHQmeKlX0x0gIEE45cs-EffeT2FgOQ",
    401
  ),
  (
    "ES256 with a flipped bit",
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.vkcgArgZj0mH7swzAftf-XjDS_7IDe_gY2j2k7ftTO7Gd6Mzk-obAsA873V3zK6J0PKmoNTwkv9J_kDZ0PBTjQ",
    401
  ),
  (
    "ES256 with a signature of zeros",
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    401
  ),
  (
    "ES256 cut",
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.vkcgqrgZj0mH7swzAftf-XjDS_7IDe_gY2j2k7ftTO7Gd6Mzk-obAsA873V3zK6J0PKmoNTwkv9J_k",
    401
  ),
  (
    "another secret",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.DFd9o19Gpkeb2U0vTeVutXB8YqcO2lJpN3M-cHfn2r0",
    401
  ),
  (
    "flipped bit",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.yB2tAwfXbRDxp7zUchUcPfaPA8Ld4f8YzjfPgvEytyc",
    401
  ),
  (
    "empty signature",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.", 401
  ),
  (
    "signature cut",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.yB2tuwfXbRDxp7zUchUcPfaPA8Ld4f8YzjfPg",
    401
  ),
  (
    "another payload",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiAiQWRhIiwgInJvb20iOiAibG9iYnkiLCAicm9sZSI6ICJhZG1pbiIsICJleHAiOiAxODAwMDAwMDYwfQ.yB2tuwfXbRDxp7zUchUcPfaPA8Ld4f8YzjfPgvEytyc",
    401
  ),
  (
    "unknown kid",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6Inp6In0.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.lsKffqE3oev97u2DrbmBiUqEgJCJnKjQfZabOHH07tg",
    401
  ),
  (
    "crit",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImNyaXQiOlsieCJdfQ.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.S1r2Et3fLduv1wwyqF3bZmxzFuuBU4Wo9iusxriWuH4",
    401
  ),
  (
    "expired",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTc5OTk5OTk5OX0.YaI1QjC2U3iSpadfXZ-SoJFpIIRYoW7-6y7AYDu8Z40",
    401
  ),
  (
    "expires now",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDAwMH0.jxfhzDqhnlW6OVhTD23quw-t6dFEBVnJP2Qbte5TwQU",
    401
  ),
  (
    "without exp",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCJ9.Rqw-azU-71a_eiWJ2Ez0cTSFtjTlNt8iWk3Dd0FRliw",
    401
  ),
  (
    "exp is text",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6Im5ldmVyIn0.Qdw1BWs-cMLb51VMYbFBnrRN7Wb-FBwJ_iN2_yUbi8w",
    401
  ),
  (
    "exp is huge",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhIiwicm9vbSI6ImxvYmJ5Iiwicm9sZSI6Imhvc3QiLCJleHAiOjFlMzAwfQ.2bfOthgZhz0e3k_knvLN4C4F2dR5FfMJiSBJ_bm_5Rc",
    401
  ),
  (
    "nbf to come",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MCwibmJmIjoxODAwMDAwMDYwfQ.1YWqNmthQLyZU2HFMm6F62EaOIzUlu4SaWy4KyRaxx8",
    401
  ),
  (
    "nbf is text",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MCwibmJmIjoieCJ9.weZjdW6G7E1i9sUEq03YDPY0oo4zz-aIVdNbSYEkUD4",
    401
  ),
  (
    "without room",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.Xnxt7hYUd39w-ILd6PMdnGQsHZtGrjTxgUG__hlK_2s",
    401
  ),
  (
    "room is a list",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjpbImxvYmJ5Il0sInJvbGUiOiJob3N0IiwiZXhwIjoxODAwMDAwMDYwfQ.tLvnZ0krb91Py-Uw7aH1lturVJt5st6in_cfRK3kVlo",
    401
  ),
  (
    "without role",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJleHAiOjE4MDAwMDAwNjB9.6ETFyofRI6gDih00D92_Vvd_TXlHlyiB7ZdjZeQGMhg",
    401
  ),
  (
    "unknown role",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoia2luZyIsImV4cCI6MTgwMDAwMDA2MH0.1PfkBjyb-1CfPdnoM9UN9U4-bSNuXwDUJnxvsTawIrk",
    401
  ),
  (
    "sub is a number",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOjEsInJvb20iOiJsb2JieSIsInJvbGUiOiJob3N0IiwiZXhwIjoxODAwMDAwMDYwfQ.Bv2sUu6to1Wl8H2oChwnkxADKGTesPDwY_Ej58HzROA",
    401
  ),
  ("payload is no object", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.W10.V7d1t6J076duTnJ7SaC48HXFMQ8BXkKlyNt8MBZtd7A", 401),
  ("payload is no JSON", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.ew.-1txTFqV-fxSaFBjfnBfClfUUiNkjm-g9r5twJSK_EA", 401),
  (
    "duplicate key",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhIiwicm9vbSI6IngiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MjAwMDAwMDAwMH0.-N4gPKYdKrRUfs86DJiUGH5H25vGt3PRLbfCOLnTFwc",
    401
  ),
  (
    "header is no JSON",
    "eA.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.bMUxpeb-EvP3yzzz-sN7bf6eyaXPGtE-6sXWXAhn_I0",
    401
  ),
  (
    "two parts",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0", 401
  ),
  (
    "four parts",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.yB2tuwfXbRDxp7zUchUcPfaPA8Ld4f8YzjfPgvEytyc.x",
    401
  ),
  (
    "padding",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.yB2tuwfXbRDxp7zUchUcPfaPA8Ld4f8YzjfPgvEytyc=",
    401
  ),
  ("noise", "abc", 401),
  (
    "long",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    401
  ),
  (
    "another room",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoiYXR0aWMiLCJyb2xlIjoiaG9zdCIsImV4cCI6MTgwMDAwMDA2MH0.raY_RBvqR36Cm6g7UehZZfDwm1bwD2tecLEgImF0x5w",
    403
  ),
  (
    "prefix of the room",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iIiwicm9sZSI6Imhvc3QiLCJleHAiOjE4MDAwMDAwNjB9.z46jC3ZemvB8f4Fi52vabd7SldufTlvU6QhNgmdquYM",
    403
  ),
  (
    "viewer publishes",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJBZGEiLCJyb29tIjoibG9iYnkiLCJyb2xlIjoidmlld2VyIiwiZXhwIjoxODAwMDAwMDYwfQ.4ZygIwQIhMnOPlzE31AP7yVKbRVaWxws8RQrKdtPAns",
    403
  ),
]

/// Who may do what.
@Suite struct TokenTests {
  private func fixture() throws -> Fixture {
    let keys = [try #require(TokenKey(.secret(secret), id: "k1")), try #require(TokenKey(.publicKey(pem: publicKey)))]
    return try Fixture { settings in
      settings.authentication = .tokens(keys)
      settings.now = { now }
    }
  }

  private func token(_ role: Role, room: String = "lobby", subject: String = "Ada") -> String {
    Token.signed(TokenClaims(subject: subject, room: room, role: role, expires: now + 60), secret: secret, keyID: "k1")
  }

  @Test(arguments: cases)
  func aTokenIsTakenOrNot(name: String, token: String, status: Int) async throws {
    let fixture = try fixture()
    let response = await fixture.postOffer("/rooms/lobby/whip", ["Authorization: Bearer \(token)"])
    #expect(response?.status == status)
    #expect(fixture.control.state.withLock { $0.joins.count } == (status == 201 ? 1 : 0))
    if status == 401 {
      #expect(response?["www-authenticate"]?.hasPrefix("Bearer realm=\"tutti\", error=\"invalid_token\"") == true)
    }
    if status == 403 { #expect(response?["www-authenticate"] == "Bearer realm=\"tutti\", error=\"insufficient_scope\"") }
    if status != 201 { #expect(response?.body.contains(token) == false) }
  }

  @Test func withoutATokenNothingOfTheRoomsIsSeen() async throws {
    let fixture = try fixture()
    for (method, target) in [
      ("GET", "/v1/rooms"), ("GET", "/v1/rooms/lobby"), ("DELETE", "/v1/rooms/lobby"), ("GET", "/v1/rooms/lobby/participants"),
      ("GET", "/v1/rooms/lobby/snapshot.png"), ("GET", "/v1/rooms/lobby/events"), ("GET", "/v1/layouts"), ("GET", "/metrics"),
      ("DELETE", "/rooms/lobby/participants/x"),
    ] {
      let response = await fixture.ask(method, target)
      #expect(response?.status == 401, "\(method) \(target)")
      #expect(response?["www-authenticate"] == "Bearer realm=\"tutti\"")
    }
    for scheme in ["Basic abc", "Bearer", "bearer  ", "Token \(token(.host))"] {
      #expect(await fixture.ask("GET", "/v1/rooms", ["Authorization: \(scheme)"])?.status == 401)
    }
    #expect(await fixture.ask("GET", "/v1/rooms?token=\(token(.host))")?.status == 401)
    for target in ["/", "/page.js", "/healthz", "/readyz", "/openapi.json"] {
      #expect(await fixture.ask("GET", target)?.status == 200)
    }
  }

  @Test func aRefusedBodyIsNotRead() async throws {
    let fixture = try fixture()
    let response = await fixture.ask(
      "POST", "/rooms/lobby/whip", ["Content-Type: application/sdp", "Content-Length: 60000"])
    #expect(response?.status == 401)
    #expect(response?["connection"] == "close")
  }

  @Test func rolesMayWhatTheyMay() async throws {
    let fixture = try fixture()
    let requests: [(String, String, Role)] = [
      ("GET", "/v1/rooms/lobby", .viewer), ("GET", "/v1/rooms/lobby/snapshot.png", .viewer), ("GET", "/v1/layouts", .viewer),
      ("POST", "/rooms/lobby/whep", .viewer), ("POST", "/rooms/lobby/whip", .panelist),
      ("POST", "/rooms/lobby/participants", .viewer), ("DELETE", "/v1/rooms/lobby/participants/p1", .host),
      ("PUT", "/v1/rooms/lobby", .host), ("GET", "/metrics", .admin),
      ("GET", "/v1/layouts/grid/preview.png", .viewer), ("POST", "/v1/layouts/grid/preview.svg", .host),
      ("POST", "/v1/layouts/grid/check", .host), ("PUT", "/v1/layouts/grid", .admin),
    ]
    for (method, target, least) in requests {
      for role in Role.allCases {
        let isAllowed = (Role.allCases.firstIndex(of: role) ?? 0) >= (Role.allCases.firstIndex(of: least) ?? 0)
        let isLayout = target.hasPrefix("/v1/layouts") && method != "GET"
        let type = isLayout ? "application/json5" : "application/sdp"
        let body = isLayout ? Fixture.gridText : method == "POST" ? "v=0" : nil
        let headers = ["Authorization: Bearer \(token(role))"] + (body == nil ? [] : ["Content-Type: \(type)"])
        let status = await fixture.ask(method, target, headers, body: body)?.status ?? 0
        #expect((status < 300) == isAllowed, "\(method) \(target) as \(role): \(status)")
        if !isAllowed { #expect(status == 403) }
      }
    }
  }

  @Test func theNameAndTheRoleComeFromTheToken() async throws {
    let fixture = try fixture()
    let panelist = "Authorization: Bearer \(token(.panelist))"
    #expect(await fixture.postOffer("/rooms/lobby/participants", [panelist])?.status == 201)
    #expect(fixture.control.state.withLock { $0.joins.last?.name } == "Ada")
    #expect(fixture.control.state.withLock { $0.joins.last?.role } == "panelist")
    #expect(fixture.control.state.withLock { $0.joins.last?.subject } == "Ada")
    #expect(await fixture.postOffer("/rooms/lobby/participants?role=viewer", [panelist])?.status == 201)
    #expect(fixture.control.state.withLock { $0.joins.last?.role } == "viewer")
    #expect(await fixture.postOffer("/rooms/lobby/participants?role=host", [panelist])?.status == 403)
    let host = "Authorization: Bearer \(token(.host))"
    #expect(await fixture.postOffer("/rooms/lobby/participants?role=interpreter", [host])?.status == 201)
    #expect(await fixture.postOffer("/rooms/lobby/participants?role=admin", [host])?.status == 403)
  }

  @Test func whoJoinedMayChangeHimselfAndEndHisSessionAndOthersMayNot() async throws {
    let fixture = try fixture()
    let control = "/v1/rooms/lobby/participants/p1"
    func ask(_ method: String, _ target: String, _ role: Role, _ subject: String, _ body: String? = nil) async -> Int? {
      var headers = ["Authorization: Bearer \(token(role, subject: subject))"]
      if body != nil { headers.append("Content-Type: application/json") }
      return await fixture.ask(method, target, headers, body: body)?.status
    }
    #expect(await ask("PATCH", control, .viewer, "ada", #"{"name":"Ada L","handRaised":true}"#) == 200)
    #expect(await ask("PATCH", control, .viewer, "ada", #"{"role":"host"}"#) == 403)
    #expect(await ask("PATCH", control, .panelist, "eve", #"{"name":"Eve"}"#) == 403)
    #expect(
      await ask("PATCH", "/v1/rooms/lobby/participants/p2", .panelist, "", #"{"name":"Eve"}"#) == 403, "nobody in particular")
    #expect(await ask("PATCH", control, .host, "eve", #"{"gain":2}"#) == 200)
    #expect(await ask("PATCH", "/v1/rooms/lobby/participants", .panelist, "ada", #"{"audioMuted":true}"#) == 403)
    #expect(await ask("DELETE", "/rooms/lobby/participants/p1", .panelist, "eve") == 403)
    #expect(await ask("DELETE", "/rooms/lobby/participants/p1", .panelist, "ada") == 200)
    #expect(await ask("DELETE", control, .viewer, "ada") == 204)
    #expect(await ask("DELETE", control, .host, "eve") == 204)
    #expect(fixture.control.state.withLock { $0.departures } == ["p1", "p1", "p1 kicked"])
  }

  @Test func theListShowsOnlyOnesOwnRooms() async throws {
    let fixture = try fixture()
    let attic = await fixture.ask("GET", "/v1/rooms", ["Authorization: Bearer \(token(.host, room: "attic"))"])
    #expect(attic?.body == "{\"rooms\":[]}")
    let all = await fixture.ask("GET", "/v1/rooms", ["Authorization: Bearer \(token(.host, room: "*"))"])
    #expect(all?.body.contains("\"lobby\"") == true)
  }

  @Test func browsersSendTheTokenAsASubprotocol() async throws {
    let fixture = try fixture()
    let target = "/v1/rooms/lobby/events"
    let good = await fixture.ask(
      "GET", target,
      upgradeHeaders + ["Origin: https://elsewhere", "Sec-WebSocket-Protocol: tutti.events, bearer.\(token(.viewer))"])
    #expect(good?.status == 101)
    #expect(good?["sec-websocket-protocol"] == "tutti.events")
    let bad = await fixture.ask("GET", target, upgradeHeaders + ["Sec-WebSocket-Protocol: tutti.events, bearer.x.y.z"])
    #expect(bad?.status == 401)
    let other = await fixture.ask(
      "GET", target, upgradeHeaders + ["Sec-WebSocket-Protocol: tutti.events, bearer.\(token(.viewer, room: "attic"))"])
    #expect(other?.status == 403)
    #expect(await fixture.ask("GET", target, upgradeHeaders + ["Authorization: Bearer \(token(.viewer))"])?.status == 101)
  }

  @Test func pagesOfOtherSitesMayUseATokenEverywhere() async throws {
    let fixture = try fixture()
    let response = await fixture.ask("OPTIONS", "/v1/rooms/lobby", ["Origin: https://elsewhere"])
    #expect(response?["access-control-allow-origin"] == "*")
    #expect(response?["access-control-allow-methods"] == "GET, HEAD, PUT, PATCH, DELETE, OPTIONS")
  }

  @Test func weakKeysAreRefusedAndKeysAreNotPrinted() throws {
    #expect(TokenKey(.secret(Array("short".utf8))) == nil)
    #expect(TokenKey(.publicKey(pem: "no key")) == nil)
    #expect("\(try #require(TokenKey(.secret(secret))))" == "TokenKey(HS256)")
  }
}
