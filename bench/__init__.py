"""What lotstream costs: `make bench` measures stages and the whole way, and checks every output it has measured."""
