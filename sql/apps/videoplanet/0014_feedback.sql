-- The screening room of a project: its film and the remarks on it. The number in its paths is the project's, but for the
-- deletion of a remark.

create function api.feedback_detail(id bigint) returns json
    language plpgsql stable as $$
#variable_conflict use_column
declare
    me constant bigint := trestle.require_account();
    project constant bigint := feedback_detail.id;
    remarks constant bigint[] := array(
        select i.id from videoplanet.feedback_items i where i.project_id = project order by i.created desc, i.id desc);
    shown json;
begin
    select row_to_json(form) into shown
    from videoplanet.projects p
    join videoplanet.users u on u.id = p.user_id
    join videoplanet.feedbacks f on f.project_id = p.id
    join videoplanet.project_people(array[project]) as people on people.project_id = p.id
    cross join lateral (
        select p.id,
               p.name,
               p.name as title,
               p.manager,
               p.consumer,
               p.description,
               u.nickname as owner_nickname,
               u.email as owner_email,
               trestle.timestamp_text(p.created) as created,
               trestle.timestamp_text(p.updated) as updated,
               people.member_list,
               videoplanet.file_url(f.files) as files,
               f.file_status,
               videoplanet.remark_json(remarks) as feedback) as form
    where p.id = project;
    if not found then
        perform videoplanet.refuse_project(project);
    end if;
    return (select row_to_json(answer)
            from (select true as success, 'success' as message, shown as result, data
                  from (select shown as result) as data) as answer);
end
$$;
comment on function api.feedback_detail(bigint) is
    'The screening room of a project: who takes part, the film, all remarks, newest first. Errors: 401 as trestle.require_account(); 403 and 404 as '
    'videoplanet.refuse_project().';

create function api.remark_create(
    id bigint, section text default null, contents text default null, title text default null, secret boolean default null)
    returns json
    language plpgsql as $$
#variable_conflict use_column
declare
    me constant bigint := trestle.require_account();
    project constant bigint := remark_create.id;
    made bigint;
begin
    if not videoplanet.is_member(project) then
        perform videoplanet.refuse_project(project);
    elsif btrim(remark_create.section) <> '' is not true then
        perform trestle.refuse(400, 'REQUIRED_FIELD_MISSING', '영상의 구간이 필요합니다.', 'section');
    elsif btrim(contents) <> '' is not true then
        perform trestle.refuse(400, 'REQUIRED_FIELD_MISSING', '내용이 필요합니다.', 'contents');
    end if;
    insert into videoplanet.feedback_items (feedback_id, project_id, user_id, security, title, section, text)
    select f.id, f.project_id, me, coalesce(secret, false), coalesce(videoplanet.limited(remark_create.title, 200, 'title'), ''),
           videoplanet.limited(remark_create.section, 100, 'section'), contents
    from videoplanet.feedbacks f
    where f.project_id = project
    returning id into made;
    return (select row_to_json(answer)
            from (select true as success, 'success' as message, videoplanet.remark_json(array[made]) -> 0 as result) as answer);
end
$$;
comment on function api.remark_create(bigint, text, text, text, boolean) is
    'A remark of the caller on the film of a project, anonymous when secret. Errors: 401 as trestle.require_account(); 403 and 404 as '
    'videoplanet.refuse_project(); 400 REQUIRED_FIELD_MISSING or VALIDATION_ERROR with field section, contents or title.';

create function videoplanet.refuse_remark(remark bigint) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from videoplanet.feedback_items where id = remark) then
        return trestle.refuse(403, 'PERMISSION_DENIED', '작성자만 의견을 지울 수 있습니다.');
    end if;
    return trestle.refuse(404, 'NOT_FOUND', '의견을 찾을 수 없습니다.');
end
$$;
comment on function videoplanet.refuse_remark(bigint) is
    'Refuses a request for a remark that is not the caller''s. Never returns. Errors: 403 PERMISSION_DENIED when it exists, else 404 NOT_FOUND.';

create function api.remark_delete(id bigint) returns json
    language plpgsql as $$
#variable_conflict use_column
declare
    me constant bigint := trestle.require_account();
begin
    delete from videoplanet.feedback_items where id = remark_delete.id;
    if not found then
        perform videoplanet.refuse_remark(remark_delete.id);
    end if;
    return (select row_to_json(answer) from (select true as success, 'success' as message, remark_delete.id as result) as answer);
end
$$;
comment on function api.remark_delete(bigint) is
    'Deletes a remark of the caller; id is the remark''s. Errors: 401 as trestle.require_account(); 403 PERMISSION_DENIED for another''s; 404 NOT_FOUND.';

grant execute on function videoplanet.refuse_remark(bigint) to :"user";
grant execute on function
    api.feedback_detail(bigint),
    api.remark_create(bigint, text, text, text, boolean),
    api.remark_delete(bigint)
    to :"anonymous", :"user";
