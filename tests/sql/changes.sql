-- Who may do what by the functions of api that write: owner, manager, normal member, outsider, anonymous.
\ir setup.psql
select * from no_plan();

insert into videoplanet.project_invites (project_id, email, token_hash, inviter_id)
values (tap.project(), 'outsider@tap.test', sha256('outsider''s'), tap.id('owner'));
create function tap.memo() returns bigint language sql stable return (select id from videoplanet.project_memos);
create function tap.own_memo() returns bigint language sql stable return (select id from videoplanet.user_memos);
create function tap.remark() returns bigint language sql stable return (select id from videoplanet.feedback_items);
create function tap.invitation() returns bigint language sql stable return (select id from videoplanet.project_invites where email = 'guest@tap.test');
create function tap.uid(project bigint) returns text language sql stable
    return rtrim(translate(encode(project::text::bytea, 'base64'), '+/', '-_'), '=');

-- 200 or the status of the refusal, in this order: Owner, Manager, Normal member, outsider (X), Anonymous
create table tap.calls (call text primary key, o integer, m integer, n integer, x integer, a integer);
insert into tap.calls values
('api.project_create(''{"name": "x"}'')',                                          200, 200, 200, 200, 401),
('api.project_update({project}, ''{"name": "x"}'')',                               200, 200, 403, 403, 401),
('api.project_update({project})',                                                  200, 200, 403, 403, 401),
('api.project_update({project}, members => ''[{"id": {membership}, "rating": "manager"}]'')', 200, 200, 403, 403, 401),
('api.project_delete({project})',                                                  200, 200, 403, 403, 401),
('api.project_dates(''{"key": "filming", "start_date": null}'', {project})',       200, 200, 403, 403, 401),
('api.project_dates(''{"filming": {"start_date": "2025-08-04"}}'', {project})',    200, 200, 403, 403, 401),
('api.project_memo_create({project}, ''2025-08-04'', ''x'')',                      200, 200, 403, 403, 401),
('api.project_memo_create({project}, memo => '''')',                               200, 200, 403, 403, 401),
('api.project_memo_delete({memo})',                                                200, 200, 403, 403, 401),
('api.project_memo_delete({project}, {memo})',                                     200, 200, 403, 403, 401),
('api.project_invite({project}, ''new@tap.test'')',                                200, 200, 403, 403, 401),
('api.project_invite_cancel({project}, {invitation})',                             200, 200, 403, 403, 401),
('api.invitation_accept({uid}, ''outsider''''s'')',                                400, 400, 400, 200, 401),
('api.invitation_accept({uid}, ''guest'')',                                        400, 400, 400, 400, 401),
('api.feedback_detail({project})',                                                 200, 200, 200, 403, 401),
('api.remark_create({project}, ''01:00'', ''x'')',                                 200, 200, 200, 403, 401),
('api.remark_delete({remark})',                                                    403, 403, 200, 403, 401),
('api.user_memo_list()',                                                           200, 200, 200, 200, 401),
('api.user_memo_create(memo => ''x'')',                                            200, 200, 200, 200, 401),
('api.user_memo_delete({own_memo})',                                               403, 403, 200, 403, 401),
('api.project_update({absent})',                                                   404, 404, 404, 404, 401),
('api.project_delete({absent})',                                                   404, 404, 404, 404, 401),
('api.project_dates(''{"key": "filming"}'', {absent})',                            404, 404, 404, 404, 401),
('api.project_memo_create({absent}, memo => ''x'')',                               404, 404, 404, 404, 401),
('api.project_memo_delete({absent})',                                              404, 404, 404, 404, 401),
('api.project_invite({absent}, ''new@tap.test'')',                                 404, 404, 404, 404, 401),
('api.project_invite_cancel({absent}, 1)',                                         404, 404, 404, 404, 401),
('api.feedback_detail({absent})',                                                  404, 404, 404, 404, 401),
('api.remark_create({absent}, ''01:00'', ''x'')',                                  404, 404, 404, 404, 401),
('api.remark_delete({absent})',                                                    404, 404, 404, 404, 401),
('api.user_memo_delete({absent})',                                                 404, 404, 404, 404, 401);

create function tap.filled(call text) returns text language plpgsql stable as $$
declare
    part record;
begin
    for part in select * from (values
        ('{project}', tap.project()::text), ('{absent}', '0'), ('{memo}', tap.memo()::text), ('{own_memo}', tap.own_memo()::text),
        ('{remark}', tap.remark()::text), ('{invitation}', tap.invitation()::text), ('{uid}', quote_literal(tap.uid(tap.project()))),
        ('{membership}', (select id::text from videoplanet.project_members where user_id = tap.id('normal')))) as known(name, value) loop
        call := replace(call, part.name, part.value);
    end loop;
    return call;
