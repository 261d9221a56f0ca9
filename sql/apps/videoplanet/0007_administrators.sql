-- What trestle-admin calls, as the owner.

create function videoplanet.make_administrator(account bigint) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into videoplanet.users (id, email, is_active, nickname, role)
    select known.id, known.email, known.is_active, left(split_part(known.email, '@', 1), 100), 'admin'
    from trestle.account known
    where known.id = make_administrator.account
    on conflict (id) do update set role = 'admin';
    if not found then
        raise exception 'there is no account %', account;
    end if;
    update trestle.account set authz_version = authz_version + 1 where id = make_administrator.account;
end
$$;
comment on function videoplanet.make_administrator(bigint) is
    'Makes the person of this account an administrator, with a profile if there is none yet.';
