"""What a reading looks like as bytes: topics and payloads."""
