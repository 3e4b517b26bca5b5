"""`foveal serve`: checks everything that can be wrong first, then listens until it is told to stop."""

from __future__ import annotations

import ipaddress
import logging
import signal
import socket
from collections.abc import Callable

import uvicorn

from foveal.assembly.engines import require_models
from foveal.assembly.server import assemble_server
from foveal.errors import SetupError
from foveal.resources.accounts import Accounts, open_accounts
from foveal.resources.control import ADMIN_KEY_NEEDS
from foveal.resources.keys import WEAK_BELOW
from foveal.settings import Settings
from foveal.store.database import open_database

BACKLOG = 2048  # connections the kernel may hold for us


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in flight. `say` prints a line for the operator.

    Raises `SetupError`, before anything listens, for whatever the operator has to put right.
    """
    require_models(settings)
    database = open_database(settings.data)
    try:
        accounts, generated = open_accounts(
            database, operator_key=settings.api_key, engine=settings.engine, strict=settings.strict
        )
        _check_exposure(settings, accounts)
        _check_admin_key(settings, accounts)
        with _listen(settings.host, settings.port) as listener:
            if generated is not None:
                say(f"Key 1 of resource {next(iter(accounts.resources))} (shown this once): {generated}")
            app = assemble_server(settings, database)
            host, port = listener.getsockname()[:2]
            say(f"Foveal listens on http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl-C stops it)")
            config = uvicorn.Config(
                app,
                http="httptools",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=True,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=settings.grace_seconds,
            )
            _log_to_stderr(settings.log_level)
            for number in (signal.SIGTERM, signal.SIGINT):
                # uvicorn stops gracefully, then raises the signal again for whoever handled it before: nobody
                signal.signal(number, lambda *_: None)
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        database.dispose()


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_exposure(settings: Settings, accounts: Accounts) -> None:
    """A server that others can reach must have keys that the operator chose, and not weak ones."""
    if is_loopback(settings.host):
        return
    if not accounts.operator_has_set_keys:
        raise SetupError(
            f"{settings.host} can be reached by others: set FOVEAL_API_KEY to a key of your own first"
        )
    if settings.api_key is not None and len(settings.api_key) < WEAK_BELOW:
        raise SetupError(
            f"{settings.host} can be reached by others: FOVEAL_API_KEY needs {WEAK_BELOW} characters"
        )


def _check_admin_key(settings: Settings, accounts: Accounts) -> None:
    """What opens everything must be long, and open nothing else: keys of resources are handed out."""
    if settings.admin_key is None:
        return
    if len(settings.admin_key) < ADMIN_KEY_NEEDS or settings.admin_key != settings.admin_key.strip():
        raise SetupError(f"FOVEAL_ADMIN_KEY needs {ADMIN_KEY_NEEDS} characters, with no blank around them")
    if accounts.check(settings.admin_key) is not None:
        raise SetupError("FOVEAL_ADMIN_KEY is a key of a resource too: choose another")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SetupError(
            f"cannot listen on {host}:{port} ({reason}); choose another --port or stop what has it"
        ) from None
    listener.setblocking(False)
    return listener


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    for noisy in ("httpx", "httpcore", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))
