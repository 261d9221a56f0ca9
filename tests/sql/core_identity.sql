-- Core: registration, refresh of sessions, their end.
\ir setup.psql

select * from no_plan();

-- names and addresses
select is(trestle.normal_email(given), expected, 'address ' || given)
from (values ('a@B.Example', 'a@b.example'), (' A@b.CD ', 'A@b.cd'), (E'a@b.cd\n', 'a@b.cd'), ('ａ＠ｂ.ｃｄ', 'a@b.cd'), ('a@b@C', 'a@b@c')) as example(given, expected);
select is(trestle.normal_email(given), null, 'no address: ' || given) from unnest(array['', 'a']) as given;
select is(trestle.normal_name(' ｐｌａｙｅｒ '), 'player', 'a name in its compatibility form');
select throws_ok(format('update trestle.account set username = %L where id = tap.id(''owner'')', name), '23514', null, 'no username: ' || name)
from unnest(array['', 'a@b', 'a b', E'a\tb', repeat('x', 151)]) as name;
select ok(code ~ '^[1-9][0-9]{5}$', 'a code: ' || code) from (select trestle.random_code() from generate_series(1, 20)) as c(code);

-- registration at once
create table tap.made as select * from trestle.register(' New@Tap.TEST ', 'newbie', 'hash of new', null, null, '10 min', '192.0.2.1');
select results_eq($$select outcome, account_id = a.id, a.email, a.username, a.password_hash, a.email_verified_at is null
                    from tap.made, trestle.account a where a.email = 'New@tap.test'$$,
                  $$values ('made', true, 'New@tap.test', 'newbie', 'hash of new', true)$$, 'an account is made at once');
select results_eq('select trestle.decided_account()', 'select account_id from tap.made', 'and told to the statements behind it');
select is_empty('select from trestle.mail_outbox', 'without a mail');
create function tap.outcome(email text, username text default null, confirmed boolean default false) returns text language sql volatile return
    (select outcome from trestle.register(email, username, 'another hash', null, case when confirmed then gen_random_uuid() end, '10 min', null));
select is(tap.outcome('NEW@tap.test'), 'taken', 'an address is taken whatever its case');
select is_empty('select trestle.decided_account()', 'and nobody is told');
select is(tap.outcome('other@tap.test', 'NEWBIE'), 'username_taken', 'so is a username');
select is(tap.outcome(email), 'email', 'no address: ' || left(email, 20)) from unnest(array['', 'x', '@', 'a@', '@b', 'a b@c', 'a@b＠c', repeat('x', 250) || '@b.cd']) as email;
select is(tap.outcome('x@tap.test', name), 'username', 'no username: ' || left(name, 20)) from unnest(array['', ' ', 'a＠b', 'a b', repeat('x', 151)]) as name;
select is((select password_hash from trestle.account where email = 'New@tap.test'), 'hash of new', 'and nothing has changed');
select results_eq(format('select account_id, password_hash, confirmed from trestle.login_begin(%L)', name),
                  $$select account_id, 'hash of new', true from tap.made$$, 'sign-in by ' || name)
from unnest(array['new@tap.test', ' NEW@TAP.test ', 'newbie', 'NewBie']) as name;

-- registration with a code
create function tap.pend(email text, hash text, confirmation uuid, username text default null, fields jsonb default null) returns text
    language sql volatile return (select outcome from trestle.register(email, username, hash, fields, confirmation, '10 min', '192.0.2.7'));
create function tap.confirm(confirmation uuid, code text, completed boolean default false) returns text language sql volatile return
    (select coalesce(c.account_id::text, c.outcome) from trestle.register_confirm(confirmation, code, completed) c);
create function tap.code(nth integer) returns text language sql stable return
    (select parameters ->> 'code' from trestle.mail_outbox where kind = 'register' order by id offset nth - 1 limit 1);
select is(tap.pend('slow@tap.test', 'hash 1', '00000000-0000-0000-0000-000000000001'), 'pending', 'a registration waits for its code');
select results_eq($$select kind, recipient, a.email, parameters ? 'code', m.expires_at > now(), a.password_hash, a.email_verified_at
                    from trestle.mail_outbox m join trestle.account a on a.id = m.account_id$$,
                  $$values ('register', 'slow@tap.test', 'slow@tap.test', true, true, null::text, null::timestamptz)$$,
                  'which stands in the outbox; the account has no password');
select results_eq($$select code_hash = trestle.code_hash(id, tap.code(1)), strpos(c::text, tap.code(1)), address from trestle.one_time_code c$$,
                  $$values (true, 0, '192.0.2.7'::inet)$$, 'elsewhere the code is a hash');
