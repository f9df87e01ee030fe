// DatagramIO
