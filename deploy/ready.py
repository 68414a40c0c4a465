"""Whether a process of this machine is ready: `python -m lotstream.deploy.ready NAME`, the health check of a container.

Asks /readyz at the address that NAME published in the run directory. Exit code 0 when it is, else 1 with the answer.
"""

import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path

TIMEOUT_S = 4.0


def answer_of(run_dir: Path, name: str) -> tuple[bool, str]:
    """(ready, what was said) of the process called `name`."""
    try:
        url = str(json.loads((run_dir / f"{name}.json").read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError) as error:
        return False, f"Expected {name}.json in {run_dir}, got {type(error).__name__}."
    # our own process on this machine, under a certificate for the name by which others know it
    context = ssl._create_unverified_context() if url.startswith("https:") else None  # noqa: S323 - see above
    url = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=TIMEOUT_S, context=context) as answer:  # noqa: S310 - own
            return answer.status == 200, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as refused:
        return False, refused.read().decode("utf-8", "replace")
    except OSError as error:
        return False, f"Expected an answer at {url}, got {type(error).__name__}."


def main(arguments: list[str]) -> int:
    """The exit code for a name of the command line."""
    if len(arguments) != 1:
        sys.stderr.write("Expected one name: gateway, worker or sink.\n")
        return 2
    ready, said = answer_of(Path(os.environ.get("LOTSTREAM_RUN_DIR", "run")), arguments[0])
    sys.stdout.write(said + "\n")
    return 0 if ready else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
