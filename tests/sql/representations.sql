-- What clients are shown: each field of the contract is there, under all its names, with the right type.
\ir setup.psql
select * from no_plan();
select set_config('request.public_url', 'https://vp.example', true) \g /dev/null

-- The value of a path in a project, a remark as somebody sees it.
create function tap.project_as(name text) returns jsonb language plpgsql as $$
begin
    return tap.answer(name, format('select videoplanet.project_json(array[%s]) -> 0', tap.project()))::jsonb;
end
$$;
create function tap.remark_as(name text) returns jsonb language plpgsql as $$
begin
    return (select tap.answer(name, format('select videoplanet.remark_json(array[%s]) -> 0', id))::jsonb
            from videoplanet.feedback_items where project_id = tap.project());
end
$$;
-- The members of an object with their types, one word each: what must be there and nothing else.
create function tap.shape(object jsonb) returns setof text language sql stable
    return (select string_agg(key, ' ') from (select key from jsonb_object_keys(object) as key order by key collate "C") as keys);
create function tap.names(list text) returns text language sql immutable
    return (select string_agg(name, ' ' order by name collate "C") from regexp_split_to_table(btrim(list, E' \n'), '\s+') as name);

create table tap.second (id bigint);
with p as (insert into videoplanet.projects (user_id, name) values (tap.id('owner'), 'A second') returning id) insert into tap.second select id from p;
update videoplanet.projects
set details = '{"budget": 5000, "shooting_location": "서울", "secret": 1}', created = '2025-01-02 03:04:05.678+00', description = 'About', manager = 'Kim',
    consumer = 'Lee', color = '#112233'
where id = tap.project();
alter table videoplanet.projects disable trigger touch;
update videoplanet.projects set updated = '2025-01-03 00:00:00+00' where id = tap.project();
update videoplanet.project_stages set start_date = '2025-01-01 00:00+09', end_date = '2025-01-05 00:00+09' where project_id = tap.project() and key = 'basic_plan';
update videoplanet.project_stages set start_date = '2025-02-01 00:00+09', end_date = '2999-02-05 00:00+09' where project_id = tap.project() and key = 'filming';
update videoplanet.project_members set created = '2025-01-04 00:00:00+00';
update videoplanet.project_files set created = '2025-01-04 00:00:00+00';

select is((select array_agg(value ->> 'name' order by place)
           from json_array_elements(tap.answer('owner', format('select videoplanet.project_json(array[0, %s, %s, %s])', tap.foreign_project(), tap.project(), p.id))::json)
                with ordinality as listed(value, place)),
          array['The project', 'A second'], 'projects come in the order asked for, without those out of reach')
from tap.second p;
delete from videoplanet.projects where name = 'A second';

