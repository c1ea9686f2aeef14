"""Write the model card: ``python -m emorec.training.card``."""

from __future__ import annotations

import sys

from emorec.training.card.card import main

sys.exit(main())
