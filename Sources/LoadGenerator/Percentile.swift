/// The value that a share of all values does not exceed; 0 for none.
package func percentile(_ values: [Double], _ share: Double) -> Double {
  guard !values.isEmpty else { return 0 }
  let sorted = values.sorted()
  return sorted[min(Int((Double(sorted.count - 1) * share).rounded()), sorted.count - 1)]
}
