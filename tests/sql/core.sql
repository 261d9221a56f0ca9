-- Core: caller, refusals, timestamps, accounts, sign-in.
\ir setup.psql

select * from no_plan();

-- the caller
select is(trestle.account_id(), null, 'no claims: anonymous');
create function tap.account_of(claims text) returns bigint language plpgsql as $$
begin
    perform set_config('request.jwt.claims', claims, true);
    return trestle.account_id();
end
$$;
select is(tap.account_of(claims), expected, 'sub of ' || claims)
from (values ('', null::bigint), ('{}', null), ('{"sub":"12"}', 12), ('{"sub":12}', 12), ('{"sub":"12x"}', null), ('{"sub":"-1"}', null),
             ('{"sub":null}', null), ('{"sub":"999999999999999999"}', 999999999999999999), ('{"sub":"9999999999999999999"}', null),
             ('{"sub":" 1"}', null), ('{"sub":{"a":1}}', null)) as example(claims, expected);
select set_config('request.jwt.claims', '{"sub":"7","role":"x","admin":true,"scope":null}', true) \g /dev/null
select is(trestle.claim('role'), 'x', 'a claim of text');
select is(trestle.claim('admin'), 'true', 'a claim of another type, as text');
select is(trestle.claim('scope'), null, 'a null claim');
select is(trestle.claim('nothing'), null, 'a claim that is not there');
-- who may ask
create function tap.ask(claims text) returns text language plpgsql as $$
declare
    caller bigint;
begin
    perform set_config('request.jwt.claims', claims, true);
    perform set_config('role', 'videoplanet_user', true);
    caller := trestle.require_account();
    perform set_config('role', 'none', true);
    return caller;
exception when others then
    return concat_ws(' ', sqlstate, sqlerrm);
end
$$;
create function tap.token(name text, more jsonb default '{}') returns text language sql stable return
    (jsonb_build_object('sub', tap.id(name)::text, 'iat', 1800000000) || more)::text;
select is(tap.ask(claims), 'PT401 AUTHENTICATION_REQUIRED', 'anonymous: ' || claims) from unnest(array['', '{}', '{ }']) as claims;
select is(tap.ask(tap.token('owner')), tap.id('owner')::text, 'an account is enough where no session is named');
select is(tap.ask(tap.token('owner', '{"sid":null}')), tap.id('owner')::text, 'nor does null name one');
select is(tap.ask(jsonb_build_object('sub', sub)::text), 'PT401 INVALID_TOKEN', 'sub ' || coalesce(sub::text, 'null'))
from unnest(array['"abc"', '"-1"', '"1 "', '" 1"', '""', '"0"', '"99999999999999999999"', '"999999999999999999"', '{"a":1}', 'null']::jsonb[]) as sub;
select is(tap.ask('{"scope":"x"}'), 'PT401 INVALID_TOKEN', 'a token without sub');
insert into trestle.session (sid, account_id, jti, idle_expires_at, abs_expires_at, revoked_at)
select sid::uuid, tap.id(name), gen_random_uuid(), now() + ends, now() + ends, revoked
from (values ('00000000-0000-0000-0000-00000000000a', 'owner', interval '1 day', null::timestamptz),
             ('00000000-0000-0000-0000-00000000000b', 'owner', interval '1 day', now()),
             ('00000000-0000-0000-0000-00000000000c', 'owner', interval '0', null),
             ('00000000-0000-0000-0000-00000000000d', 'outsider', interval '1 day', null)) as example(sid, name, ends, revoked);
select is(tap.ask(tap.token('owner', jsonb_build_object('sid', sid))), coalesce(expected, tap.id('owner')::text), 'session: ' || what)
from (values ('00000000-0000-0000-0000-00000000000a', null, 'live'),
             ('00000000-0000-0000-0000-00000000000b', 'PT401 INVALID_TOKEN', 'revoked'),
             ('00000000-0000-0000-0000-00000000000c', 'PT401 INVALID_TOKEN', 'over'),
             ('00000000-0000-0000-0000-00000000000d', 'PT401 INVALID_TOKEN', 'somebody else''s'),
             ('00000000-0000-0000-0000-00000000000e', 'PT401 INVALID_TOKEN', 'missing'),
             ('', 'PT401 INVALID_TOKEN', 'empty'), ('x', 'PT401 INVALID_TOKEN', 'no uuid')) as example(sid, expected, what);
select is(tap.ask(tap.token('owner', '{"sid":{"a":1}}')), 'PT401 INVALID_TOKEN', 'session: an object');
update trestle.account set tokens_not_before = to_timestamp(1800000000) where id = tap.id('manager');
select is(tap.ask(tap.token('manager', jsonb_build_object('iat', iat))), coalesce(expected, tap.id('manager')::text), 'issued at ' || iat::text)
from (values (to_jsonb(1800000000), null), (to_jsonb(1799999999), 'PT401 INVALID_TOKEN'), (to_jsonb(1800000000.5), null), (to_jsonb(1e300), null),
             ('"1900000000"', 'PT401 INVALID_TOKEN'), ('null', 'PT401 INVALID_TOKEN')) as example(iat, expected);