select results_eq($$select password_hash, confirmed from trestle.login_begin('slow@tap.test')$$, $$values ('hash 1', false)$$, 'sign-in is told that it waits');
select is(tap.pend('SLOW@tap.test', 'hash 2', '00000000-0000-0000-0000-000000000002'), 'pending', 'it may be repeated');
select is((select count(*) from trestle.account where lower(email) = 'slow@tap.test'), 1::bigint, 'and stays one account');
select is(tap.outcome('slow@tap.test'), 'taken', 'which nobody gets at once');
select is(tap.confirm('00000000-0000-0000-0000-000000000001', tap.code(2)), 'wrong', 'the code of another registration does not count');
select is(tap.confirm('00000000-0000-0000-0000-000000000003', tap.code(1)), 'wrong', 'nor one without a registration');
select is((select attempts from trestle.one_time_code where id = '00000000-0000-0000-0000-000000000001'), 1, 'a wrong try is counted');
select is(tap.confirm('00000000-0000-0000-0000-000000000001', tap.code(1)), (select id::text from trestle.account where email = 'slow@tap.test'), 'the right one does');
select results_eq($$select password_hash, email_verified_at = now() from trestle.account where email = 'slow@tap.test'$$, $$values ('hash 1', true)$$,
                  'and brings the password of its own registration');
select is(tap.confirm('00000000-0000-0000-0000-000000000001', tap.code(1)), 'wrong', 'once');
select is(tap.confirm('00000000-0000-0000-0000-000000000002', tap.code(2)), 'wrong', 'other registrations of the address are void');
select is(tap.outcome('slow@tap.test', null, true), 'taken', 'a confirmed address is taken');
select results_eq($$select kind, recipient, parameters from trestle.mail_outbox order by id desc limit 1$$, $$values ('register_taken', 'slow@tap.test', '{}'::jsonb)$$,
                  'its owner gets a mail, without a code');

select is(tap.pend('tries@tap.test', 'hash', '00000000-0000-0000-0000-000000000011'), 'pending', 'another registration');
create function tap.last_code() returns text language sql stable return
    (select parameters ->> 'code' from trestle.mail_outbox where kind = 'register' order by id desc limit 1);
select is(tap.confirm('00000000-0000-0000-0000-000000000011', '000000'), 'wrong', 'wrong try ' || n) from generate_series(1, 5) as n;
select is(tap.confirm('00000000-0000-0000-0000-000000000011', tap.last_code()), 'wrong', 'after five wrong tries the right code is wrong');
select is(tap.pend('tries@tap.test', 'hash', '00000000-0000-0000-0000-000000000012'), 'pending', 'a new one');
update trestle.one_time_code set expires_at = now() where id::text like '%01_';
select is(tap.confirm('00000000-0000-0000-0000-000000000012', tap.last_code()), 'wrong', 'an expired code is wrong');
select is_empty($$select * from trestle.login_begin('tries@tap.test')$$, 'nor does sign-in know its password');
select is(tap.outcome('flood@tap.test', null, true), expected, 'mail ' || n) from (select n, case when n <= 5 then 'pending' else 'too_many' end from generate_series(1, 6) as n) as example(n, expected);
select is(tap.outcome('New@tap.test', null, true), expected, 'mail ' || n || ' to a taken address')
from (select n, case when n <= 5 then 'taken' else 'too_many' end from generate_series(1, 6) as n) as example(n, expected);
update trestle.mail_outbox set created_at = now() - interval '61 min';

-- what a registration asks for waits with its code
create function tap.account(address text) returns bigint language sql stable return (select id from trestle.account where email = address);
select is(tap.pend('name@tap.test', 'hash', '00000000-0000-0000-0000-000000000021', ' Wanted ', '{"a": 1}'), 'pending', 'a registration with a name');
create temporary table codes as select tap.last_code() as code;
select is(tap.pend('name@tap.test', 'hash', '00000000-0000-0000-0000-000000000022', 'other', '{"a": 2}'), 'pending', 'and its repetition with another');
select is(tap.pend('rival@tap.test', 'hash', '00000000-0000-0000-0000-000000000023', 'wanted'), 'pending', 'and another''s with the same');
create temporary table rival as select tap.last_code() as code;
select is_empty($$select username from trestle.account where email in ('name@tap.test', 'rival@tap.test') and username is not null$$, 'give no account a name');
select throws_ok($$select tap.confirm('00000000-0000-0000-0000-000000000021', (select code from codes))$$, '55000', null, 'fields need a profile function');
select is(tap.confirm('00000000-0000-0000-0000-000000000021', (select code from codes), true), tap.account('name@tap.test')::text, 'a code confirms');
select is(a.username, 'Wanted', 'and brings the name of its own registration') from trestle.account a where a.id = tap.account('name@tap.test');
select results_eq('select * from trestle.decided_registration()', $$values (tap.account('name@tap.test'), '{"a": 1}'::jsonb)$$, 'and its fields');
select throws_ok($$select tap.confirm('00000000-0000-0000-0000-000000000023', (select code from rival), true)$$, '55000', null, 'a profile function needs fields');
select is(tap.confirm('00000000-0000-0000-0000-000000000023', (select code from rival)), 'username_taken', 'a name belongs to who confirms first');
select is_empty('select * from trestle.decided_registration()', 'which is told to nobody');
select is((select password_hash from trestle.account where email = 'rival@tap.test'), null, 'and confirms nothing');
select is(tap.outcome(email, 'WANTED', true), 'username_taken', 'a name is taken whatever the address: ' || email)
from unnest(array['name@tap.test', 'rival@tap.test', 'unknown@tap.test']) as email;
select is(tap.outcome('flood@tap.test', null, true), 'pending', 'after an hour again');

