# shellcheck shell=bash
# Sourced after say.sh, with $root set: what the person may choose, where things are, which applications there are.
#   HTTPS_PORT, HTTP_PORT   the portal's ports; each application has the ones its conf/apps/<name>.conf adds to them
#   HTTPS_ADDRESS           where the HTTPS ports listen; plain HTTP is always on loopback
#   TRESTLE_VAR             where everything made at run time lies
#   TRESTLE_USER            as whom the servers run when root starts them
# shellcheck disable=SC2034  # for the scripts that source this

: "${HTTPS_PORT:=8443}" "${HTTP_PORT:=8080}" "${HTTPS_ADDRESS:=127.0.0.1}" "${TRESTLE_USER:=www-data}"
var=$(realpath -m -- "${TRESTLE_VAR:-$root/var}")
modules=$root/var/build/release/modules
run=$var/run
socket_limit=107 # bytes of a unix socket's path

# The applications in the order of their ports, and their distance from the portal's ports.
declare -A port_offset=()
applications=()
read_applications() {
    local file name offset lines=''
    local -A file_of=()
    for file in "$root"/conf/apps/*.conf; do
        name=$(basename "$file" .conf)
        offset=$(sed -n 's/^# Ports: +\([0-9][0-9]*\).*/\1/p;T;q' "$file")
        [[ $offset ]] || fail "$file does not say its ports; write for example this line into it: # Ports: +5"
        [[ $offset =~ ^[1-9][0-9]{0,2}$ ]] || fail "$file: the distance of its ports is a number from 1 to 999; write for example: # Ports: +5"
        [[ ! ${file_of[$offset]:-} ]] || fail "${file_of[$offset]} and $file have the same ports, +$offset" \
            'mend it: another number in one of them, for example: # Ports: +5'
        file_of[$offset]=$file
        lines+="$offset $name"$'\n'
    done
    while read -r offset name; do
        applications+=("$name")
        port_offset[$name]=$offset
    done < <(printf %s "$lines" | sort -n)
}
read_applications

https_port() { echo $((HTTPS_PORT + ${port_offset[$1]:-0})); }
http_port() { echo $((HTTP_PORT + ${port_offset[$1]:-0})); }

is_address() {
    local byte='(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
    [[ $1 == '*' || $1 =~ ^$byte(\.$byte){3}$ ]] || { [[ $1 == *:* && $1 =~ ^[0-9A-Fa-f:.]+$ ]] && getent ahostsv6 "$1" >/dev/null; }
}

check_settings() {
    local name value last=0
    for name in "${applications[@]}"; do ((last = port_offset[$name] > last ? port_offset[$name] : last)); done
    for name in HTTPS_PORT HTTP_PORT; do
        value=${!name}
        [[ $value =~ ^[1-9][0-9]{3,4}$ && $value -ge 1024 && $((value + last)) -le 65535 ]] || fail "$name=$value is not a port from 1024 to $((65535 - last)); write for example $name=9443"
    done
    ((HTTPS_PORT > HTTP_PORT + last || HTTP_PORT > HTTPS_PORT + last)) \
        || fail "HTTPS_PORT=$HTTPS_PORT and HTTP_PORT=$HTTP_PORT are too close: each is the first of $((last + 1)) ports; leave more room, for example HTTPS_PORT=9443 HTTP_PORT=9080"
    is_address "$HTTPS_ADDRESS" || fail "HTTPS_ADDRESS=$HTTPS_ADDRESS is not an address; write for example 127.0.0.1, ::1 or *"
    local socket=$run/.s.PGSQL.5432
    ((${#socket} <= socket_limit)) || fail "the path $run is too long for a unix socket" \
        "mend it with a shorter place: make run TRESTLE_VAR=/srv/trestle-var, or a clone in a shorter path"
    [[ $root$var != *[\"\'\$\\]* ]] || fail "the path of this clone holds a quote, a \$ or a backslash, which configuration files cannot name; move it"
}
