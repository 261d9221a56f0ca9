-- Who asks, how to refuse, how to write a timestamp: what the SQL of applications calls.

create function trestle.claim(name text) returns text
    language sql stable parallel safe
    return nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> name;
comment on function trestle.claim(text) is
    'A claim of the caller''s token as text; null when the caller is anonymous or the token has no such claim.';

create function trestle.account_id() returns bigint
    language sql stable parallel safe
    return substring(trestle.claim('sub') from '^[0-9]{1,18}$')::bigint;
comment on function trestle.account_id() is
    'The caller''s account id (claim sub); null when the caller is anonymous or sub is no number. It only reads the token: '
    'trestle.require_account() looks whether the token still holds.';

create function trestle.refuse(status integer, code text, detail text default null, field text default null)
    returns boolean
    language plpgsql as $$
begin
    if status is null or status not between 400 and 599 then
        raise exception 'trestle.refuse: status % is not from 400 to 599', status;
    end if;
    raise exception using
        errcode = 'PT' || status,
        message = code,
        detail = coalesce(refuse.detail, ''),
        hint = coalesce(field, '');
end
$$;
comment on function trestle.refuse(integer, text, text, text) is
    'Refuses the request: the transaction is rolled back and the client gets the HTTP status (400-599), the '
    'machine-readable code, one sentence of detail and the name of the field at fault. Never returns; typed boolean so '
    'that it fits into a condition.';

create function trestle.require_account() returns bigint
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    claims constant jsonb := nullif(current_setting('request.jwt.claims', true), '');
    caller constant bigint := trestle.account_id();
    issued constant numeric := case when jsonb_typeof(claims -> 'iat') = 'number' then claims -> 'iat' end;
    named constant text := replace(claims ->> 'sid', '-', '');
    session uuid;
begin
    if claims = '{}' is not false then
        perform trestle.refuse(401, 'AUTHENTICATION_REQUIRED');
    end if;
    -- what is no uuid names no session; a regular expression would cost as much as the look-up
    if length(named) = 32 and ltrim(named, '0123456789abcdefABCDEF') = '' then
        session := named;
    end if;
    perform
    from trestle.account a
    left join trestle.session s on s.sid = session
    where a.id = caller
      and a.is_active
      and (a.tokens_not_before is null or issued >= extract(epoch from a.tokens_not_before))
      and (named is null or s.account_id = a.id and s.revoked_at is null and s.abs_expires_at > now());
    if not found then
        perform trestle.refuse(401, 'INVALID_TOKEN');
    end if;
    return caller;
end
$$;
comment on function trestle.require_account() is
    'The caller''s account id, if his token still holds. Errors: 401 AUTHENTICATION_REQUIRED when the caller is anonymous; '
    '401 INVALID_TOKEN when sub is no id or names an account that is gone or disabled, when the token was issued before the '
    'account''s tokens_not_before, or when the session that sid names is missing, revoked, over or another account''s. A '
    'token without sid is judged by the account alone.';

create function trestle.timestamp_text(moment timestamptz) returns text
    language sql stable parallel safe
    return replace(to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), '.000Z', 'Z');
comment on function trestle.timestamp_text(timestamptz) is
    'A timestamp as YYYY-MM-DDTHH:MM:SSZ in UTC, with milliseconds only where they are not zero.';

grant execute on function
    trestle.claim(text),
    trestle.account_id(),
    trestle.refuse(integer, text, text, text),
    trestle.require_account(),
    trestle.timestamp_text(timestamptz)
    to :"anonymous", :"user";
