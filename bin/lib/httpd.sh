# shellcheck shell=bash
# Sourced after settings.sh and process.sh: httpd, its generated configuration and its ports.

httpd_conf=$run/httpd.conf
error_log=$var/log/error.log

# The process $1 is httpd, a parent or a child, and was started with this var's configuration.
is_httpd() {
    local -a words=()
    [[ ${1:-} =~ ^[0-9]+$ ]] && { mapfile -d '' -t words <"/proc/$1/cmdline"; } 2>/dev/null \
        && [[ ${words[0]:-} == */apache2 && "${words[*]:1}" == "-f $httpd_conf -k start" ]]
}

# The parent, as long as it lives.
httpd_pid() {
    local pid
    pid=$(cat "$run/httpd.pid" 2>/dev/null) || return 1
    is_httpd "$pid" && printf '%s\n' "$pid"
}

# Every process of it, and so the children too whose parent was killed.
httpd_processes() {
    local directory
    for directory in /proc/[0-9]*; do
        ! is_httpd "${directory#/proc/}" || printf '%s\n' "${directory#/proc/}"
    done
}

httpd_program() {
    command -v apache2 || command -v /usr/sbin/apache2 || fail 'httpd is not installed; bin/trestle-packages run installs it'
}

has_ipv6() { grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null; }

# Where conf/trestle.conf finds everything of this machine and this start.
write_httpd_conf() {
    local name
    {
        echo '# Written by bin/trestle at every start; the configuration is conf/trestle.conf.'
        printf 'Define TRESTLE_ROOT "%s"\n' "$root"
        printf 'Define TRESTLE_VAR "%s"\n' "$var"
        printf 'Define TRESTLE_MODULES "%s"\n' "$modules"
        printf 'Define HTTPD_MODULES "%s"\n' "$(apxs -q LIBEXECDIR)"
        printf 'Define HTTPS_ADDRESS "%s"\n' "$HTTPS_ADDRESS"
        if has_ipv6 && [[ $HTTPS_ADDRESS == 127.0.0.1 ]]; then echo 'Define TRESTLE_IPV6'; fi
        printf 'Define PORTAL_HTTPS %s\nDefine PORTAL_HTTP %s\n' "$HTTPS_PORT" "$HTTP_PORT"
        printf 'Include "%s/conf/trestle.conf"\n' "$root"
        echo '<Macro PortalApplications>'
        printf '    Use TrestlePortalHealth %s\n' "${applications[@]}"
        echo '</Macro>'
        printf 'Include "%s/conf/portal.conf"\n' "$root"
        for name in "${applications[@]}"; do
            printf 'Include "%s/conf/apps/%s.conf"\n' "$root" "$name"
            printf 'Use TrestleApplicationHosts %s %s %s\n' "$name" "$(https_port "$name")" "$(http_port "$name")"
        done
    } >"$httpd_conf"
}

# The ports of the running httpd, whatever the caller's settings are.
read_ports() {
    HTTPS_PORT=$(sed -n 's/^Define PORTAL_HTTPS //p' "$httpd_conf")
    HTTP_PORT=$(sed -n 's/^Define PORTAL_HTTP //p' "$httpd_conf")
}

# What the portal shows.
write_portal_data() {
    local name separator=''
    {
        printf '{"applications":['
        for name in "${applications[@]}"; do
            printf '%s{"name":"%s","https":%s,"http":%s}' "$separator" "$name" "$(https_port "$name")" "$(http_port "$name")"
            separator=,
        done
        printf ']}\n'
    } >"$run/applications.json"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Whose the port $1 is, as in "HTTPS of mentoring".
port_purpose() {
    local name
    for name in portal "${applications[@]}"; do
        case $1 in
            "$(https_port "$name")") echo "HTTPS of $name" ;;
            "$(http_port "$name")") echo "HTTP of $name" ;;
        esac
    done
}

# Why httpd did not start, from what it SAID: only it can tell for certain whether an address is to be had.
fail_to_start() {
    local said=$1 address port
    if [[ $said =~ \(([0-9]+)\)[^$'\n']*(could not bind to|unable to listen for connections on)" address "([^[:space:]]+):([0-9]+) ]]; then
        address=${BASH_REMATCH[3]} port=${BASH_REMATCH[4]}
        case ${BASH_REMATCH[1]} in
            98) fail "port $port ($(port_purpose "$port")) on $address is in use by another program" \
                'mend it: end that program (as root, ss -tlnp names it), or choose other ports:' \
                'make run HTTPS_PORT=9443 HTTP_PORT=9080' ;;
            99) fail "$address is no address of this machine, which has: 127.0.0.1 $(hostname -I)" \
                'mend it: make run HTTPS_ADDRESS=127.0.0.1, or * for all of them' ;;
        esac
    fi
    fail 'httpd did not start:' "$said"
}

start_httpd() {
    local program said before tries
    program=$(httpd_program)
    write_httpd_conf
    write_portal_data
    said=$("$program" -f "$httpd_conf" -t 2>&1) || fail "httpd's configuration has a mistake:" "$said"
    rm -f "$run/httpd.pid" # httpd_pid has seen that it is nobody's
    touch "$error_log"
    before=$(wc -c <"$error_log")
    said=$("$program" -f "$httpd_conf" -k start 2>&1 </dev/null) \
        || fail_to_start "$said"$'\n'"$(tail -c "+$((before + 1))" "$error_log")"
    for ((tries = 0; tries < 100; tries++)); do
        httpd_pid >/dev/null && answers "$HTTP_PORT" && return
        sleep 0.1
    done
    fail "httpd is not in service after 10 seconds; the end of $error_log:" "$(tail -n5 "$error_log")"
}

# Ends httpd and waits for its last process; requests in hand get ten seconds.
stop_httpd() {
    local pid tries
    if pid=$(httpd_pid); then
        kill -TERM "$pid" 2>/dev/null || true
        for ((tries = 0; tries < 200; tries++)); do
            httpd_pid >/dev/null || break
            sleep 0.05
        done
        ((tries < 200)) || fail "httpd (process $pid) does not stop; see $error_log"
    fi
    # The children of a parent that was killed would keep the ports.
    end_all httpd_processes TERM KILL || fail "processes of httpd do not end: $(httpd_processes | xargs); end them"
}
