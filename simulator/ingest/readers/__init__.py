"""Reading back what a store holds, to compare it with what it should hold."""
