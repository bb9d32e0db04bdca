"""Where studies are stored: in a file of the user's own, or in a database that several computers share."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from fer_core.files import home
from fer_core.types import FerError, reason

if TYPE_CHECKING:
    import optuna

STORAGE_VARIABLE: Final = "FER_TUNING_STORAGE"
FILE: Final = "tuning.db"

_LOCK_SECONDS = 60  # for which SQLite waits for other processes to finish writing
HEARTBEAT_SECONDS, GRACE_SECONDS = 20, 90  # between heartbeats; without one until a trial is cut off


def default_storage() -> str:
    """Return the database URL in `FER_TUNING_STORAGE`, by default of an SQLite file in the user's data folder."""
    return os.environ.get(STORAGE_VARIABLE) or f"sqlite:///{(home() / FILE).resolve().as_posix()}"


def may_have_studies() -> bool:
    """Whether there may be studies. Quick: Optuna is not imported and no database is opened."""
    return bool(os.environ.get(STORAGE_VARIABLE)) or (home() / FILE).is_file()


def open_storage(address: str | None = None) -> optuna.storages.RDBStorage:
    """Open the database of the studies; its tables are created on demand.

    The first call imports Optuna and SQLAlchemy (about half a second).

    Args:
        address: SQLAlchemy URL, for example `postgresql+psycopg://user:password@host/tuning` or
            `sqlite:////shared/tuning.db`; None for `default_storage()`. The driver for PostgreSQL comes with FER Lab,
            others must be installed.

    Raises:
        FerError: it cannot be opened.
    """
    import optuna
    import sqlalchemy

    address = address or default_storage()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        url = sqlalchemy.engine.make_url(address)
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        raise FerError(
            "The URL of the studies' database is not valid. Expected for example "
            "sqlite:////shared/tuning.db or postgresql+psycopg://user:password@host/name."
        ) from error
    local = url.get_backend_name() == "sqlite"
    options = {"connect_args": {"timeout": _LOCK_SECONDS}} if local else {"pool_pre_ping": True}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.storages.RDBStorage(
                address, engine_kwargs=options, heartbeat_interval=HEARTBEAT_SECONDS, grace_period=GRACE_SECONDS
            )
    except Exception as error:  # whatever the database's driver raises
        name = url.render_as_string(hide_password=True)
        why = reason(error.__cause__ or error)
        raise FerError(f"The studies' database {name} cannot be opened: {why}") from error


@contextmanager
def database_errors() -> Iterator[None]:
    """Replace database errors by a message for the user; also usable as a decorator.

    Raises:
        FerError: instead of an error of SQLAlchemy or of Optuna's storage.
    """
    import optuna
    import sqlalchemy

    try:
        yield
    except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        first = str(error.__cause__ or error).strip().splitlines()[0][:160]
        raise FerError(f"The studies' database does not answer: {first}") from error
