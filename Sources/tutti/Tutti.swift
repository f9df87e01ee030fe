import Configuration
import Glibc

/// The program: takes the command line apart and starts what it asks for.
@main struct Tutti {
  static let version = "0.1.0"

  static func main() {
    let command: Command
    do {
      command = try Command(parsing: Array(CommandLine.arguments.dropFirst()))
    } catch {
      printError(error.isHelp ? error.description : "tutti: \(error)")
      exit(2)
    }
    let status = run(command)
    // Without the libraries' clean-up: threads that run to the last would find it done under them.
    fflush(nil)
    _exit(status)
  }

  private static func run(_ command: Command) -> Int32 {
    do throws(ConfigurationError) {
      switch command {
      case .help(let text): print(text)
      case .version: print("tutti \(version)")
      case .serve(let options): return ServeCommand.run(options)
      case .checkLayouts(let files, let sizes): return LayoutCommands.check(files, sizes) ? 0 : 1
      case .renderLayout(let options): try LayoutCommands.render(options)
      case .importLayouts(let file, let directory): return try LayoutCommands.importLayouts(file, into: directory) ? 0 : 1
      case .restoreLayouts(let names, let directory): return LayoutCommands.restore(names, in: directory) ? 0 : 1
      case .checkConfiguration(let file):
        var options = ServeOptions()
        options.config = file
        try ServeCommand.check(try Configuration.load(options: options, environment: [:]))
        print("\(file) is in order.")
      case .load(let options): return try LoadCommand.run(options, isDemo: false)
      case .demo(let options): return try LoadCommand.run(options, isDemo: true)
      case .makeToken(let options): print(try TokenCommand.run(options))
      }
      return 0
    } catch {
      for fault in error.faults { printError(fault) }
      return 1
    }
  }
}

/// Writes a line to standard error.
func printError(_ text: String) {
  writeToStandardError(Array((text + "\n").utf8))
}