-- sessions
create function tap.hash(sid uuid, seq integer) returns bytea language sql immutable return sha256((sid || ':' || seq)::bytea);
create function tap.open(sid uuid, name text default 'owner', client text default null, idle interval default '14 days',
                         absolute interval default '60 days') returns void language sql volatile return
    trestle.session_open(tap.id(name), null, sid, gen_random_uuid(), now() + idle, now() + absolute, 1::smallint, tap.hash(sid, 0), client, '192.0.2.1', 'agent');
create function tap.refresh(sid uuid, seq integer, grace interval default '10 s', uses integer default 10, client text default null, hash bytea default null) returns text
    language sql volatile return
    (select outcome from trestle.session_refresh(sid, seq, coalesce(hash, tap.hash(sid, seq)), tap.hash(sid, seq + 1), client, '14 days', grace, uses));
create function tap.state(sid uuid) returns text language sql stable return
    (select concat_ws(' ', s.head_seq, s.revoke_reason, s.revoked_at is not null,
                      (select string_agg(t.seq || coalesce('*' || t.grace_uses, ''), ',' order by t.seq) from trestle.refresh_token t where t.sid = s.sid))
     from trestle.session s where s.sid = state.sid);

select lives_ok($$select tap.open('00000000-0000-0000-0000-00000000a001')$$, 'a session with a refresh token');
select is(tap.state('00000000-0000-0000-0000-00000000a001'), '0 f 0*0', 'number 0 is its head');
select is(tap.refresh('00000000-0000-0000-0000-00000000a001', 0), 'rotated', 'the head rotates');
select results_eq('select trestle.decided_account()', $$select tap.id('owner')$$, 'for its account');
select is(tap.state('00000000-0000-0000-0000-00000000a001'), '1 f 0*0,1*0', 'to its successor');
select is(tap.refresh('00000000-0000-0000-0000-00000000a001', 0), 'repeated', 'the predecessor may come again');
select is(tap.state('00000000-0000-0000-0000-00000000a001'), '1 f 0*1,1*0', 'which is counted and makes no new token');
select is(tap.refresh('00000000-0000-0000-0000-00000000a001', 1), 'rotated', 'and the head rotates on');
select is(tap.state('00000000-0000-0000-0000-00000000a001'), '2 f 1*0,2*0', 'of the used ones the last is kept');
select is(tap.refresh('00000000-0000-0000-0000-00000000a001', 5), 'unknown', 'a number that was never given');
select is(tap.refresh('00000000-0000-0000-0000-00000000a001', -1), 'unknown', 'nor a negative one');
select is(tap.refresh('00000000-0000-0000-0000-00000000a001', 2, hash => sha256('x')), 'unknown', 'another hash');
select is(tap.refresh('00000000-0000-0000-0000-00000000a0ff', 0), 'unknown', 'another session');
select is(tap.state('00000000-0000-0000-0000-00000000a001'), '2 f 1*0,2*0', 'change nothing');
select is(tap.refresh('00000000-0000-0000-0000-00000000a001', 0), 'reused', 'one that is older than the predecessor');
select is_empty('select trestle.decided_account()', 'is for nobody');
select is(tap.state('00000000-0000-0000-0000-00000000a001'), '2 refresh: reused t 1*0,2*0', 'and ends the session');
select is(tap.refresh('00000000-0000-0000-0000-00000000a001', 2), 'revoked', 'also for its head');
create function tap.fresh(sid uuid) returns void language sql volatile begin atomic select tap.open(sid); select tap.refresh(sid, 0); end;
select tap.fresh('00000000-0000-0000-0000-00000000a002') \g /dev/null
select is(tap.refresh('00000000-0000-0000-0000-00000000a002', 0, grace => '0'), 'reused', 'without grace a predecessor is a reuse');
select tap.fresh('00000000-0000-0000-0000-00000000a003') \g /dev/null
update trestle.refresh_token set used_at = now() - interval '11 s' where sid = '00000000-0000-0000-0000-00000000a003' and seq = 0;
select is(tap.refresh('00000000-0000-0000-0000-00000000a003', 0), 'reused', 'and so it is after it');
select tap.fresh('00000000-0000-0000-0000-00000000a004') \g /dev/null
select is(tap.refresh('00000000-0000-0000-0000-00000000a004', 0, uses => 2), expected, 'time ' || n)
from (values (1, 'repeated'), (2, 'repeated'), (3, 'reused'), (4, 'revoked')) as example(n, expected);
select tap.open('00000000-0000-0000-0000-00000000a005', idle => '-1 s') \g /dev/null
select is(tap.refresh('00000000-0000-0000-0000-00000000a005', 0), 'expired', 'a session that idled too long');
select is(tap.refresh('00000000-0000-0000-0000-00000000a005', 0), 'revoked', 'is ended');
select tap.open('00000000-0000-0000-0000-00000000a006', absolute => '1 day', idle => '1 day') \g /dev/null
select is(tap.refresh('00000000-0000-0000-0000-00000000a006', 0), 'rotated', 'refresh');
select results_eq($$select idle_expires_at = abs_expires_at, abs_expires_at = now() + interval '1 day' from trestle.session where sid = '00000000-0000-0000-0000-00000000a006'$$,
                  'values (true, true)', 'never makes a session live longer');
