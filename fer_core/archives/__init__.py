"""Archives: many photos or videos to partitioned Parquet tables, on this machine or on a Ray cluster."""

from fer_core.archives.job import Job
from fer_core.archives.local_engine import LocalEngine
from fer_core.archives.ray_engine import RayEngine
from fer_core.archives.run import Progress, Summary, run_archive

__all__ = ["Job", "LocalEngine", "Progress", "RayEngine", "Summary", "run_archive"]
