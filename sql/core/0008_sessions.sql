-- Sessions: how they begin, how refresh tokens rotate, how they end. The web server makes and checks the tokens; it
-- keeps the key, and only the SHA-256 of a token comes here. Only the login role calls these.

drop function trestle.login_begin(text);
drop function trestle.login_complete(bigint, uuid, uuid, timestamptz, inet, text);

create function trestle.login_begin(
    name text, out account_id bigint, out password_hash text, out confirmed boolean, out not_before timestamptz)
    returns setof record
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select account.id, coalesce(account.password_hash, pending.password_hash), account.password_hash is not null,
           account.tokens_not_before
    from trestle.account
    left join lateral (
        select code.password_hash
        from trestle.one_time_code code
        where account.password_hash is null
          and account.email_verified_at is null
          and code.account_id = account.id
          and code.purpose = 'register'
          and code.expires_at > now()
        order by code.created_at desc
        limit 1) pending on true
    where (lower(account.email) = lower(trestle.normal_name(name)) or lower(account.username) = lower(trestle.normal_name(name)))
      and account.is_active
      and coalesce(account.password_hash, pending.password_hash) is not null;
end;
comment on function trestle.login_begin(text) is
    'The account that may sign in by password under this address or username: one row, or none when it is unknown, '
    'disabled or without a password. Not confirmed: the password is that of a registration that waits for its code. '
    'Hand not_before to session_open.';

create function trestle.session_open(
    account_id bigint, not_before timestamptz, sid uuid, jti uuid, idle_expires_at timestamptz, abs_expires_at timestamptz,
    key_id smallint, token_hash bytea, client_id text, address inet, user_agent text)
    returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    update trestle.account
    set last_login = now()
    where account.id = session_open.account_id
      and account.is_active
      and account.password_hash is not null
      and account.tokens_not_before is not distinct from not_before;
    if not found then
        perform trestle.refuse(403, 'INVALID_CREDENTIALS');
    end if;
    insert into trestle.session (sid, account_id, jti, family_key_id, idle_expires_at, abs_expires_at, amr, address, user_agent, client_id)
    values (session_open.sid, session_open.account_id, session_open.jti, key_id, session_open.idle_expires_at,
            session_open.abs_expires_at, '{pwd}', session_open.address, left(session_open.user_agent, 512), session_open.client_id);
    if token_hash is not null then
        insert into trestle.refresh_token (token_hash, sid, seq) values (session_open.token_hash, session_open.sid, 0);
    end if;
end
$$;
comment on function trestle.session_open(bigint, timestamptz, uuid, uuid, timestamptz, timestamptz, smallint, bytea, text, inet, text) is
    'Records the sign-in whose password was verified: the session, its first refresh token if token_hash is one, and '
    'last_login. Errors: 403 INVALID_CREDENTIALS when the account has gone, was disabled or got another password '
    '(tokens_not_before is not not_before) meanwhile.';

create function trestle.session_refresh(
    sid uuid, seq integer, token_hash bytea, successor_hash bytea, client_id text, idle interval, grace interval, grace_limit integer,
    out outcome text, out account_id bigint, out idle_expires_at timestamptz, out abs_expires_at timestamptz)
    language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
declare
    session trestle.session;
    token trestle.refresh_token;
    account trestle.account;
    moment timestamptz;