update trestle.account set tokens_not_before = null, disabled_at = now() where id = tap.id('manager');
select is(tap.ask(tap.token('manager')), 'PT401 INVALID_TOKEN', 'a disabled account');
update trestle.account set disabled_at = null where id = tap.id('manager');
select is(tap.ask(tap.token('manager')), tap.id('manager')::text, 'and enabled again');
delete from trestle.account where id = tap.id('manager');
select is(tap.ask(tap.token('manager')), 'PT401 INVALID_TOKEN', 'a deleted account');
select is(tap.ask(tap.token('manager', '{"sid":"00000000-0000-0000-0000-00000000000a"}')), 'PT401 INVALID_TOKEN', 'even with a session that lives');
create function tap.each_call(number integer) returns numeric language plpgsql as $$
declare
    began timestamptz;
    best interval := '1 hour';
begin
    perform set_config('request.jwt.claims', tap.token('owner', '{"sid":"00000000-0000-0000-0000-00000000000a","user_id":1,"token_type":"session"}'), true);
    for round in 1..5 loop
        began := clock_timestamp();
        for i in 1..number loop
            perform trestle.require_account();
        end loop;
        best := least(best, clock_timestamp() - began);
    end loop;
    return round(extract(epoch from best) * 1000000 / number, 1);
end
$$;
create table tap.took as select tap.each_call(1000) as us;
select diag(format('require_account: %s us', us)) from tap.took;
select cmp_ok(us, '<', 100::numeric, 'asking who it is costs little') from tap.took; -- below 20; a loaded machine takes longer
select set_config('request.jwt.claims', '{}', true) \g /dev/null

-- refusals
select throws_ok($$select trestle.refuse(404, 'NOT_FOUND')$$, 'PT404', 'NOT_FOUND', 'a refusal has the status as SQLSTATE and the code as message');
create function tap.refusal(status integer, code text, detail text, field text) returns text language plpgsql as $$
declare
    d text;
    h text;
begin
    perform trestle.refuse(status, code, detail, field);
    return 'nothing';
exception when others then
    get stacked diagnostics d = pg_exception_detail, h = pg_exception_hint;
    return concat_ws('|', sqlstate, sqlerrm, d, h);
end
$$;
select is(tap.refusal(422, 'X', '자세한 설명', 'name'), 'PT422|X|자세한 설명|name', 'detail and field go with it');
select is(tap.refusal(503, 'X', null, null), 'PT503|X||', 'both may be missing');
select matches(tap.refusal(status, 'X', null, null), '^P0001\|trestle.refuse: status', 'status ' || coalesce(status::text, 'null') || ' is a mistake of the caller')
from unnest(array[200, 399, 600, null]) as status;

-- timestamps
select is(trestle.timestamp_text(moment), expected, 'timestamp ' || expected)
from (values ('2025-01-02 03:04:05+00'::timestamptz, '2025-01-02T03:04:05Z'), ('2025-01-02 03:04:05.5+00', '2025-01-02T03:04:05.500Z'),
             ('2025-01-02 03:04:05.0004+00', '2025-01-02T03:04:05Z'), ('2025-01-02 03:04:05+09', '2025-01-01T18:04:05Z')) as example(moment, expected);
select is(trestle.timestamp_text(null), null, 'no timestamp');

-- accounts
select throws_ok($$insert into trestle.account (email) values ('OWNER@tap.test')$$, '23505', null, 'an address is unique without regard to case');
select throws_ok(format('insert into trestle.account (email) values (%L)', email), '23514', null, 'no address: ' || left(email, 20))
from unnest(array['', 'x', '@', 'a@', '@b', 'a b@c', 'a@b@c', repeat('x', 250) || '@b.cd']) as email;
select lives_ok(format('insert into trestle.account (email) values (%L)', repeat('x', 249) || '@b.cd'), 'an address of 254 characters');
update trestle.account set email = 'new@tap.test', disabled_at = now() where id = tap.id('normal');
select results_eq($$select email, is_active from videoplanet.users where id = tap.id('normal')$$, $$values ('new@tap.test', false)$$,
                  'the profile follows address and state of the account');

-- sign-in
select results_eq($$select * from trestle.login_begin(' Owner@TAP.test ')$$, $$select tap.id('owner'), 'hash of owner', true, null::timestamptz$$,
                  'sign-in begins with account and hash, whatever the case of the address');
select is_empty($$select * from trestle.login_begin('nobody@tap.test')$$, 'an unknown address: no row');
select is_empty($$select * from trestle.login_begin('new@tap.test')$$, 'a disabled account: no row');
update trestle.account set password_hash = null where id = tap.id('outsider');
select is_empty($$select * from trestle.login_begin('outsider@tap.test')$$, 'an account without a password: no row');
select lives_ok($$select trestle.session_open(tap.id('owner'), null, '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002',
                                             now() + interval '28 days', now() + interval '28 days', null, null, null, '192.0.2.1', repeat('x', 600))$$,
                'sign-in is recorded');
