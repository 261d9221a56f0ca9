# shellcheck shell=bash
# Sourced: what is secret or proves who we are. Each file is made once, whole or not at all, and only its owner reads it.

# write_once FILE COMMAND...: the command's output becomes FILE, mode 0600, unless it is there already.
write_once() {
    [[ ! -s $1 ]] || return 0
    rm -f "$1.new"
    (umask 077 && "${@:2}" >"$1.new") && mv "$1.new" "$1"
}

# N random bytes as base64url text (RFC 4648 section 5), without padding and line end.
random_text() { openssl rand "$1" | basenc --base64url -w0 | tr -d '='; }

# The keys of one application under DIRECTORY/keys, the password of its login role under DIRECTORY/secrets.
make_application_secrets() {
    local directory=$1 name=$2 purpose
    (umask 077 && mkdir -p "$directory/keys/$name" "$directory/secrets")
    for purpose in token refresh csrf presign ticket; do
        write_once "$directory/keys/$name/$purpose" random_text 64
    done
    write_once "$directory/secrets/${name}_login.password" random_text 24
}

new_key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256; }

# tls_valid NAME...: server.pem is there, lives another month and stands for every name.
tls_valid() {
    local name names
    [[ -s $tls/server.key && -s $tls/ca.pem ]] || return 1
    openssl x509 -in "$tls/server.pem" -noout -checkend 2592000 >/dev/null 2>&1 || return 1
    openssl verify -CAfile "$tls/ca.pem" "$tls/server.pem" >/dev/null 2>&1 || return 1
    names=$(openssl x509 -in "$tls/server.pem" -noout -ext subjectAltName)
    for name; do [[ $names == *"DNS:$name"* ]] || return 1; done
}

# A certificate authority that can vouch for this machine's loopback only, so that trusting it risks nothing else.
make_authority() {
    write_once "$tls/ca.key" new_key
    [[ ! -s $tls/ca.pem ]] || return 0
    openssl req -x509 -new -key "$tls/ca.key" -sha256 -days 3650 -subj "/CN=Trestle development on $(uname -n)" \
        -addext 'keyUsage=critical,keyCertSign,cRLSign' \
        -addext 'nameConstraints=critical,permitted;DNS:localhost,permitted;IP:127.0.0.1/255.255.255.255,permitted;IP:::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' \
        -out "$tls/ca.pem.new" 2>/dev/null
    mv "$tls/ca.pem.new" "$tls/ca.pem"
}

# make_tls DIRECTORY NAME...: ca.pem, server.pem and server.key for localhost, NAME.localhost and loopback addresses.
# Names are listed beside the wildcard because many clients accept no wildcard under a top-level name.
make_tls() {
    tls=$1
    shift
    local name hosts=(localhost '*.localhost' "${@/%/.localhost}")
    tls_valid "${hosts[@]}" && return
    make_authority
    write_once "$tls/server.key" new_key
    {
        echo 'basicConstraints=critical,CA:FALSE'
        echo 'keyUsage=critical,digitalSignature'
        echo 'extendedKeyUsage=serverAuth'
        printf 'subjectAltName=IP:127.0.0.1,IP:::1'
        for name in "${hosts[@]}"; do printf ',DNS:%s' "$name"; done
        echo
    } >"$tls/server.extensions"
    openssl req -new -key "$tls/server.key" -subj /CN=localhost 2>/dev/null \
        | openssl x509 -req -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -set_serial "0x$(openssl rand -hex 16)" -sha256 -days 397 \
            -extfile "$tls/server.extensions" -out "$tls/server.pem.new" 2>/dev/null
    mv "$tls/server.pem.new" "$tls/server.pem"
    rm "$tls/server.extensions"
    chmod 644 "$tls/ca.pem" "$tls/server.pem"
}
