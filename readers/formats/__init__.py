"""What readers and scanners send: one module per format, bytes in, reads and events out. Pure."""
