-- Projects as clients ask for them.

create function api.project_list(
    search text default null, status text default null, manager text default null, consumer text default null,
    sort_by text default null, sort_order text default null, "limit" integer default null, "offset" integer default null)
    returns json
    language plpgsql stable as $$
#variable_conflict use_column
declare
    me constant bigint := trestle.require_account();
    mine constant bigint[] := videoplanet.my_projects();
    by_dates boolean;
    descending boolean;
    ids bigint[];
    list json;
    answer json;
begin
    -- frontends send filters that were left empty
    search := nullif(search, '');
    status := nullif(status, '');
    manager := nullif(manager, '');
    consumer := nullif(consumer, '');
    sort_by := nullif(sort_by, '');
    sort_order := nullif(sort_order, '');

    if project_list.status not in ('planning', 'in_progress', 'review', 'completed', 'on_hold', 'cancelled', 'active') then
        perform trestle.refuse(400, 'VALIDATION_ERROR', '알 수 없는 상태입니다.', 'status');
    elsif sort_by not in ('created', 'created_at', 'updated', 'updated_at', 'name', 'title', 'manager', 'consumer', 'status',
                          'first_date', 'start_date', 'end_date', 'deadline') then
        perform trestle.refuse(400, 'VALIDATION_ERROR', '이 항목으로는 정렬할 수 없습니다.', 'sort_by');
    elsif lower(sort_order) not in ('asc', 'desc') then
        perform trestle.refuse(400, 'VALIDATION_ERROR', '정렬 순서는 asc 또는 desc입니다.', 'sort_order');
    elsif "limit" not between 1 and 100 then
        perform trestle.refuse(400, 'VALIDATION_ERROR', 'limit은 1 이상 100 이하여야 합니다.', 'limit');
    elsif "offset" < 0 then
        perform trestle.refuse(400, 'VALIDATION_ERROR', 'offset은 0 이상이어야 합니다.', 'offset');
    end if;

    -- the dates are read only where they decide
    by_dates := status is not null or sort_by in ('status', 'first_date', 'start_date', 'end_date', 'deadline');
    descending := coalesce(lower(sort_order), 'desc') = 'desc';
    ids := array(
        select p.id
        from videoplanet.projects p
        left join videoplanet.schedules(case when by_dates then mine end) s on s.project_id = p.id
        cross join lateral (select videoplanet.effective_status(p.status, s.started, s.end_date) as status) as shown
        cross join lateral (
            select case
                when sort_by in ('updated', 'updated_at') then to_char(p.updated, 'YYYYMMDDHH24MISSUS')
                when sort_by in ('name', 'title') then lower(p.name)
                when sort_by = 'manager' then lower(p.manager)
                when sort_by = 'consumer' then lower(p.consumer)
                when sort_by = 'status' then shown.status
                when sort_by in ('first_date', 'start_date') then to_char(s.first_date, 'YYYYMMDDHH24MISSUS')
                when sort_by in ('end_date', 'deadline') then to_char(s.end_date, 'YYYYMMDDHH24MISSUS')
                when sort_by is not null then to_char(p.created, 'YYYYMMDDHH24MISSUS')
            end as key) as sort
        where p.id = any (mine)
          and (project_list.search is null
               or strpos(lower(concat_ws(E'\n', p.name, p.description, p.manager, p.consumer)), lower(project_list.search)) > 0)
          and (project_list.manager is null or strpos(lower(p.manager), lower(project_list.manager)) > 0)
          and (project_list.consumer is null or strpos(lower(p.consumer), lower(project_list.consumer)) > 0)
          and (project_list.status is null
               or shown.status = project_list.status
               or project_list.status = 'active' and shown.status not in ('completed', 'cancelled'))
        order by case when sort_by is null then p.user_id <> me end,
                 case when not descending then sort.key end,
                 case when descending then sort.key end desc nulls last,
                 p.created desc,
                 p.id desc
        limit "limit" offset "offset");

    list := videoplanet.project_json(ids);
    select json_build_object(
        'success', true,
        'message', 'success',
        'result', list,
        'projects', list,
        'user', u.email,
        'nickname', u.nickname,
        'sample_files', (
            select coalesce(json_agg(row_to_json(form) order by f.id), '[]')
            from videoplanet.sample_files f
            cross join lateral (
                select f.file_name, videoplanet.file_url(f.sample_file) as files) as form),
        'user_memos', (
            select coalesce(json_agg(row_to_json(form) order by m.date, m.id), '[]')
            from videoplanet.user_memos m
            cross join lateral (select m.id, m.date, m.memo) as form
            where m.user_id = me))
    into answer
    from videoplanet.users u
    where u.id = me;
    if not found then -- an account without a profile is no user of this application
        perform trestle.refuse(401, 'INVALID_TOKEN');
    end if;
    return answer;
end
$$;
comment on function api.project_list(text, text, text, text, text, text, integer, integer) is
    'The caller''s projects with what hangs on them; his own first, then his memberships, each newest first. search looks '
    'into name, description, manager and consumer; status is one of the six or active; sort_by and sort_order (desc) '
    'replace the order; limit is from 1 to 100, without it all come. Empty texts are as if not '
    'given. Errors: 401 as trestle.require_account(); 400 VALIDATION_ERROR with the parameter as field.';

create function api.project_detail(id bigint) returns json
    language plpgsql stable as $$
declare
    me constant bigint := trestle.require_account();
    project constant json := videoplanet.project_json(array[project_detail.id]) -> 0;
begin
    if project is null then
        perform videoplanet.refuse_project(project_detail.id);
    end if;
    return (select row_to_json(answer)
            from (select true as success, 'success' as message, project as result, project) as answer);
end
$$;
comment on function api.project_detail(bigint) is
    'One project with what hangs on it. Errors: 401 as trestle.require_account(); 404 NOT_FOUND; 403 PERMISSION_DENIED when the '
    'caller takes no part in it.';

grant execute on function
    api.project_list(text, text, text, text, text, text, integer, integer),
    api.project_detail(bigint)
    to :"anonymous", :"user";
