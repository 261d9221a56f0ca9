-- What tables refuse, and what comes and goes by itself.
\ir setup.psql
select * from no_plan();

create function tap.room() returns bigint language sql stable return (select id from videoplanet.feedbacks where project_id = tap.project());
create function tap.item() returns bigint language sql stable return (select id from videoplanet.feedback_items where project_id = tap.project());
create function tap.comment() returns bigint language sql stable return (select min(id) from videoplanet.comments where project_id = tap.project());

-- made with a project
select results_eq($$select s.key, s.start_date, s.end_date from videoplanet.project_stages s join videoplanet.stages c using (key)
                    where s.project_id = tap.project() order by c.position$$,
    $$values ('basic_plan', null::timestamptz, null::timestamptz), ('story_board', null, null), ('filming', null, null), ('video_edit', null, null),
             ('post_work', null, null), ('video_preview', null, null), ('confirmation', null, null), ('video_delivery', null, null)$$,
    'a project has its eight stages without dates');
select results_eq($$select files, file_status from videoplanet.feedbacks where project_id = tap.project()$$, $$values (null, 'ready')$$,
    'and one screening room without a film');
select results_eq($$select key, phase from videoplanet.stages order by position$$,
    $$values ('basic_plan', 'planning'), ('story_board', 'planning'), ('filming', 'shooting'), ('video_edit', 'editing'),
             ('post_work', 'editing'), ('video_preview', 'review'), ('confirmation', 'review'), ('video_delivery', 'review')$$,
    'stages have the order and phases of the contract');
select matches((select color from videoplanet.projects where id = tap.project()), '^#[0-9A-F]{6}$', 'a project gets a colour');
select results_eq($$select manager, consumer, description, status, progress, details from videoplanet.projects where id = tap.project()$$,
    $$values ('', '', '', null::text, null::smallint, '{}'::jsonb)$$, 'defaults of a project');
select results_eq($$select nickname, login_method, role, phone, company, profile_image from videoplanet.users where id = tap.id('owner')$$,
    $$values ('Owner', 'email', 'client', '', '', null::text)$$, 'defaults of a person');
select results_eq($$select type, status, priority, seconds from videoplanet.feedback_items$$, $$values ('comment', 'open', 'medium', 65::numeric)$$,
    'defaults of a remark; seconds come from its section');
select results_eq($$select status, expires_at = now() + interval '14 days', sent_count from videoplanet.project_invites$$, $$values ('pending', true, 0)$$,
    'defaults of an invitation');

-- refused: statement, SQLSTATE
select throws_ok(format(statement, variadic array[tap.project()::text, tap.id('owner')::text, tap.room()::text, tap.item()::text, tap.comment()::text]), code, null,
                 format('%s: %s', code, left(statement, 90)))
