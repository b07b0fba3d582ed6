"""What the systems of a site show: a file per role."""
