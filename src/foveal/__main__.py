"""`python -m foveal` is the `foveal` command."""

from foveal.cli.main import main

main()
