"""The databases that the bridge can write to, one file each."""
