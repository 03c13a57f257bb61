"""mdfsql under its other name: ``import metadataflow as mdf``."""

from mdfsql import *  # noqa: F403
from mdfsql import __all__ as __all__
