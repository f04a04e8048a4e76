"""The entry point of the image: a container's secrets are files, and only what it was given of them is in its processes' settings.

A container without such files, as on Kubernetes, has its secrets as variables, which stay as they are: a password may have a `${` of its own.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from string import Template

SECRETS = Path("/run/secrets")


def main() -> None:
    """Run a command with `${name}` in its environment's values replaced by what the secret of that name holds.

    Raises SystemExit: a variable names a secret that the service, which has others, has not got.
    """
    os.umask(0o077)
    held = {path.name: path.read_text(encoding="utf-8").strip() for path in SECRETS.glob("*") if path.is_file()}
    for variable, value in os.environ.items() if held else ():
        try:
            os.environ[variable] = Template(value).substitute(held) if "${" in value else value
        except (KeyError, ValueError) as error:
            sys.exit(f"{variable} names a secret that is not in {SECRETS}: {error}")
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