-- project ------------------------------------------------------------------------------------------------------------
select is(tap.shape(tap.project_as('owner')), tap.names('
    id name title project_name description overview manager project_manager_name consumer clientName brand_name color status progress phase
    first_date start_date end_date deadline basic_plan story_board filming video_edit post_work video_preview confirmation video_delivery phases
    owner_id owner_email owner_nickname owner member_list members pending_list files memo memo_list milestones created updated created_at updated_at
    createdAt updatedAt isActive reference_link budget project_manager_phone additional_requests shooting_location shooting_date actor_budget
    location_budget props_budget costume_budget'), 'members of a project');
select is(tap.project_as('owner') -> field, to_jsonb(value), 'project: ' || field)
from (values ('name', 'The project'), ('title', 'The project'), ('project_name', 'The project'), ('description', 'About'), ('overview', 'About'),
             ('manager', 'Kim'), ('project_manager_name', 'Kim'), ('consumer', 'Lee'), ('clientName', 'Lee'), ('brand_name', 'Lee'), ('color', '#112233'),
             ('status', 'in_progress'), ('phase', 'shooting'), ('first_date', '2024-12-31T15:00:00Z'), ('start_date', '2024-12-31T15:00:00Z'),
             ('end_date', '2999-02-04T15:00:00Z'), ('deadline', '2999-02-04T15:00:00Z'), ('owner_email', 'owner@tap.test'), ('owner_nickname', 'Owner'),
             ('created', '2025-01-02T03:04:05.678Z'), ('created_at', '2025-01-02T03:04:05.678Z'), ('createdAt', '2025-01-02T03:04:05.678Z'),
             ('updated', '2025-01-03T00:00:00Z'), ('updated_at', '2025-01-03T00:00:00Z'), ('updatedAt', '2025-01-03T00:00:00Z'),
             ('shooting_location', '서울')) as field(field, value);
select is(tap.project_as('owner') -> field, value, 'project: ' || field)
from (values ('id', to_jsonb(tap.project())), ('owner_id', to_jsonb(tap.id('owner'))), ('progress', '50'), ('isActive', 'true'), ('budget', '5000'),
             ('reference_link', 'null'), ('basic_plan', '{"start_date": "2024-12-31T15:00:00Z", "end_date": "2025-01-04T15:00:00Z", "key": "basic_plan"}'),
             ('video_delivery', '{"start_date": null, "end_date": null, "key": "video_delivery"}'),
             ('owner', jsonb_build_object('id', tap.id('owner'), 'name', 'Owner', 'email', 'owner@tap.test'))) as field(field, value);
select is(tap.project_as('owner') -> 'phases' -> 'filming', '{"id": "filming", "key": "filming", "name": "촬영", "order": 3, "color": "#D35400",
    "startDate": "2025-01-31T15:00:00Z", "endDate": "2999-02-04T15:00:00Z", "start_date": "2025-01-31T15:00:00Z", "end_date": "2999-02-04T15:00:00Z"}', 'a phase');
select is(tap.shape(tap.project_as('owner') -> 'phases'), tap.names('basic_plan story_board filming video_edit post_work video_preview confirmation video_delivery'),
    'all phases');
select is(tap.project_as('owner') -> 'member_list' -> 0, jsonb_build_object('id', m.id, 'user_id', m.user_id, 'rating', 'manager', 'email', 'manager@tap.test',
    'nickname', 'Manager', 'joined_date', '2025-01-04T00:00:00Z', 'is_active', true), 'a membership')
from videoplanet.project_members m where m.user_id = tap.id('manager');
select is(jsonb_array_length(tap.project_as('owner') -> 'member_list'), 2, 'the owner is not in member_list');
select is(jsonb_path_query_array(tap.project_as('owner'), '$.members[*].role'), '["owner", "admin", "editor"]', 'members: the owner first, with roles');
select is(tap.project_as('owner') -> 'members' -> 2, jsonb_build_object('id', id, 'user_id', id, 'userId', id, 'name', 'Normal', 'user_name', 'Normal', 'userName', 'Normal',
    'email', 'normal@tap.test', 'user_avatar', null, 'role', 'editor', 'joined_at', '2025-01-04T00:00:00Z', 'is_online', false), 'a member')
from tap.who where name = 'normal';
select is(tap.project_as('owner') -> 'files' -> 0, jsonb_build_object('id', id, 'file_name', 'project_file/plan.pdf', 'files', 'https://vp.example/media/project/abc.pdf',
    'upload_date', '2025-01-04T00:00:00Z', 'file_size', 12, 'file_type', 'application/octet-stream', 'thumbnail', null), 'a file')
from videoplanet.project_files;
select is(tap.project_as('owner') -> 'memo', tap.project_as('owner') -> 'memo_list', 'memo and memo_list are the same');
select is(tap.project_as('owner') -> 'memo' -> 0, jsonb_build_object('id', id, 'date', '2025-08-05', 'memo', 'project memo', 'content', 'project memo', 'author', 'Manager',
    'user_id', user_id, 'userId', user_id, 'userName', 'Manager', 'projectId', project_id, 'created_at', trestle.timestamp_text(created),
    'updated_at', trestle.timestamp_text(updated), 'created_date', trestle.timestamp_text(created)), 'a memo')
from videoplanet.project_memos;
select is(tap.project_as('owner') -> 'milestones' -> 0, jsonb_build_object('id', id, 'name', 'Rough cut', 'title', 'Rough cut', 'description', '', 'due_date', '2025-09-01',
    'dueDate', '2025-09-01', 'completed', false, 'progress', 0), 'a milestone')
from videoplanet.milestones;
select is(tap.project_as('manager') -> 'pending_list', jsonb_build_array(jsonb_build_object('id', id, 'email', 'guest@tap.test', 'invited_date', trestle.timestamp_text(created),
    'is_pending', true)), 'a pending invitation')
from videoplanet.project_invites;
select is(tap.project_as('normal') -> 'pending_list', '[]', 'normal members see no invitations');
select is(tap.project_as('outsider'), null, 'outsiders see no project');
update videoplanet.project_invites set expires_at = now();
select is(tap.project_as('owner') -> 'pending_list', '[]', 'an expired invitation is not pending');
delete from videoplanet.project_memos;
delete from videoplanet.project_files;
delete from videoplanet.milestones;
delete from videoplanet.project_members;
select is(tap.project_as('owner') -> field, '[]', 'nothing: ' || field) from unnest(array['memo', 'memo_list', 'files', 'milestones', 'member_list', 'pending_list']) as field;
select is(jsonb_array_length(tap.project_as('owner') -> 'members'), 1, 'the owner alone');
insert into videoplanet.project_members (project_id, user_id, rating)
values (tap.project(), tap.id('manager'), 'manager'), (tap.project(), tap.id('normal'), 'normal');

-- remark -------------------------------------------------------------------------------------------------------------
select is(tap.shape(tap.remark_as('owner')), tap.names('
    id project_id projectId feedback_id title section text content contents security secret seconds timestamp type status priority tags email nickname
    user_id user_name user_role rating created updated created_at updated_at is_read parent_id reply_count reactions'), 'members of a remark');
select is(tap.remark_as('owner') -> field, value, 'anonymous remark, to others: ' || field)
from (values ('email', '""'::jsonb), ('nickname', '""'), ('user_id', 'null'), ('user_name', '""'), ('user_role', '""'), ('rating', '""'), ('security', 'true'),
             ('secret', 'true'), ('seconds', '65'), ('timestamp', '65'), ('tags', '["a", "b"]'), ('text', '"Too loud"'), ('content', '"Too loud"'),
             ('contents', '"Too loud"'), ('is_read', 'false'), ('reply_count', '1'), ('parent_id', 'null'), ('project_id', to_jsonb(tap.project())),
             ('feedback_id', to_jsonb(tap.project())), ('reactions', jsonb_build_object('like', jsonb_build_array(tap.id('normal'))))) as field(field, value);
select is(tap.remark_as('normal') -> field, value, 'anonymous remark, to its author: ' || field)
from (values ('email', '"normal@tap.test"'::jsonb), ('nickname', '"Normal"'), ('user_id', to_jsonb(tap.id('normal'))), ('user_name', '"Normal"'),
             ('user_role', '"editor"'), ('rating', '"basic"'), ('is_read', 'true')) as field(field, value);
update videoplanet.feedback_items set security = false;
select is(tap.remark_as('manager') -> field, value, 'open remark: ' || field)
from (values ('email', '"normal@tap.test"'::jsonb), ('user_id', to_jsonb(tap.id('normal'))), ('rating', '"basic"'), ('secret', 'false')) as field(field, value);
update videoplanet.feedback_items set user_id = tap.id('manager');
select is(tap.remark_as('owner') ->> 'rating', 'manager', 'a manager''s remark');
update videoplanet.feedback_items set user_id = tap.id('owner');
select is(tap.remark_as('normal') -> field, value, 'the owner''s remark: ' || field)
from (values ('rating', '"manager"'::jsonb), ('user_role', '"owner"')) as field(field, value);
insert into videoplanet.feedback_reads (item_id, project_id, user_id) select id, project_id, tap.id('manager') from videoplanet.feedback_items;
select is(tap.remark_as('manager') -> 'is_read', 'true', 'a remark that was read');
delete from videoplanet.project_members where user_id = tap.id('normal');
update videoplanet.feedback_items set user_id = tap.id('normal');
select is(tap.remark_as('owner') ->> 'user_name', 'Normal', 'who has left keeps his name');
select is(tap.remark_as('normal'), null, 'and sees the remark no longer');
select is(tap.remark_as('outsider'), null, 'nor does an outsider');

-- person -------------------------------------------------------------------------------------------------------------
select is(tap.shape(videoplanet.user_json(tap.id('owner'))::jsonb), tap.names('
    id email name nickname username login_method role phone company profile_image profileImage isEmailVerified is_active is_admin created_at createdAt
    updated_at last_login'), 'members of a person');
update videoplanet.users set nickname = '', role = 'admin', profile_image = 'p/1.jpg' where id = tap.id('owner');
select is(videoplanet.user_json(tap.id('owner'))::jsonb -> field, value, 'person: ' || field)
from (values ('id', to_jsonb(tap.id('owner'))), ('email', '"owner@tap.test"'), ('username', '"owner@tap.test"'), ('name', '"owner"'), ('nickname', '""'),
             ('login_method', '"email"'), ('role', '"admin"'), ('is_admin', 'true'), ('isEmailVerified', 'true'), ('is_active', 'true'), ('last_login', 'null'),
             ('profile_image', '"https://vp.example/media/p/1.jpg"'), ('profileImage', '"https://vp.example/media/p/1.jpg"')) as field(field, value);
select is(videoplanet.user_json(0)::text, null, 'nobody');

-- sign-in ------------------------------------------------------------------------------------------------------------
select is(videoplanet.login_claims(7), '{"user_id": 7, "token_type": "session"}', 'claims of a session token');
select is(tap.shape(videoplanet.login_answer(tap.id('owner'), '{"access_token": "a.b.c"}')::jsonb), tap.names('success message vridge_session user result'), 'members of the answer');
select is(videoplanet.login_answer(tap.id('owner'), '{"access_token": "a.b.c"}')::jsonb - 'result',
          '{"success": true, "message": "success", "vridge_session": "a.b.c", "user": "owner@tap.test"}', 'the answer to a sign-in');
select is(videoplanet.login_answer(tap.id('owner'), '{}')::jsonb -> 'result', videoplanet.user_json(tap.id('owner'))::jsonb, 'with the person');
select * from finish();
rollback;
