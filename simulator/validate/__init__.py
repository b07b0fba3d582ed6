"""Our figures beside published ones: why to believe the park, or where not to."""
