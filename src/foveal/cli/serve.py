"""`foveal serve`."""

from __future__ import annotations

from typing import Any

import click

from foveal import server
from foveal.assembly.engines import wanted_models
from foveal.cli.options import setting_options, settings_from
from foveal.cli.pulling import pull_with_progress
from foveal.models.catalogue import load_catalogue
from foveal.models.pull import PullPlan
from foveal.models.store import ModelStore


@click.command()
@click.option("--pull", is_flag=True, help="First get the model weights that are missing.")
@setting_options()
def serve(pull: bool, **flags: Any) -> None:
    """Serve the API on this machine.

    The first start makes the data directory, with one resource and two deployments (gpt-4v and
    gpt-4-turbo), and prints its key once. SIGTERM or Ctrl-C finishes the requests in flight, then stops.

    \b
    Examples:
      foveal serve
      foveal serve --pull --port 9000
      FOVEAL_API_KEY=$(openssl rand -hex 16) foveal serve --host 0.0.0.0
      foveal serve --engine openai --upstream-url http://127.0.0.1:8000/v1 --upstream-model qwen-vl
      foveal serve --engine gguf --gguf vlm.gguf --mmproj mmproj.gguf
    """
    settings = settings_from(flags)
    if pull:
        store = ModelStore(settings.models, load_catalogue())
        pull_with_progress(store, wanted_models(settings), PullPlan())
    server.serve(settings, click.echo)
