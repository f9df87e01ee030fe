import Glibc

/// A shared library that only benchmarks use, opened when they run, so that nobody needs it to build the server.
final class DynamicLibrary {
  private let handle: UnsafeMutableRawPointer

  /// - Parameter names: the first that is there is taken.
  init(_ names: [String], package: String) throws {
    guard let handle = names.lazy.compactMap({ dlopen($0, RTLD_NOW) }).first else {
      throw BenchmarkError("\(names[0]) is missing: install \(package).")
    }
    self.handle = handle
  }

  /// The function of this name as a C function of type `Function`.
  func function<Function>(_ name: String, as type: Function.Type) throws -> Function {
    guard let symbol = dlsym(handle, name) else { throw BenchmarkError("the library has no function \(name)") }
    return unsafeBitCast(symbol, to: type)
  }
}
