-- api.project_list and api.project_detail.
\ir setup.psql
select * from no_plan();

-- three more projects of the owner: the names tell what they are
insert into videoplanet.projects (user_id, name, manager, consumer, status, created)
values (tap.id('owner'), 'Alpha 100%', 'Park', 'Acme', 'completed', now() - interval '3 days'),
       (tap.id('owner'), 'beta', 'Kim', 'Globex', null, now() - interval '2 days'),
       (tap.id('owner'), '감마', 'KIM', '', 'cancelled', now() - interval '1 day');
update videoplanet.project_stages s set start_date = now() - interval '1 day', end_date = now() + interval '1 day'
from videoplanet.projects p where p.id = project_id and name = 'beta' and key = 'filming';
update videoplanet.projects set created = now() - interval '9 days' where name = 'Another project';
insert into videoplanet.project_members (project_id, user_id) values (tap.foreign_project(), tap.id('owner'));
insert into videoplanet.sample_files (sample_file, file_name) values ('sample/b.pdf', 'b.pdf');

create function tap.names(arguments text) returns text language plpgsql as $$
declare
    answer text := tap.answer('owner', format('select api.project_list(%s)', arguments));
begin
    return case when answer like 'refused%' then answer
        else (select string_agg(value ->> 'name', ', ') from json_array_elements(answer::json -> 'result')) end;
end
$$;
create function tap.list(name text) returns jsonb language plpgsql as $$
begin
    return tap.answer(name, 'select api.project_list()')::jsonb;
end
$$;

-- refusals
select is(tap.answer('anonymous', 'select api.project_list()'), 'refused PT401 AUTHENTICATION_REQUIRED', 'list: anonymous');
select is(tap.answer('anonymous', 'select api.project_detail(1)'), 'refused PT401 AUTHENTICATION_REQUIRED', 'detail: anonymous');
select is(tap.answer(who, format('select api.project_detail(%s)', tap.project())), 'refused PT403 PERMISSION_DENIED', 'detail: ' || who)
from unnest(array['outsider']) as who;
select is(tap.answer('owner', format('select api.project_detail(%s)', id)), 'refused PT404 NOT_FOUND', 'detail: no project ' || coalesce(id, 'null'))
from unnest(array['0', '-1', '9223372036854775807', 'null']) as id;

insert into trestle.account (email) values ('bare@tap.test');
insert into tap.who select 'bare', id from trestle.account where email = 'bare@tap.test';
select is(tap.answer('bare', 'select api.project_list()'), 'refused PT401 INVALID_TOKEN', 'list: an account without a profile');
update trestle.account set disabled_at = now() where id = tap.id('bare');
select is(tap.answer('bare', statement), 'refused PT401 INVALID_TOKEN', 'a disabled account: ' || statement)
from unnest(array['select api.project_list()', 'select api.project_detail(1)']) as statement;

-- detail
select is((tap.answer(who, format('select api.project_detail(%s)', tap.project()))::jsonb -> 'result' ->> 'name'), 'The project', 'detail: ' || who)
from unnest(array['owner', 'manager', 'normal']) as who;
select is(array(select jsonb_object_keys(tap.answer('owner', format('select api.project_detail(%s)', tap.project()))::jsonb) order by 1),
          array['message', 'project', 'result', 'success'], 'members of the answer');
select ok((select answer -> 'result' = answer -> 'project' and answer ->> 'success' = 'true' and answer ->> 'message' = 'success'
           from (select tap.answer('owner', format('select api.project_detail(%s)', tap.project()))::jsonb as answer) as a), 'the same project under both names');

-- list
select is(array(select jsonb_object_keys(tap.list('owner')) order by 1),
          array['message', 'nickname', 'projects', 'result', 'sample_files', 'success', 'user', 'user_memos'], 'members of the answer');
select ok(tap.list('owner') -> 'result' = tap.list('owner') -> 'projects', 'the same projects under both names');
select is(tap.list('owner') - '{result,projects,sample_files}'::text[],
          '{"success": true, "message": "success", "user": "owner@tap.test", "nickname": "Owner", "user_memos": []}', 'what stands beside them');
select is(tap.list('owner') -> 'sample_files', '[{"file_name": "a.pdf", "files": null}, {"file_name": "b.pdf", "files": null}]', 'sample files');
select is(tap.list('normal') -> 'user_memos', jsonb_build_array(jsonb_build_object('id', id, 'date', '2025-08-04', 'memo', 'own memo')), 'own memos')
from videoplanet.user_memos;
select is(tap.list('manager') -> 'user_memos', '[]', 'and nobody else''s');
delete from videoplanet.projects where user_id = tap.id('manager');
select is(tap.names(''), 'The project, 감마, beta, Alpha 100%, Another project', 'own ones first, newest first, then memberships');
select is(jsonb_array_length(tap.list('normal') -> 'result'), 1, 'a member sees his project');

select is(tap.names(arguments), expected, arguments)
from (values
    ('search => ''ALPHA''', 'Alpha 100%'),
    ('search => ''100%''', 'Alpha 100%'),
    ('search => ''%''', 'Alpha 100%'),
    ('search => ''globex''', 'beta'),
    ('search => ''kim''', '감마, beta'),
    ('search => ''nothing like it''', null),
    ('manager => ''kim''', '감마, beta'),
    ('consumer => ''acme''', 'Alpha 100%'),
    ('status => ''completed''', 'Alpha 100%'),
    ('status => ''in_progress''', 'beta'),
    ('status => ''planning''', 'The project, Another project'),
    ('status => ''active''', 'The project, beta, Another project'),
    ('status => ''on_hold''', null),
    ('status => ''bogus''', 'refused PT400 VALIDATION_ERROR status'),
    ('sort_by => ''name'', sort_order => ''asc''', 'Alpha 100%, Another project, beta, The project, 감마'),
    ('sort_by => ''name''', '감마, The project, beta, Another project, Alpha 100%'),
    ('sort_by => ''created'', sort_order => ''ASC''', 'Another project, Alpha 100%, beta, 감마, The project'),
    ('sort_by => ''created_at''', 'The project, 감마, beta, Alpha 100%, Another project'),
    ('sort_by => ''end_date'', "limit" => 1', 'beta'),
    ('sort_by => ''status'', sort_order => ''asc'', "limit" => 2', '감마, Alpha 100%'),
    ('sort_by => ''password''', 'refused PT400 VALIDATION_ERROR sort_by'),
    ('sort_order => ''up''', 'refused PT400 VALIDATION_ERROR sort_order'),
    ('"limit" => 2', 'The project, 감마'),
    ('"limit" => 2, "offset" => 1', '감마, beta'),
    ('"offset" => 99', null),
    ('"limit" => 0', 'refused PT400 VALIDATION_ERROR limit'),
    ('"limit" => 101', 'refused PT400 VALIDATION_ERROR limit'),
    ('"limit" => 100', 'The project, 감마, beta, Alpha 100%, Another project'),
    ('status => ''''', 'The project, 감마, beta, Alpha 100%, Another project'),
    ('search => '''', manager => '''', consumer => '''', sort_by => '''', sort_order => ''''', 'The project, 감마, beta, Alpha 100%, Another project'),
    ('status => '''', search => ''kim''', '감마, beta'),
    ('status => '' ''', 'refused PT400 VALIDATION_ERROR status'),
    ('"offset" => -1', 'refused PT400 VALIDATION_ERROR offset')
) as example(arguments, expected);
select * from finish();
rollback;
