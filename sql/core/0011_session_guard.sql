-- The guard of every request: what an ended session's token still names is nobody any more.

create function trestle.require_session() returns void
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if nullif(current_setting('request.jwt.claims', true), '{}') <> '' then
        perform trestle.require_account();
    end if;
end
$$;
comment on function trestle.require_session() is
    'For RestPreRequest: passes anonymous callers and those whose token still holds, as trestle.require_account() judges it. '
    'Errors: 401 INVALID_TOKEN.';
revoke execute on function trestle.require_session() from public;
grant execute on function trestle.require_session() to :"anonymous", :"user";
