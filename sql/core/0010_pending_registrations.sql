-- A registration that waits for its code keeps all that it asked for with the code: nothing of it reaches the account
-- before the code comes back, so that whoever repeats it changes nothing in another's.

alter table trestle.one_time_code
    add column username text check (length(username) between 1 and 150 and username !~ '[@[:space:][:cntrl:]]'),
    add column fields jsonb check (jsonb_typeof(fields) = 'object');
comment on column trestle.one_time_code.username is
    'The sign-in name that the account gets when the code is used; until then it is free for everyone.';
comment on column trestle.one_time_code.fields is
    'What the application''s profile function gets when the code is used; null: there is no such function.';

-- Codes without a name and fields of their own are void, and names that no confirmed account has are free.
update trestle.account a set username = null
where a.password_hash is null
  and a.email_verified_at is null
  and exists (select from trestle.one_time_code c where c.account_id = a.id and c.purpose = 'register');
delete from trestle.one_time_code where purpose = 'register';

drop function trestle.register(text, text, text, uuid, interval, inet);
drop function trestle.register_confirm(uuid, text);

create function trestle.register(
    email text, username text, password_hash text, fields jsonb, confirmation uuid, code_lifetime interval, address inet,
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
        -- asked before the address is looked at: the answer must not depend on it
        when exists (select from trestle.account a where lower(a.username) = lower(name)) then 'username_taken'
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
    values (mailbox, case when confirmation is null then name end, case when confirmation is null then register.password_hash end)
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
        account_id := known.id;
    end if;

    outcome := 'made';
    if confirmation is not null then
        outcome := 'pending';
        insert into trestle.one_time_code (id, purpose, account_id, code_hash, password_hash, username, fields, address, expires_at)
        values (confirmation, 'register', account_id, trestle.code_hash(confirmation, code), register.password_hash, name,
                register.fields, register.address, now() + code_lifetime);
        insert into trestle.mail_outbox (kind, recipient, account_id, parameters, expires_at)
        values ('register', mailbox, account_id, jsonb_build_object('code', code), now() + code_lifetime);
    end if;
    perform trestle.decide_account(account_id);
end
$$;
comment on function trestle.register(text, text, text, jsonb, uuid, interval, inet) is
    'Registers an account under an address and perhaps a username (null: none). confirmation null: made, with its '
    'password and username. Else pending: the account has neither until the code that was put into the outbox comes '
    'back with confirmation; fields (null: none) are kept for the profile function that is called then. A registration '
    'that nobody has confirmed may be repeated, and each counts for its own confirmation. Refused: email, username (not '
    'one); taken, username_taken (whatever the address); too_many (five mails to the address within an hour). '
    'trestle.decided_account() gives the account if the outcome is made or pending.';

create function trestle.register_confirm(
    confirmation uuid, code text, completed boolean, out outcome text, out account_id bigint)
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    known trestle.one_time_code;
begin
    perform trestle.decide_account(null);
    perform set_config('trestle.decided_fields', '', true);
    -- the account before its codes, as trestle.register has it: several codes of one account take turns
    perform
    from trestle.account a
    where a.id = (select c.account_id from trestle.one_time_code c where c.id = confirmation and c.purpose = 'register')
    for update;
    select * into known
    from trestle.one_time_code c
    where c.id = confirmation and c.purpose = 'register' and c.expires_at > now() and c.attempts < 5
    for update;
    outcome := 'wrong';
    if not found then
        return;
    end if;
    if known.code_hash <> trestle.code_hash(confirmation, register_confirm.code) then
        update trestle.one_time_code c set attempts = c.attempts + 1 where c.id = confirmation;
        return;
    end if;
    if completed <> (known.fields is not null) then
        raise exception 'IdentityProfileFunction is set at one of identity-register and identity-confirm only'
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    begin
        update trestle.account a
        set password_hash = known.password_hash, email_verified_at = now(), username = coalesce(known.username, a.username)
        where a.id = known.account_id and a.is_active and a.password_hash is null and a.email_verified_at is null
        returning a.id into account_id;
    exception when unique_violation then
        outcome := 'username_taken';
        return;
    end;
    delete from trestle.one_time_code c where c.account_id = known.account_id and c.purpose = 'register';
    if account_id is not null then
        outcome := 'confirmed';
        perform trestle.decide_account(account_id), set_config('trestle.decided_fields', coalesce(known.fields::text, ''), true);
    end if;
end
$$;
comment on function trestle.register_confirm(uuid, text, boolean) is
    'Confirms a registration: its account gets its password and username, its address counts as verified, and other '
    'registrations of the address are void. confirmed, with the account''s id; wrong when the code is wrong, used, '
    'expired or was tried wrongly five times; username_taken when another account has got the name meanwhile, which '
    'changes nothing. completed: the application''s profile function is called behind it, with '
    'trestle.decided_registration(); error 55000 when fields were kept for it and it is not, or the other way round.';

create function trestle.decided_registration(out account_id bigint, out fields jsonb) returns setof record
    language sql stable rows 1
begin atomic
    select decided, nullif(current_setting('trestle.decided_fields', true), '')::jsonb
    from trestle.decided_account() as decided;
end;
comment on function trestle.decided_registration() is
    'The account that trestle.register_confirm has confirmed in this transaction, and the fields of its registration: '
    'one row; none when it has confirmed nothing.';

grant execute on function
    trestle.register(text, text, text, jsonb, uuid, interval, inet),
    trestle.register_confirm(uuid, text, boolean),
    trestle.decided_registration()
    to :"login";
