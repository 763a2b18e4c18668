"""A finished run, out of a live store."""

from __future__ import annotations

from riskbox.sandbox.api.arguments import checked
from riskbox.sandbox.api.result import Run, store_url
from riskbox.sandbox.api.sync import async_twin
from riskbox.sandbox.stores import cold, open_store


@checked("archive")
def archive(run: Run | str = "latest", *, to: str, keep: bool = False, store: str | None = None) -> str:
    """Move a finished run out of a store, to compressed JSON lines and Parquet. It needs the extra `archive`.

    What was written is read back and compared before the run leaves the store.

    Args:
        run: A run, its id, the start of its id, its name, or `latest`.
        to: A path or a URL of fsspec. The run gets a folder in it that is named by its id.
        keep: Leave the run in the store.
        store: The URL of the store; that of the run, or of the command, by default.

    Returns:
        The URL of the archive, which is read like a store.

    Raises:
        InputError: there is no such store or run, the run is not finished, a package is missing, or the folder cannot be
            written to.
        StoreError: what was read back is not what was written.
    """
    url = store or (run.store if isinstance(run, Run) else store_url())
    with open_store(url, create=False, writes=not keep) as opened:
        folder, _ = cold.move(opened, run.id if isinstance(run, Run) else run, to, keep=keep)
    return f"archive:{folder}"


archive_async = async_twin(archive)
