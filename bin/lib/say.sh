# shellcheck shell=bash
# Sourced: messages to the person at the terminal.

say() { printf '%s\n' "$*"; }

# Says what is wrong and how to mend it, and ends the script.
fail() {
    printf 'trestle: %s\n' "$@" >&2
    exit 1
}
