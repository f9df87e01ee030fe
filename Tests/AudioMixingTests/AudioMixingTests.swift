// AudioMixingTests
