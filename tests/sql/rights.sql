-- Who reaches which row with which verb: the table "Roles in a project" of the contract, for every table.
\ir setup.psql

-- Letters: Owner, Manager, Normal member, X outsider, Anonymous. The row is one of the project, or of the normal member.
create table tap.matrix (name text primary key, row text, column_name text, selects text, inserts text, updates text, deletes text, values text);
insert into tap.matrix values
('users',           'id = {normal}',          'nickname', 'OMN',  '',     'N',   '',    null),
('user_memos',      'user_id = {normal}',     'memo',     'N',    'OMNX', 'N',   'N',   '(user_id, date, memo) values ({me}, ''2025-01-01'', ''x'')'),
('stages',          'key = ''filming''',      'name',     'OMNX', '',     '',    '',    null),
('projects',        'id = {project}',         'name',     'OMN',  'OMNX', 'OM',  'OM',  '(user_id, name) values ({me}, ''x'')'),
('project_stages',  'project_id = {project}', 'end_date', 'OMN',  '',     'OM',  '',    '(project_id, key) values ({project}, ''filming'')'),
('project_members', 'user_id = {normal}',     'rating',   'OMN',  '',     'OM',  'OMN', '(project_id, user_id) values ({project}, {outsider})'),
('project_files',   'project_id = {project}', 'file_name', 'OMN', 'OM',   '',    'OM',  '(project_id, files, file_name, file_size, uploaded_by) values ({project}, ''f'', ''f'', 1, {me})'),
('project_memos',   'project_id = {project}', 'memo',     'OMN',  'OM',   '',    'OM',  '(project_id, user_id, date, memo) values ({project}, {me}, ''2025-01-01'', ''x'')'),
('project_invites', 'project_id = {project}', 'status',   'OM',   'OM',   'OM',  'OM',  '(project_id, email, token_hash, inviter_id) values ({project}, ''new@tap.test'', sha256(''new''), {me})'),
('recent_invitations', 'true',                'email',    '',     '',     '',    '',    '(email, project_id, inviter_id) values (''new@tap.test'', {project}, {me})'),
('milestones',      'project_id = {project}', 'name',     'OMN',  'OM',   'OM',  'OM',  '(project_id, name) values ({project}, ''x'')'),
('feedbacks',       'project_id = {project}', 'files',    'OMN',  '',     'OM',  '',    '(project_id) values ({project})'),
('feedback_items',  'project_id = {project}', 'status',   'OMN',  'OMN',  'OMN', 'N',   '(feedback_id, project_id, user_id, text) values ({room}, {project}, {me}, ''x'')'),
('feedback_reads',  'project_id = {project} and user_id = {normal}', 'created', 'N', 'OM', '', 'N', '(item_id, project_id, user_id) values ({item}, {project}, {me}) on conflict do nothing'),
('comments',        'project_id = {project}', 'content',  'OMN',  'OMN',  'N',   'N',   '(item_id, project_id, user_id, content) values ({item}, {project}, {me}, ''x'')'),
('reactions',       'project_id = {project}', 'kind',     'OMN',  'OMN',  '',    'N',   '(item_id, project_id, user_id, kind) values ({item}, {project}, {me}, ''x'')'),
('chat_messages',   'project_id = {project}', 'message',  'OMN',  'OMN',  '',    '',    '(project_id, user_id, message) values ({project}, {me}, ''x'')'),
('notifications',   'user_id = {normal}',     'read_at',  'N',    '',     'N',   'N',   '(user_id, kind, type, category) values ({me}, ''project'', ''x'', ''project'')'),
('activities',      'project_id = {project}', 'action',   'OMN',  '',     '',    '',    '(project_id, actor_id, action) values ({project}, {me}, ''x'')'),
('online_videos',   'true',                   'link',     'OMNXA', '',    '',    '',    '(link) values (''x'')'),
('sample_files',    'true',                   'file_name', 'OMNX', '',    '',    '',    '(sample_file, file_name) values (''x'', ''x'')');

create function tap.fill(template text, me text) returns text language sql stable
    return replace(replace(replace(replace(replace(replace(template,
        '{me}', coalesce(tap.id(me)::text, 'null')),
        '{normal}', tap.id('normal')::text),
        '{outsider}', tap.id('outsider')::text),
        '{project}', tap.project()::text),
        '{room}', (select id from videoplanet.feedbacks where project_id = tap.project())::text),
        '{item}', (select id from videoplanet.feedback_items where project_id = tap.project())::text);

insert into videoplanet.recent_invitations (email, project_id, inviter_id) values ('guest@tap.test', tap.project(), tap.id('owner'));

select * from no_plan();

select is(tap.reach(role.name, tap.fill(attempt.statement, role.name)) > 0, strpos(attempt.who, role.letter) > 0,
          format('%s: %s on %s', role.name, attempt.verb, matrix.name))
