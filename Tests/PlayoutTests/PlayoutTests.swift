// PlayoutTests
