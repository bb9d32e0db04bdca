"""Archives: many photos or videos to partitioned Parquet tables, on this machine or on a Ray cluster."""

from fer_core.archives.engines import LocalEngine, RayEngine
from fer_core.archives.run import Progress, Summary, run_archive
from fer_core.archives.worker import Job

__all__ = ["Job", "LocalEngine", "Progress", "RayEngine", "Summary", "run_archive"]
