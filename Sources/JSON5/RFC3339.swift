/// `2026-01-31T23:59:59.123Z`, from nanoseconds since 1970 (Hinnant's days-to-civil algorithm).
package func rfc3339(unixNanoseconds: Int64) -> String {
  let seconds = unixNanoseconds.flooredQuotient(by: 1_000_000_000)
  let milliseconds = (unixNanoseconds - seconds * 1_000_000_000) / 1_000_000
  let days = seconds.flooredQuotient(by: 86_400)
  let second = seconds - days * 86_400
  let shifted = days + 719_468
  let era = shifted.flooredQuotient(by: 146_097)
  let dayOfEra = shifted - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let monthFromMarch = (5 * dayOfYear + 2) / 153
  let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
  let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):"
    + "\(padded(second % 60, 2)).\(padded(milliseconds, 3))Z"
}

extension Int64 {
  fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}

private func padded(_ number: Int64, _ digits: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: Swift.max(0, digits - text.count)) + text
}
