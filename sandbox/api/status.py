"""How a run is going, wherever it is played."""

from __future__ import annotations

from riskbox.sandbox.api.arguments import checked
from riskbox.sandbox.api.result import Run, store_url
from riskbox.sandbox.api.sync import async_twin
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.operations.status import Status, status_of
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.run import Manifest


@checked("status")
def status(run: Run | str = "", *, store: str | None = None) -> Status:
    """How a run is going: how far, how fast, what broke, what it cost, and who plays it. It may be played on another machine.

    Args:
        run: A run, its id, the start of its id, its name, or `latest`. By default the latest that is being played; else `latest`.
        store: The URL of the store; that of the run, or of the command, by default.

    Raises:
        InputError: there is no such store or run.
    """
    url = store or (run.store if isinstance(run, Run) else store_url())
    with open_store(url, create=False) as opened:
        return status_of(opened, named(opened, run.id if isinstance(run, Run) else run))


status_async = async_twin(status)


def named(store: Store, name: str) -> Manifest:
    """The run that is meant; without a name the latest that is being played, or the latest of all.

    Raises:
        UnknownName: there is none.
    """
    if name:
        return store.run(name)
    return next((one for one in store.runs() if one.state == "running"), None) or store.run()