from tap.matrix
cross join lateral (values
    ('select', matrix.selects, format('select %I from videoplanet.%I where %s', column_name, matrix.name, row)),
    ('insert', matrix.inserts, format('insert into videoplanet.%I %s', matrix.name, coalesce(values, 'default values'))),
    ('update', matrix.updates, format('update videoplanet.%I set %I = %2$I where %s', matrix.name, column_name, row)),
    ('delete', matrix.deletes, format('delete from videoplanet.%I where %s', matrix.name, row))
) as attempt(verb, who, statement)
cross join (values ('owner', 'O'), ('manager', 'M'), ('normal', 'N'), ('outsider', 'X'), ('anonymous', 'A')) as role(name, letter)
order by matrix.name, attempt.verb, role.name;

select set_eq('select name from tap.matrix',
              $$select relname::text from pg_class where relnamespace = 'videoplanet'::regnamespace and relkind in ('r', 'p')$$,
              'the matrix covers every table');

-- somebody else's name cannot be put under one's own writing
select is(tap.reach(who, tap.fill(statement, 'manager')), 0::bigint, format('%s cannot write as manager: %s', who, split_part(statement, ' ', 3)))
from (values
    ('insert into videoplanet.projects (user_id, name) values ({me}, ''x'')'),
    ('insert into videoplanet.user_memos (user_id, date, memo) values ({me}, ''2025-01-01'', ''x'')'),
    ('insert into videoplanet.project_memos (project_id, user_id, date, memo) values ({project}, {me}, ''2025-01-01'', ''x'')'),
    ('insert into videoplanet.project_files (project_id, files, file_name, file_size, uploaded_by) values ({project}, ''f'', ''f'', 1, {me})'),
    ('insert into videoplanet.feedback_items (feedback_id, project_id, user_id, text) values ({room}, {project}, {me}, ''x'')'),
    ('insert into videoplanet.comments (item_id, project_id, user_id, content) values ({item}, {project}, {me}, ''x'')'),
    ('insert into videoplanet.reactions (item_id, project_id, user_id, kind) values ({item}, {project}, {me}, ''x'')'),
    ('insert into videoplanet.chat_messages (project_id, user_id, message) values ({project}, {me}, ''x'')')
) as attempt(statement)
cross join (values ('owner')) as role(who);

select is(tap.answer('owner', format('update videoplanet.projects set user_id = %s', tap.id('manager'))), 'refused 42501',
          'a project cannot be given away');
select is(tap.answer('manager', format('update videoplanet.project_members set user_id = %s', tap.id('outsider'))), 'refused 42501',
          'a membership cannot be moved to somebody else');
select is(tap.answer('manager', 'update videoplanet.users set role = ''admin'''), 'refused 42501', 'nobody makes himself admin');
select is(tap.answer('manager', 'update videoplanet.users set email = ''x@y'''), 'refused 42501', 'an address is not changed here');
select is(tap.answer('normal', 'update videoplanet.feedback_items set text = ''changed'' returning text'), 'changed',
          'the author changes his remark');
select is(tap.answer('owner', 'update videoplanet.feedback_items set text = ''changed'' returning text'),
          'refused PT403 PERMISSION_DENIED', 'the owner does not change another''s remark');
select is(tap.answer('manager', 'update videoplanet.feedback_items set status = ''closed'', priority = ''low'' returning status'), 'closed',
          'a manager changes status and priority of another''s remark');
select is(tap.answer('owner', 'select user_id from videoplanet.feedback_items'), 'refused 42501', 'the author of a remark is not readable');
select is(tap.answer('owner', 'select token_hash from videoplanet.project_invites'), 'refused 42501', 'the token of an invitation is not readable');
select is(tap.answer('owner', format('insert into videoplanet.projects (user_id, name) values (%s, ''x'') returning name', tap.id('owner'))), 'x',
          'a new project is visible to the statement that makes it');
select is(tap.answer('owner', format('delete from videoplanet.projects where id = %s returning id', tap.foreign_project())), null,
          'a foreign project stays');
select is(tap.answer('owner', format('insert into videoplanet.milestones (project_id, name) values (%s, ''x'')', tap.foreign_project())),
          'refused 42501', 'nothing is added to a foreign project');

-- who was invited sees it, once his address is verified
select is(tap.answer('outsider', 'select count(*) from videoplanet.project_invites'), '0', 'no invitation yet');
insert into videoplanet.project_invites (project_id, email, token_hash) values (tap.project(), 'OUTSIDER@tap.test', sha256('o'));
select is(tap.answer('outsider', 'select count(*) from videoplanet.project_invites'), '1', 'an invitation is seen by the one it is addressed to');
update trestle.account set email_verified_at = null where id = tap.id('outsider');
select is(tap.answer('outsider', 'select count(*) from videoplanet.project_invites'), '0', 'but not with an unverified address');

select is(tap.reach('manager', format('delete from videoplanet.project_members where user_id = %s', tap.id('manager'))), 1::bigint,
          'a manager leaves');
select * from finish();
rollback;
