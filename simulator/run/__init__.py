"""One run on one machine: the hops put together, carried out, and summed up."""
