"""Where studies are kept: a file of one's own, or a database that several machines share."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from fer_core.files import home
from fer_core.types import FerError

if TYPE_CHECKING:
    import optuna

STORAGE_VARIABLE: Final = "FER_TUNING_STORAGE"
FILE: Final = "tuning.db"

_PATIENCE = 60  # seconds that SQLite waits for others to finish writing
_HEARTBEAT, _GRACE = 20, 90  # seconds between signs of life, and after which a silent trial counts as failed


def default_storage() -> str:
    """Return the address of the studies: what `FER_TUNING_STORAGE` names, else SQLite in the user's data folder."""
    return os.environ.get(STORAGE_VARIABLE) or f"sqlite:///{(home() / FILE).resolve().as_posix()}"


def anything_stored() -> bool:
    """Whether there may be studies. Quick: nothing is loaded or opened."""
    return bool(os.environ.get(STORAGE_VARIABLE)) or (home() / FILE).is_file()


def open_storage(address: str | None = None) -> optuna.storages.RDBStorage:
    """Open the studies' database; its tables are made on demand.

    The first call imports Optuna and SQLAlchemy (about half a second).

    Args:
        address: as SQLAlchemy writes it, for example `postgresql+psycopg://user:password@host/tuning` (needs the
            database's driver installed) or `sqlite:////shared/tuning.db`; None for `default_storage()`.

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
            "The address of the studies' database cannot be understood. Expected for example "
            "sqlite:////shared/tuning.db or postgresql+psycopg://user:password@host/name."
        ) from error
    local = url.get_backend_name() == "sqlite"
    options = {"connect_args": {"timeout": _PATIENCE}} if local else {"pool_pre_ping": True}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.storages.RDBStorage(
                address, engine_kwargs=options, heartbeat_interval=_HEARTBEAT, grace_period=_GRACE
            )
    except Exception as error:  # whatever the database's driver raises
        name = url.render_as_string(hide_password=True)
        first = (str(error.__cause__ or error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise FerError(f"The studies' database {name} cannot be opened: {first}") from error


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn what a database raises into a sentence; also a decorator.

    Raises:
        FerError: instead of SQLAlchemy's errors, and of Optuna's about its storage.
    """
    import optuna
    import sqlalchemy

    try:
        yield
    except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        first = str(error.__cause__ or error).strip().splitlines()[0][:160]
        raise FerError(f"The studies' database does not answer: {first}") from error