from (values
    ('insert into videoplanet.projects (user_id, name) values (%2$s, '''')', '23514'),
    ('insert into videoplanet.projects (user_id, name) values (%2$s, repeat(''x'', 101))', '23514'),
    ('insert into videoplanet.projects (user_id, name, manager) values (%2$s, ''x'', repeat(''x'', 51))', '23514'),
    ('insert into videoplanet.projects (user_id, name, consumer) values (%2$s, ''x'', repeat(''x'', 51))', '23514'),
    ('insert into videoplanet.projects (user_id, name, color) values (%2$s, ''x'', ''red'')', '23514'),
    ('insert into videoplanet.projects (user_id, name, status) values (%2$s, ''x'', ''done'')', '23514'),
    ('insert into videoplanet.projects (user_id, name, progress) values (%2$s, ''x'', 101)', '23514'),
    ('insert into videoplanet.projects (user_id, name, progress) values (%2$s, ''x'', -1)', '23514'),
    ('insert into videoplanet.projects (user_id, name, details) values (%2$s, ''x'', ''[]'')', '23514'),
    ('insert into videoplanet.projects (user_id, name) values (0, ''x'')', '23503'),
    ('update videoplanet.users set role = ''root'' where id = %2$s', '23514'),
    ('update videoplanet.users set login_method = ''x'' where id = %2$s', '23514'),
    ('update videoplanet.users set nickname = repeat(''x'', 101) where id = %2$s', '23514'),
    ('update videoplanet.users set phone = repeat(''1'', 31) where id = %2$s', '23514'),
    ('update videoplanet.users set login_method = ''kakao'', social_id = ''1''', '23505'),
    ('insert into videoplanet.users (id, email) values (%2$s, ''owner@tap.test'')', '23505'),
    ('update videoplanet.users set email = ''other@tap.test'' where id = %2$s', '23503'),
    ('insert into videoplanet.user_memos (user_id, date, memo) values (%2$s, ''2025-01-01'', '''')', '23514'),
    ('insert into videoplanet.user_memos (user_id, memo) values (%2$s, ''x'')', '23502'),
    ('insert into videoplanet.project_stages (project_id, key) values (%1$s, ''filming'')', '23505'),
    ('insert into videoplanet.project_stages (project_id, key) values (%1$s, ''ninth'')', '23503'),
    ('update videoplanet.project_stages set start_date = now(), end_date = now() - interval ''1 s''', '23514'),
    ('insert into videoplanet.project_members (project_id, user_id) select project_id, user_id from videoplanet.project_members', '23505'),
    ('update videoplanet.project_members set rating = ''owner''', '23514'),
    ('insert into videoplanet.project_members (project_id, user_id) values (%1$s, %2$s)', 'PT409'),
    ('insert into videoplanet.project_files (project_id, files, file_name, file_size) values (%1$s, ''f'', ''f'', -1)', '23514'),
    ('insert into videoplanet.project_memos (project_id, date, memo) values (%1$s, ''2025-01-01'', '''')', '23514'),
    ('insert into videoplanet.project_invites (project_id, email, token_hash) values (%1$s, ''Guest@tap.test'', sha256(''2''))', '23505'),
    ('insert into videoplanet.project_invites (project_id, email, token_hash) values (%1$s, ''b@tap.test'', sha256(''guest''))', '23505'),
    ('insert into videoplanet.project_invites (project_id, email, token_hash) values (%1$s, ''b@tap.test'', ''short'')', '23514'),
    ('insert into videoplanet.project_invites (project_id, email, token_hash) values (%1$s, ''nobody'', sha256(''3''))', '23514'),
    ('update videoplanet.project_invites set status = ''lost''', '23514'),
    ('insert into videoplanet.milestones (project_id, name) values (%1$s, repeat(''x'', 201))', '23514'),
    ('insert into videoplanet.milestones (project_id, name, progress) values (%1$s, ''x'', 101)', '23514'),
    ('insert into videoplanet.feedbacks (project_id) values (%1$s)', '23505'),
    ('update videoplanet.feedbacks set file_status = ''gone''', '23514'),
    ('insert into videoplanet.feedback_items (feedback_id, project_id, user_id, text) values (%3$s, %1$s + 1, %2$s, ''x'')', '23503'),
    ('update videoplanet.feedback_items set type = ''x''', '23514'),
    ('update videoplanet.feedback_items set status = ''x''', '23514'),
    ('update videoplanet.feedback_items set priority = ''x''', '23514'),
    ('update videoplanet.feedback_items set tags = ''{1,2,3,4,5,6,7,8,9,10,11}''', '23514'),
    ('update videoplanet.feedback_items set seconds = -1', '23514'),
    ('insert into videoplanet.comments (item_id, project_id, user_id, content) values (%4$s, %1$s, %2$s, '''')', '23514'),
    ('insert into videoplanet.comments (item_id, project_id, user_id, content) values (%4$s, %1$s, %2$s, repeat(''x'', 2001))', '23514'),
    ('insert into videoplanet.comments (item_id, project_id, user_id, content, parent_id) values (%4$s, %1$s, %2$s, ''x'', 0)', '23503'),
    ('insert into videoplanet.comments (item_id, project_id, user_id, content, client_id) select %4$s, %1$s, %2$s, ''x'', ''c'' from generate_series(1, 2)', '23505'),
    ('insert into videoplanet.reactions (item_id, project_id, user_id, kind) select item_id, project_id, user_id, kind from videoplanet.reactions', '23505'),
    ('insert into videoplanet.reactions (item_id, comment_id, project_id, user_id, kind) values (%4$s, %5$s, %1$s, %2$s, ''like'')', '23514'),
    ('insert into videoplanet.reactions (project_id, user_id, kind) values (%1$s, %2$s, ''like'')', '23514'),
    ('insert into videoplanet.reactions (comment_id, project_id, user_id, kind) values (%5$s, %1$s, %2$s, repeat(''x'', 17))', '23514'),
    ('insert into videoplanet.chat_messages (project_id, user_id, message) values (%1$s, %2$s, '''')', '23514'),
    ('insert into videoplanet.chat_messages (project_id, user_id, message) values (%1$s, %2$s, repeat(''x'', 5001))', '23514'),
    ('insert into videoplanet.notifications (user_id, kind, type, category) values (%2$s, ''x'', ''x'', ''project'')', '23514'),
    ('insert into videoplanet.notifications (user_id, kind, type, category) values (%2$s, ''project'', ''x'', ''x'')', '23514'),
    ('insert into videoplanet.notifications (user_id, kind, type, category, priority) values (%2$s, ''project'', ''x'', ''project'', ''x'')', '23514')
) as refused(statement, code);