select results_eq($$select s.account_id, s.jti, s.abs_expires_at = now() + interval '28 days', s.address, length(s.user_agent), a.last_login = now()
                    from trestle.session s join trestle.account a on a.id = s.account_id where sid = '00000000-0000-0000-0000-000000000001'$$,
                  $$select tap.id('owner'), '00000000-0000-0000-0000-000000000002'::uuid, true, '192.0.2.1'::inet, 512, true$$,
                  'with its address and a cut user agent, and the account with last_login');
select throws_ok($$select trestle.session_open(tap.id('normal'), null, gen_random_uuid(), gen_random_uuid(), now(), now(), null, null, null, null, null)$$,
                 'PT403', 'INVALID_CREDENTIALS', 'not for an account that was disabled meanwhile');
select is(trestle.login_rehash(tap.id('owner'), 'another', 'new'), false, 'a changed hash is not replaced');
select is(trestle.login_rehash(tap.id('owner'), 'hash of owner', 'new'), true, 'the old one is');
select is((select password_hash from trestle.account where id = tap.id('owner')), 'new', 'and the new one stays');

-- accounts that operators provide
create function tap.account(address text) returns text language sql stable return
    (select concat_ws('|', a.email, a.password_hash, a.email_verified_at is not null, a.tokens_not_before is not null)
     from trestle.account a where lower(a.email) = lower(address));
select isnt(trestle.provide_account(' Operator@tap.test ', 'H1'), null, 'an operator provides an account');
select is(tap.account('operator@tap.test'), 'Operator@tap.test|H1|t|f', 'verified, with its password');
select is(trestle.provide_account('operator@TAP.test', null), trestle.provide_account('Operator@tap.test', null), 'the same one when it is there');
select is(tap.account('operator@tap.test'), 'Operator@tap.test|H1|t|f', 'and without a hash it keeps its own');
select lives_ok($$select trestle.provide_account('owner@tap.test', 'H2')$$, 'another password for one that is there');
select is(tap.account('owner@tap.test'), 'owner@tap.test|H2|t|t', 'ends its tokens');
select is_empty($$select * from trestle.session where account_id = tap.id('owner') and revoked_at is null$$, 'and its sessions');
select throws_ok($$select trestle.provide_account('nobody@tap.test', null)$$, 'P0001', 'there is no account nobody@tap.test yet; give the password that it shall have');
select throws_like($$select trestle.provide_account('new@tap.test', 'H3')$$, '%is disabled%', 'a disabled account stays as it is');
select throws_like(format('select trestle.provide_account(%L, %L)', email, 'H4'), '%is no address%', 'no address: ' || left(email, 20))
from unnest(array['', 'x', '@', 'a@', '@b', 'a b@c', 'a@b@c', repeat('x', 250) || '@b.cd']) as email;
select throws_like($$select trestle.provide_account(null, 'H4')$$, '%is no address%', 'nor is null');
insert into trestle.account (email, password_hash) values ('unproved@tap.test', 'of a stranger');
select throws_like($$select trestle.provide_account('unproved@tap.test', null)$$, 'nobody has proved%', 'an unproved address is not taken over with its password');
select lives_ok($$select trestle.provide_account('unproved@tap.test', 'H5')$$, 'but with a new one');
select is(tap.account('unproved@tap.test'), 'unproved@tap.test|H5|t|t', 'which verifies it');

-- administrators
insert into trestle.account (email) values ('plain@tap.test');
create function tap.plain() returns bigint language sql stable return (select id from trestle.account where email = 'plain@tap.test');
select lives_ok($$select videoplanet.make_administrator(tap.plain())$$, 'an account without a profile becomes an administrator');
select results_eq($$select nickname, role, authz_version from videoplanet.users join trestle.account using (id) where id = tap.plain()$$,
                  $$values ('plain', 'admin', 1)$$, 'with a profile');
select lives_ok($$select videoplanet.make_administrator(tap.id('owner'))$$, 'and so does one with a profile');
select results_eq($$select nickname, role from videoplanet.users where id = tap.id('owner')$$, $$values ('Owner', 'admin')$$, 'which keeps the rest');
select throws_like($$select videoplanet.make_administrator(-1)$$, 'there is no account -1', 'no account');
select is_empty($$select rolname from pg_roles where rolname ~ '^videoplanet_(anonymous|user|login|hub|worker)$'
                  and (has_function_privilege(rolname, 'trestle.provide_account(text, text)', 'execute')
                       or has_function_privilege(rolname, 'videoplanet.make_administrator(bigint)', 'execute'))$$, 'the owner alone does this');

-- migrations
select ok((select count(*) > 5 and bool_and(checksum ~ '^[0-9a-f]{64}$') and bool_and(name ~ '^(core|videoplanet)/\d{4}_\w+\.sql$')
           from trestle.applied_migrations()), 'applied files with their checksums');
insert into trestle.migration (name, checksum) values ('videoplanet/sample/0001_x.sql', repeat('0', 64));
select is_empty($$select * from trestle.applied_migrations() where name like '%sample%'$$, 'sample data is no migration');
select * from finish();
rollback;
