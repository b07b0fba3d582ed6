"""What every test shares: the settings of hypothesis."""

from __future__ import annotations

import os

from hypothesis import settings

# A shared machine is slow at times, so an example that takes long is no failure. In CI a failure must come again.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")
