"""Archives: many photos or videos to partitioned Parquet tables, on this machine or on a Ray cluster."""

from fer_core.archives.run import Summary, run_archive
from fer_core.archives.worker import Job, LocalEngine, RayEngine

__all__ = ["Job", "LocalEngine", "RayEngine", "Summary", "run_archive"]
