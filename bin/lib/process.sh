# shellcheck shell=bash
# Sourced: is a process still the one whose id was written down?

# process_is PID TEXT: the process lives and its command line holds TEXT (a process id may have been given away anew).
process_is() {
    [[ ${1:-} =~ ^[0-9]+$ && -r /proc/$1/cmdline ]] && tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF -- "$2"
}
