-- Sign-in by password. The web server verifies the password between login_begin and login_complete, outside a
-- transaction. Only the login role calls these.

create function trestle.login_begin(email text, out account_id bigint, out password_hash text) returns setof record
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select account.id, account.password_hash
    from trestle.account
    where lower(account.email) = lower(btrim(login_begin.email))
      and account.is_active
      and account.password_hash is not null;
end;
comment on function trestle.login_begin(text) is
    'The account that may sign in by password under this address: one row, or none when it is unknown, disabled or '
    'without a password.';

create function trestle.login_complete(
    account_id bigint, sid uuid, jti uuid, expires_at timestamptz, address inet, user_agent text)
    returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    update trestle.account
    set last_login = now()
    where account.id = login_complete.account_id and account.is_active;
    if not found then
        perform trestle.refuse(403, 'INVALID_CREDENTIALS');
    end if;
    insert into trestle.session (sid, account_id, jti, idle_expires_at, abs_expires_at, amr, address, user_agent)
    values (login_complete.sid, login_complete.account_id, login_complete.jti, expires_at, expires_at, '{pwd}',
            login_complete.address, left(login_complete.user_agent, 512));
end
$$;
comment on function trestle.login_complete(bigint, uuid, uuid, timestamptz, inet, text) is
    'Records the sign-in whose password was verified: writes the session and last_login. Errors: 403 '
    'INVALID_CREDENTIALS when the account has gone or was disabled meanwhile.';

create function trestle.login_rehash(account_id bigint, old_hash text, new_hash text) returns boolean
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    with replaced as (
        update trestle.account
        set password_hash = new_hash
        where account.id = login_rehash.account_id and account.password_hash = old_hash
        returning account.id)
    select exists (select from replaced);
end;
comment on function trestle.login_rehash(bigint, text, text) is
    'Replaces a password hash by one of the current scheme, if it is still the old one. False when it had changed '
    'meanwhile; nothing is written then.';

grant execute on function
    trestle.login_begin(text),
    trestle.login_complete(bigint, uuid, uuid, timestamptz, inet, text),
    trestle.login_rehash(bigint, text, text)
    to :"login";
