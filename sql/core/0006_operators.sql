-- What operators call by commands: the owner alone may execute it.

create function trestle.provide_account(email text, password_hash text) returns bigint
    language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    address constant text := btrim(provide_account.email);
    hash constant text := provide_account.password_hash;
    known trestle.account;
    provided bigint;
begin
    -- said here because a broken constraint would write the whole row, with its hash, into the server's log
    if address is null or length(address) > 254 or address !~ '^[^@[:space:]]+@[^@[:space:]]+$' then
        raise exception '"%" is no address; write one like name@example.org', left(address, 254);
    end if;
    if hash is not null then
        insert into trestle.account (email, password_hash, email_verified_at)
        values (address, hash, now())
        on conflict do nothing
        returning id into provided;
        if found then
            return provided;
        end if;
    end if;

    select * into known from trestle.account where lower(account.email) = lower(address) for update;
    if not found then
        raise exception 'there is no account % yet; give the password that it shall have', address;
    end if;
    if not known.is_active then
        raise exception 'the account % is disabled; enable it first (disabled_at in trestle.account)', address;
    end if;
    if hash is not null then
        update trestle.account
        set password_hash = hash,
            email_verified_at = coalesce(known.email_verified_at, now()),
            tokens_not_before = date_trunc('second', now()) -- tokens tell their time in whole seconds
        where id = known.id;
        update trestle.session
        set revoked_at = now(), revoke_reason = 'password set by an operator'
        where account_id = known.id and revoked_at is null;
    elsif known.email_verified_at is null then
        raise exception 'nobody has proved that the address of % is his; give the account a new password', address;
    end if;
    return known.id;
end
$$;
comment on function trestle.provide_account(text, text) is
    'The id of the account with this address. Makes it, verified, if it is missing; with a hash, an account that is there '
    'gets it as its password and its sessions end. Without a hash (null) the account must be there, and verified. '
    'Refuses disabled accounts.';