-- accepted
select lives_ok(format(statement, variadic array[tap.project()::text, tap.id('owner')::text, tap.room()::text, tap.item()::text, tap.comment()::text]), left(statement, 90))
from (values
    ('insert into videoplanet.projects (user_id, name, manager, consumer, color, status, progress) values (%2$s, repeat(''가'', 100), repeat(''나'', 50), '''', ''#00aaFF'', ''on_hold'', 100)'),
    ('update videoplanet.project_stages set start_date = now(), end_date = now()'),
    ('update videoplanet.project_stages set start_date = null, end_date = now()'),
    ('update videoplanet.project_invites set status = ''cancelled''; insert into videoplanet.project_invites (project_id, email, token_hash) values (%1$s, ''GUEST@tap.test'', sha256(''4''))'),
    ('insert into videoplanet.comments (item_id, project_id, user_id, content, parent_id) values (%4$s, %1$s, %2$s, repeat(''x'', 2000), %5$s)'),
    ('insert into videoplanet.reactions (comment_id, project_id, user_id, kind) values (%5$s, %1$s, %2$s, ''👍'')')
) as accepted(statement);

-- goes with what it hangs on
update videoplanet.milestones set updated = '2020-01-01', name = 'Fine cut';
select is((select updated from videoplanet.milestones), now(), 'a change sets updated');
delete from videoplanet.comments where id = tap.comment();
select is((select count(*) from videoplanet.comments), 0::bigint, 'replies go with their parent');
delete from trestle.account where id = tap.id('manager');
select results_eq($$select user_id, memo from videoplanet.project_memos$$, $$values (null::bigint, 'project memo')$$, 'a memo outlives its writer');
delete from videoplanet.projects where id = tap.project();
select is_empty(format('select id from videoplanet.%I where project_id is not null and project_id <> tap.foreign_project()
                        and project_id not in (select id from videoplanet.projects)', name), name || ' go with the project')
from unnest(array['project_stages', 'project_members', 'project_files', 'project_memos', 'project_invites', 'milestones', 'feedbacks',
                  'feedback_items', 'comments', 'reactions', 'chat_messages', 'notifications', 'activities']) as name;
delete from trestle.account where id = tap.id('outsider');
select is_empty($$select id from videoplanet.users where id = tap.id('outsider') union all select id from videoplanet.projects where user_id = tap.id('outsider')$$,
    'a person and his projects go with the account');
select * from finish();
rollback;
