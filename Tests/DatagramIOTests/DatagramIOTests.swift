// DatagramIOTests
