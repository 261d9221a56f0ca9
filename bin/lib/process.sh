# shellcheck shell=bash
# Sourced: is a process still the one whose id was written down? And how what is left of a server is ended.

# process_is PID TEXT: the process lives and its command line holds TEXT (a process id may have been given away anew).
process_is() {
    [[ ${1:-} =~ ^[0-9]+$ && -r /proc/$1/cmdline ]] && tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF -- "$2"
}

# end_all LIST SIGNAL...: ends every process whose id the command LIST prints, with one signal after the other, each of
# which gets three seconds. Fails if one is left.
end_all() {
    local list=$1 signal tries
    local -a left
    for signal in "${@:2}"; do
        mapfile -t left < <("$list")
        ((${#left[@]})) || return 0
        kill "-$signal" "${left[@]}" 2>/dev/null || true
        for ((tries = 0; tries < 60; tries++)); do
            [[ $("$list") ]] || return 0
            sleep 0.05
        done
    done
    return 1
}
