# shellcheck shell=bash
# Sourced after settings.sh: as whom the servers run. Whoever calls make, except root, who hands them to TRESTLE_USER.

if ((EUID)); then server_user=$(id -un); else server_user=$TRESTLE_USER; fi
server_directories=(run log tls keys secrets postgres)

# What the servers' user gets of the caller's environment: the settings.
server_environment=(PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 LC_ALL=C.UTF-8 TZ=UTC "HOME=$run"
    "TERM=${TERM:-dumb}" "HTTPS_PORT=$HTTPS_PORT" "HTTP_PORT=$HTTP_PORT" "HTTPS_ADDRESS=$HTTPS_ADDRESS"
    "TRESTLE_VAR=$var")

# A command as the servers' user. A script's background job ignores Ctrl-C unless it is told otherwise.
as_server=(env --default-signal=INT -i "${server_environment[@]}")
if ((EUID == 0)); then
    as_server=(setpriv --reuid "$server_user" --regid "$(id -g "$server_user" 2>/dev/null || true)" --init-groups
        --inh-caps=-all --no-new-privs "${as_server[@]}")
fi

# server_may -r PATH: whether the servers' user may.
server_may() { "${as_server[@]}" test "$@"; }

# The first part of the path $1 that the servers' user cannot pass.
first_barrier() {
    local path='' part
    local -a parts
    IFS=/ read -ra parts <<<"${1#/}"
    for part in "${parts[@]}"; do
        path+=/$part
        if [[ -d $path ]]; then server_may -x "$path" || break; else server_may -r "$path" || break; fi
    done
    printf '%s\n' "$path"
}

check_user() {
    id "$server_user" >/dev/null 2>&1 \
        || fail "there is no user $server_user to run the servers; name one that exists: make run TRESTLE_USER=www-data"
    [[ $(id -u "$server_user") != 0 ]] \
        || fail 'the servers do not run as root; name another user: make run TRESTLE_USER=www-data'
}

# The servers read the clone; what they may not read is said before they stumble.
check_clone() {
    local path barrier
    for path in "$root/bin/trestle-migrate" "$root/conf/trestle.conf" "$root/htdocs/index.html" "$root/sql/core" \
        "$modules/mod_trestle.so"; do
        server_may -r "$path" && continue
        [[ -e $path ]] || fail "$path is missing: run make, not bin/trestle; if that does not mend it, this clone is not whole"
        barrier=$(first_barrier "$path")
        fail "the user $server_user, as whom PostgreSQL and httpd run, cannot reach $barrier ($(stat -c '%A, owner %U' "$barrier"))" \
            'Mend it with one of these:' \
            '  a clone in a place open to all, for example /srv/trestle' \
            "  chmod -R o+rX '$barrier'" \
            '  a user who can reach it: make run TRESTLE_USER=NAME'
    done
}

# The directories of run time are the servers' own; secrets are for nobody else to enter.
make_directories() {
    local name path
    [[ -d $var ]] || mkdir -p "$var" 2>/dev/null || fail "$var cannot be made by $(id -un); name another place: make run TRESTLE_VAR=/DIRECTORY"
    for name in "${server_directories[@]}"; do
        path=$var/$name
        if [[ ! -d $path ]]; then
            mkdir "$path" 2>/dev/null \
                || fail "$var cannot be written by $(id -un): it belongs to $(stat -c %U "$var"). Run make as that user, or remove $var"
            ((EUID)) || chown "$server_user:" "$path"
        fi
        server_may -w "$path" \
            || fail "$path belongs to $(stat -c %U "$path") and $server_user cannot write it. Run make as before, or, if its data may go, remove $var"
        case $name in run | tls) chmod 755 "$path" ;; log) chmod 750 "$path" ;; *) chmod 700 "$path" ;; esac
    done
}
