# shellcheck shell=bash
# Sourced: messages to the person at the terminal.

say() { printf '%s\n' "$@"; }

# fail WHAT [LINE...]: says what is wrong and how to mend it, and ends the script.
fail() {
    printf 'trestle: %s\n' "$1" >&2
    (($# == 1)) || printf '  %s\n' "${@:2}" >&2
    exit 1
}
