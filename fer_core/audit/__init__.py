"""Whom a model fails: its predictions compared between groups of faces, with intervals and tests."""

from fer_core.audit.faces import AND, AuditedFaces, picture_faces, stored_faces
from fer_core.audit.groups import ALL, LIMITS, MINIMUM, RATES, GroupAudit, audit_groups, records
from fer_core.audit.pictures import LAYOUT, GroupedPictures, open_grouped
from fer_core.audit.slices import PROPERTIES

__all__ = [
    "ALL",
    "AND",
    "LAYOUT",
    "LIMITS",
    "MINIMUM",
    "PROPERTIES",
    "RATES",
    "AuditedFaces",
    "GroupAudit",
    "GroupedPictures",
    "audit_groups",
    "open_grouped",
    "picture_faces",
    "records",
    "stored_faces",
]
