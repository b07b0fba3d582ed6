"""Whether a database holds what it should: the park is simulated again, and compared value by value."""
