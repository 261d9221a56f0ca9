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
select is(trestle.require_account(), 7::bigint, 'require_account answers the caller');
select set_config('request.jwt.claims', '{}', true) \g /dev/null
select throws_ok('select trestle.require_account()', 'PT401', 'AUTHENTICATION_REQUIRED', 'and refuses an anonymous one');

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
select results_eq($$select * from trestle.login_begin(' Owner@TAP.test ')$$, $$select tap.id('owner'), 'hash of owner'$$,
                  'sign-in begins with account and hash, whatever the case of the address');
select is_empty($$select * from trestle.login_begin('nobody@tap.test')$$, 'an unknown address: no row');
select is_empty($$select * from trestle.login_begin('new@tap.test')$$, 'a disabled account: no row');
update trestle.account set password_hash = null where id = tap.id('outsider');
select is_empty($$select * from trestle.login_begin('outsider@tap.test')$$, 'an account without a password: no row');
select lives_ok($$select trestle.login_complete(tap.id('owner'), '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002',
                                               now() + interval '28 days', '192.0.2.1', repeat('x', 600))$$, 'sign-in is recorded');
select results_eq($$select s.account_id, s.jti, s.abs_expires_at = now() + interval '28 days', s.address, length(s.user_agent), a.last_login = now()
                    from trestle.session s join trestle.account a on a.id = s.account_id where sid = '00000000-0000-0000-0000-000000000001'$$,
                  $$select tap.id('owner'), '00000000-0000-0000-0000-000000000002'::uuid, true, '192.0.2.1'::inet, 512, true$$,
                  'with its address and a cut user agent, and the account with last_login');
select throws_ok($$select trestle.login_complete(tap.id('normal'), gen_random_uuid(), gen_random_uuid(), now(), null, null)$$,
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
