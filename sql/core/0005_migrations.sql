-- What trestle-migrate has applied, for the readiness check of the web server.

create function trestle.applied_migrations(out name text, out checksum text) returns setof record
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select migration.name, migration.checksum
    from trestle.migration
    where migration.name not like '%/sample/%'
    order by migration.name;
end;
comment on function trestle.applied_migrations() is
    'Applied SQL files as <set>/<file> with the SHA-256 of their text, in order of name; sample data is left out.';

grant execute on function trestle.applied_migrations() to :"login";
