# shellcheck shell=bash
# Sourced after settings.sh and process.sh: the private PostgreSQL cluster, on a unix socket only.

cluster=$var/postgres/data
postgres_log=$var/log/postgres.log

postgres_bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n1)

# The postmaster's process id, if it is ours and alive.
postgres_pid() {
    local pid
    pid=$(head -n1 "$cluster/postmaster.pid" 2>/dev/null) || return 1
    process_is "$pid" "$cluster" && printf '%s\n' "$pid"
}

# Superuser only over the socket as the system's user who runs the cluster; everyone else by password (SCRAM).
make_cluster() {
    [[ ! -d $cluster ]] || return 0
    say 'Making a PostgreSQL cluster'
    local fresh=$cluster.new
    rm -rf "$fresh"
    "$postgres_bin/initdb" -D "$fresh" -U postgres -E UTF8 --locale=C.UTF-8 \
        --auth=peer --data-checksums >"$var/log/initdb.log" 2>&1 || fail "initdb failed: $(tail -n3 "$var/log/initdb.log")"
    cat >"$fresh/pg_hba.conf" <<'HBA'
# Made by bin/trestle. The superuser comes as the system's user of this cluster, every other role with its password.
local all postgres peer map=cluster
local all all scram-sha-256
HBA
    printf 'cluster %s postgres\n' "$(id -un)" >"$fresh/pg_ident.conf"
    mv "$fresh" "$cluster"
}

# Settings come from here at every start, so that a newer Trestle changes them in old clusters too.
write_postgres_settings() {
    cat >"$cluster/postgresql.auto.conf" <<SETTINGS
# Written by bin/trestle at every start.
listen_addresses = ''
unix_socket_directories = '$run'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
max_connections = 120
shared_buffers = '128MB'
effective_cache_size = '512MB'
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
log_min_error_statement = panic
idle_in_transaction_session_timeout = '60s'
SETTINGS
}

# Every process of a server in the cluster, and so those too whose postmaster was killed: all of them work in it.
postgres_processes() {
    local directory
    for directory in /proc/[0-9]*; do
        [[ $directory/cwd -ef $cluster && $(readlink "$directory/exe") == */bin/postgres* ]] \
            && printf '%s\n' "${directory#/proc/}"
    done
    return 0
}

# What a postmaster that was killed leaves ends by itself as soon as it looks up from its work; a long query does not. Two
# servers on one cluster destroy it, so nothing may be left. QUIT is what the postmaster would say.
end_postgres_orphans() {
    local tries
    for ((tries = 0; tries < 20; tries++)); do
        [[ $(postgres_processes) ]] || return 0
        sleep 0.05
    done
    end_all postgres_processes QUIT KILL \
        || fail "processes of an earlier PostgreSQL still work in $cluster: $(postgres_processes | xargs); end them"
}

# After a crash PostgreSQL itself sees through its lock files, unless their process id has meanwhile become another
# process of ours. They are removed only when nothing of the old server is left.
remove_stale_locks() {
    [[ -e $cluster/postmaster.pid ]] || return 0
    end_postgres_orphans
    rm -f "$cluster/postmaster.pid" "$run/.s.PGSQL.5432.lock"
}

start_postgres() {
    postgres_pid >/dev/null && return
    [[ -x $postgres_bin/postgres ]] || fail 'PostgreSQL is not installed; bin/trestle-packages run installs it'
    make_cluster
    local version
    version=$(cat "$cluster/PG_VERSION" 2>/dev/null || true)
    [[ $postgres_bin == */$version/bin ]] || fail "the cluster in $cluster is of PostgreSQL ${version:-?}, installed is $postgres_bin" \
        "mend it: install postgresql-$version, or upgrade the cluster (docs/operations.md), or remove $cluster if its data may go"
    write_postgres_settings
    remove_stale_locks
    "$postgres_bin/pg_ctl" start -s -w -t 120 -D "$cluster" -l "$postgres_log" </dev/null >/dev/null 2>&1 \
        || fail "PostgreSQL did not start; the end of $postgres_log:" "$(tail -n5 "$postgres_log")"
}

stop_postgres() {
    postgres_pid >/dev/null || { end_postgres_orphans; return; }
    "$postgres_bin/pg_ctl" stop -s -w -t 60 -m fast -D "$cluster" >/dev/null 2>&1 \
        || "$postgres_bin/pg_ctl" stop -s -w -t 20 -m immediate -D "$cluster" >/dev/null 2>&1 \
        || ! postgres_pid >/dev/null \
        || fail "PostgreSQL (process $(postgres_pid)) does not stop; see $postgres_log"
}

# as_superuser COMMAND...: with libpq's environment for the cluster's superuser.
as_superuser() { env PGHOST="$run" PGUSER=postgres PGDATABASE=postgres "$@"; }

load_databases() {
    local name said applied
    for name in "${applications[@]}"; do
        said=$(as_superuser env TRESTLE_LOGIN_PASSWORD_FILE="$var/secrets/${name}_login.password" \
            "$root/bin/trestle-migrate" --sample "$name") || fail "the database of $name is not complete; the line above says why"
        applied=$(grep -c '^applied ' <<<"$said" || true)
        ((applied == 0)) || say "Database $name: $applied files applied"
    done
}
