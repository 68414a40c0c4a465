#!/bin/sh
# Makes the virtual environment VENV as requirements.lock says and the checkout importable in it.
# usage: deploy/setup.sh VENV STAMP    STAMP is written last, so that an interrupted set-up is taken up again
set -eu
venv=$1
stamp=$2
lock=requirements.lock
started=$(date +%s)

die() {
    printf '%s\n' "set-up: $*" >&2
    exit 1
}

# A name on the path may be a launcher without an interpreter behind it: only running it tells.
suits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        suits "$PYTHON" || die "Expected Python 3.11 to 3.14 in PYTHON, got '$PYTHON'."
        echo "$PYTHON"
        return
    fi
    for name in python3 python3.13 python3.12 python3.11 python3.14; do
        if suits "$name"; then
            echo "$name"
            return
        fi
    done
    found=$(python3 --version 2>/dev/null || echo "no python3 at all")
    die "Expected Python 3.11 to 3.14 on the path, got $found. Install one, or name it: make PYTHON=/path/to/python3.12."
}

# Whole, of a Python that suits, and made at this place (its scripts hold absolute paths).
usable() {
    [ -x "$venv/bin/python" ] && suits "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1 &&
        head -n 1 "$venv/bin/pip" 2>/dev/null | grep -qF "$PWD/$venv/"
}

case "$(uname -s)-$(uname -m)" in
Linux-x86_64) ;;
*) echo "set-up: tried on Linux x86_64 only, this is $(uname -s) $(uname -m): faust-streaming may have no wheel for it." >&2 ;;
esac

if ! usable; then
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        die "Expected the venv module of $python, got none. On Debian and Ubuntu: apt install $("$python" -c \
            'import sys; print(f"python3.{sys.version_info[1]}-venv")')."
    echo "set-up: $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv" || die "Expected '$python -m venv' to work, got the error above."
fi

rm -f "$venv"/.setup-*
echo "set-up: packages of $lock (the first time mostly downloads)"
# only wheels: a source build would fetch build tools that nobody pinned
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-compile \
    --only-binary :all: --require-hashes --requirement "$lock" ||
    die "Expected every package of $lock, got the error above. Is the package index reachable? Then: make setup."
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --no-deps --no-build-isolation --editable . || die "Expected the checkout to install, got the error above."
: >"$stamp"
echo "set-up: done in $(($(date +%s) - started)) s"