begin
    perform trestle.decide_account(null);
    select * into session from trestle.session as s where s.sid = session_refresh.sid for update;
    if not found then
        outcome := 'unknown';
        return;
    end if;
    moment := clock_timestamp(); -- not the transaction's time: it may have waited
    select * into token from trestle.refresh_token as t where t.sid = session.sid and t.seq = session_refresh.seq;
    select * into account from trestle.account as a where a.id = session.account_id;
    account_id := session.account_id;
    idle_expires_at := session.idle_expires_at;
    abs_expires_at := session.abs_expires_at;
    outcome := case
        when session.family_key_id is null
          or session_refresh.seq not between 0 and session.head_seq
          or token.token_hash <> session_refresh.token_hash
          or token.token_hash is null and session_refresh.seq >= session.head_seq - 1 then 'unknown'
        when session.revoked_at is not null then 'revoked'
        when least(session.abs_expires_at, session.idle_expires_at) <= moment then 'expired'
        when not account.is_active or token.issued_at < account.tokens_not_before then 'disabled'
        when session.client_id is distinct from session_refresh.client_id then 'mismatch'
        when session_refresh.seq = session.head_seq then 'rotated'
        when session_refresh.seq = session.head_seq - 1
         and moment - token.used_at <= grace
         and grace > interval '0'
         and token.grace_uses < grace_limit then 'repeated'
        else 'reused'
    end;

    if outcome in ('expired', 'disabled', 'mismatch', 'reused') then
        update trestle.session as s set revoked_at = moment, revoke_reason = 'refresh: ' || outcome where s.sid = session.sid;
    elsif outcome = 'rotated' then
        update trestle.refresh_token as t set used_at = moment where t.sid = session.sid and t.seq = session.head_seq;
        insert into trestle.refresh_token (token_hash, sid, seq, issued_at)
        values (successor_hash, session.sid, session.head_seq + 1, moment);
        delete from trestle.refresh_token as t where t.sid = session.sid and t.seq < session.head_seq;
        update trestle.session as s
        set head_seq = session.head_seq + 1,
            last_used_at = moment,
            idle_expires_at = least(moment + idle, session.abs_expires_at)
        where s.sid = session.sid
        returning s.idle_expires_at into session_refresh.idle_expires_at;
    elsif outcome = 'repeated' then
        update trestle.refresh_token as t set grace_uses = t.grace_uses + 1 where t.sid = session.sid and t.seq = session_refresh.seq;
    end if;
    if outcome in ('rotated', 'repeated') then
        perform trestle.decide_account(account_id);
    end if;
end
$$;
comment on function trestle.session_refresh(uuid, integer, bytea, bytea, text, interval, interval, integer) is
    'Judges a refresh token, number seq of its session, whose signature the web server has verified; one at a time for '
    'each session. rotated: the successor is valid now; repeated: the immediate predecessor came again within grace, '
    'less than grace_limit times, and the successor that is valid already counts. All else is refused: unknown and '
    'revoked change nothing; expired, disabled (also: issued before tokens_not_before), mismatch (another client''s) '
    'and reused (an older token, or outside grace) end the session. Of used tokens only the last is kept: an older one '
    'is known by its number. trestle.decided_account() gives the account if the outcome is good.';

create function trestle.session_end(sid uuid, account_id bigint, reason text) returns boolean
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    update trestle.session as s
    set revoked_at = now(), revoke_reason = left(reason, 100)
    where s.sid = session_end.sid
      and s.revoked_at is null
      and (session_end.account_id is null or s.account_id = session_end.account_id);
    return found;
end
$$;
comment on function trestle.session_end(uuid, bigint, text) is
    'Ends a session, of that account if account_id is not null: its tokens are refused from now on. False when there is '
    'none that lives.';

create function trestle.account_json(account_id bigint) returns json
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select row_to_json(form)
    from (select account.id,
                 account.email,
                 account.username,
                 account.email_verified_at is not null as email_verified,
                 trestle.timestamp_text(account.created) as created,
                 trestle.timestamp_text(account.last_login) as last_login
          from trestle.account
          where account.id = account_json.account_id) as form;
end;
comment on function trestle.account_json(bigint) is 'What the owner of an account is told of it; null when there is none.';

grant execute on function
    trestle.login_begin(text),
    trestle.session_open(bigint, timestamptz, uuid, uuid, timestamptz, timestamptz, smallint, bytea, text, inet, text),
    trestle.session_refresh(uuid, integer, bytea, bytea, text, interval, interval, integer),
    trestle.session_end(uuid, bigint, text),
    trestle.account_json(bigint),
    trestle.require_account()
    to :"login";