end
$$;
select is(coalesce(substring(tap.answer(role.name, 'select ' || tap.filled(call)) from '^refused PT(\d+)')::integer, 200), role.expected,
          role.name || ': ' || call)
from tap.calls
cross join lateral (values ('owner', o), ('manager', m), ('normal', n), ('outsider', x), ('anonymous', a)) as role(name, expected)
order by call, role.name;

select set_eq($$select distinct substring(call from '^api\.(\w+)') from tap.calls$$,
              $$select proname::text from pg_proc where pronamespace = 'api'::regnamespace and (provolatile = 'v' or proname in ('feedback_detail', 'user_memo_list'))$$,
              'every function that writes is in the table');

-- what stands behind the functions: the rows themselves
select is(tap.reach('normal', format('select from videoplanet.projects where id = %s for no key update', tap.project())), 0::bigint,
          'a normal member cannot hold a project');
select is(tap.reach(who, 'insert into videoplanet.activities (project_id, action) values (tap.project(), ''x'')'), 0::bigint, who || ' writes no timeline')
from unnest(array['owner', 'outsider']) as who;
select is(tap.reach('owner', format('insert into videoplanet.notifications (user_id, kind, type, category) values (%s, ''project'', ''x'', ''project'')', tap.id('normal'))),
          0::bigint, 'nobody tells others by himself');

-- the author of an anonymous remark
select is(tap.answer(who, format('select api.feedback_detail(%s) -> ''result'' -> ''feedback'' -> 0 ->> ''nickname''', tap.project())), nickname, 'an anonymous remark before ' || who)
from (values ('owner', ''), ('manager', ''), ('normal', 'Normal')) as example(who, nickname);

-- days and moments, whatever the session's time zone is
create function tap.moment(written text) returns text language plpgsql as $$
begin
    return trestle.timestamp_text(videoplanet.moment(written, 'f'));
exception when sqlstate 'PT400' then
    return 'refused';
end
$$;
select is(tap.moment(written), expected, coalesce(written, 'null') || zone)
from (values ('UTC'), ('Asia/Seoul'), ('America/New_York')) as session(zone)
cross join lateral (select set_config('timezone', zone, true)) as set
cross join (values
    ('2025-8-4', '2025-08-03T15:00:00Z'), (' 2025-08-04 ', '2025-08-03T15:00:00Z'), ('2025-08-04T01:02:03Z', '2025-08-04T01:02:03Z'),
    ('2025-08-04t01:02:03.456z', '2025-08-04T01:02:03.456Z'), ('2025-08-04T01:02:03+09:00', '2025-08-03T16:02:03Z'),
    ('2025-08-04T01:02-0330', '2025-08-04T04:32:00Z'), ('2025-08-04 01:02', '2025-08-03T16:02:00Z'), ('2025-08-04T01:02:03+09', '2025-08-03T16:02:03Z'),
    ('2024-02-29', '2024-02-28T15:00:00Z'), ('2025-02-29', 'refused'), ('1899-01-01', 'refused'), ('infinity', 'refused'), ('now', 'refused'),
    ('2025-08-04T01:02:03 Asia/Seoul', 'refused'), ('2025-08-04 AD', 'refused'), ('20250804', 'refused'), ('', 'refused'), (null, null),
    ('2025-00-01', 'refused'), ('2025-08-04T99:00', 'refused'), ('2025-08-04T01:02+99', 'refused')) as example(written, expected);
set local timezone = 'UTC';

select is(videoplanet.read_uid(tap.uid(id)), id, 'uid of ' || id) from unnest(array[0, 1, 12, 123, 1234, 999999999999999999]) as id;
select matches(videoplanet.invitation_token(), '^[A-Za-z0-9_-]{43}$', 'a token for a link');

-- the mail of an invitation
select is(tap.reach(who, 'select from trestle.mail_outbox'), 0::bigint, who || ' does not read what is to be mailed')
from unnest(array['owner', 'outsider', 'anonymous']) as who;
select lives_ok(format('select videoplanet.mail_invitation(%s, %L)', tap.invitation(), token), 'a mail with token ' || token) from unnest(array['guest', 'another']) as token;
select results_eq('select recipient, parameters ->> ''token'' from trestle.mail_outbox', $$values ('guest@tap.test', 'guest')$$, 'only the invitation''s own token is mailed');
update videoplanet.project_invites set status = 'cancelled' where id = tap.invitation();
select is_empty('select from trestle.mail_outbox', 'a cancelled invitation is not mailed');

-- what an operator or a migration writes is no event
select is((select count(*) from videoplanet.notifications), 1::bigint, 'nobody was told of what the owner role wrote');
select is((select count(*) from videoplanet.activities), 1::bigint, 'and no timeline grew');
select * from finish();
rollback;
