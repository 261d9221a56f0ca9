# shellcheck shell=bash
# Sourced after settings.sh: what the person at the terminal is told of a running Trestle.

# What conf/apps/NAME.try says of an application (sample accounts, a command to try), with its addresses put in.
show_try() {
    local file=$root/conf/apps/$1.try ca=$var/tls/ca.pem text
    [[ -r $file ]] || return 0
    text=$(<"$file")
    text=${text//@URL@/https://localhost:$(https_port "$1")}
    say '' "${text//@CA@/${ca#"$root/"}}"
}

show_addresses() {
    local name row='  %-12s %-24s %-24s %s\n'
    say '' "$1" ''
    # shellcheck disable=SC2059
    printf "$row" portal "https://localhost:$HTTPS_PORT" "http://localhost:$HTTP_PORT" ''
    for name in "${applications[@]}"; do
        # shellcheck disable=SC2059
        printf "$row" "$name" "https://localhost:$(https_port "$name")" "http://localhost:$(http_port "$name")" \
            "https://$name.localhost:$HTTPS_PORT"
    done
    say '' "  Let browsers and clients trust $var/tls/ca.pem: it can vouch for localhost only."
    for name in "${applications[@]}"; do show_try "$name"; done
    say ''
}
