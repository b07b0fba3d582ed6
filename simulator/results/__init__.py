"""What became of a run: numbers that add, the ledger, and the result that everything else is told from."""
