// TimingTests