update trestle.session set abs_expires_at = now() - interval '1 s', idle_expires_at = now() - interval '1 s' where sid = '00000000-0000-0000-0000-00000000a006';
select is(tap.refresh('00000000-0000-0000-0000-00000000a006', 1), 'expired', 'and then it is over');
select tap.open('00000000-0000-0000-0000-00000000a007', client => 'web') \g /dev/null
select is(tap.refresh('00000000-0000-0000-0000-00000000a007', 0, client => 'mobile'), 'mismatch', 'another client''s token');
select is(tap.refresh('00000000-0000-0000-0000-00000000a007', 0, client => 'web'), 'revoked', 'ends the session');
select tap.open('00000000-0000-0000-0000-00000000a008', client => 'web') \g /dev/null
select is(tap.refresh('00000000-0000-0000-0000-00000000a008', 0, client => 'web'), 'rotated', 'the same client''s does not');
select tap.open('00000000-0000-0000-0000-00000000a009') \g /dev/null
update trestle.session set family_key_id = null where sid = '00000000-0000-0000-0000-00000000a009';
select is(tap.refresh('00000000-0000-0000-0000-00000000a009', 0), 'unknown', 'a session without refresh tokens');
select tap.open('00000000-0000-0000-0000-00000000a00a', 'manager') \g /dev/null
select tap.open('00000000-0000-0000-0000-00000000a00b', 'manager') \g /dev/null
update trestle.account set tokens_not_before = now() + interval '1 s' where id = tap.id('manager');
select is(tap.refresh('00000000-0000-0000-0000-00000000a00a', 0), 'disabled', 'a token from before the password changed');
update trestle.account set tokens_not_before = null, disabled_at = now() where id = tap.id('manager');
select is(tap.refresh('00000000-0000-0000-0000-00000000a00b', 0), 'disabled', 'a disabled account''s');
update trestle.account set disabled_at = null where id = tap.id('manager');
select is(tap.refresh('00000000-0000-0000-0000-00000000a00b', 0), 'revoked', 'which stays ended when it is enabled again');

select throws_ok($$select trestle.session_open(tap.id('manager'), now(), gen_random_uuid(), gen_random_uuid(), now(), now(), null, null, null, null, null)$$,
                 'PT403', 'INVALID_CREDENTIALS', 'no session for a password that changed meanwhile');
select is(trestle.session_end('00000000-0000-0000-0000-00000000a008', tap.id('manager'), 'logout'), false, 'nobody ends another''s session');
select is(trestle.session_end('00000000-0000-0000-0000-00000000a008', tap.id('owner'), 'logout'), true, 'but his own');
select is(trestle.session_end('00000000-0000-0000-0000-00000000a008', null, 'logout'), false, 'once');
select is(tap.refresh('00000000-0000-0000-0000-00000000a008', 1, client => 'web'), 'revoked', 'its refresh token is dead');
select results_eq($$select trestle.account_json(tap.id('owner'))::jsonb - 'created' - 'last_login'$$,
                  $$select jsonb_build_object('id', tap.id('owner'), 'email', 'owner@tap.test', 'username', null, 'email_verified', true)$$, 'what an owner is told');
select * from finish();
rollback;
