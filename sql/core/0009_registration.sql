-- Registration, at once or with a code that is sent to the address. Only the login role calls these.

create function trestle.register(
    email text, username text, password_hash text, confirmation uuid, code_lifetime interval, address inet,
    out outcome text, out account_id bigint)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    mailbox constant text := trestle.normal_email(email);
    name constant text := trestle.normal_name(username);
    code constant text := trestle.random_code();
    known trestle.account;
begin
    perform trestle.decide_account(null);
    -- said here because a broken constraint would write the whole row, with its hash, into the server's log
    outcome := case
        when (length(mailbox) <= 254 and mailbox ~ '^[^@[:space:]]+@[^@[:space:]]+$') is not true then 'email'
        when not (length(name) between 1 and 150 and name !~ '[@[:space:][:cntrl:]]') then 'username'
    end;
    if outcome is not null then
        return;
    end if;
    if confirmation is not null
       and (select count(*) >= 5
            from trestle.mail_outbox m
            where lower(m.recipient) = lower(mailbox)
              and m.kind in ('register', 'register_taken')
              and m.created_at > now() - interval '1 hour') then
        outcome := 'too_many';
        return;
    end if;

    insert into trestle.account (email, username, password_hash)
    values (mailbox, name, case when confirmation is null then register.password_hash end)
    on conflict do nothing
    returning id into account_id;
    if account_id is null then
        select * into known from trestle.account a where lower(a.email) = lower(mailbox) for update;
        if not found then
            outcome := 'username_taken';
            return;
        end if;
        if confirmation is null or known.password_hash is not null or known.email_verified_at is not null or not known.is_active then
            outcome := 'taken';
            if confirmation is not null then
                insert into trestle.mail_outbox (kind, recipient, account_id) values ('register_taken', known.email, known.id);
            end if;
            return;
        end if;
        begin
            update trestle.account a set username = name where a.id = known.id and name is not null;
        exception when unique_violation then
            outcome := 'username_taken';
            return;
        end;
        account_id := known.id;
    end if;

    outcome := 'made';
    if confirmation is not null then
        outcome := 'pending';
        insert into trestle.one_time_code (id, purpose, account_id, code_hash, password_hash, address, expires_at)
        values (confirmation, 'register', account_id, trestle.code_hash(confirmation, code), register.password_hash, register.address,
                now() + code_lifetime);
        insert into trestle.mail_outbox (kind, recipient, account_id, parameters, expires_at)
        values ('register', mailbox, account_id, jsonb_build_object('code', code), now() + code_lifetime);
    end if;
    perform trestle.decide_account(account_id);
end
$$;
comment on function trestle.register(text, text, text, uuid, interval, inet) is
    'Registers an account under an address and perhaps a username (null: none). confirmation null: made, with its '
    'password. Else pending: the account has no password until the code that was put into the outbox comes back with '
    'confirmation; a registration that nobody has confirmed may be repeated, and each counts for its own confirmation. '
    'Refused: email, username (not one); taken, username_taken; too_many (five mails to the address within an hour). '
    'trestle.decided_account() gives the account if the outcome is made or pending.';

create function trestle.register_confirm(confirmation uuid, code text) returns bigint
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    known trestle.one_time_code;
    account bigint;
begin
    perform trestle.decide_account(null);
    select * into known
    from trestle.one_time_code c
    where c.id = confirmation and c.purpose = 'register' and c.expires_at > now() and c.attempts < 5
    for update;
    if not found then
        return null;
    end if;
    if known.code_hash <> trestle.code_hash(confirmation, register_confirm.code) then
        update trestle.one_time_code c set attempts = c.attempts + 1 where c.id = confirmation;
        return null;
    end if;
    update trestle.account a
    set password_hash = known.password_hash, email_verified_at = now()
    where a.id = known.account_id and a.is_active and a.password_hash is null and a.email_verified_at is null
    returning a.id into account;
    delete from trestle.one_time_code c where c.account_id = known.account_id and c.purpose = 'register';
    perform trestle.decide_account(account);
    return account;
end
$$;
comment on function trestle.register_confirm(uuid, text) is
    'Confirms a registration: its account gets its password, its address counts as verified, and other registrations of '
    'the address are void. The account''s id; null when the code is wrong, used, expired or was tried wrongly five times. trestle.decided_account() gives it, too.';

grant execute on function
    trestle.register(text, text, text, uuid, interval, inet),
    trestle.register_confirm(uuid, text)
    to :"login";
