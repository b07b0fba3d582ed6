"""What the user wrote: scenario files and machine types, checked before anything runs."""
