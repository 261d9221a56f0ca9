-- Making, changing and deleting projects. Callers' rights: the policies of projects, their stages and members.

-- What a request says of stages --------------------------------------------------------------------------------------

create type videoplanet.stage_change as (
    key        text,
    start_date timestamptz,
    end_date   timestamptz,
    sets_start boolean,
    sets_end   boolean
);
comment on type videoplanet.stage_change is 'New dates of a stage. A date that is not set stays as it is; one that is set to null is cleared.';
grant usage on type videoplanet.stage_change to :"user";

create function videoplanet.read_process(process jsonb) returns videoplanet.stage_change[]
    language plpgsql stable as $$
declare
    elements constant jsonb := videoplanet.json_value(process, 'array', 'process');
    unknown text;
begin
    select case when key is null then '단계마다 key가 있어야 합니다.'
                when not known then format('"%s"은(는) 알 수 없는 단계입니다.', left(key, 50))
                else format('"%s" 단계가 두 번 있습니다.', key) end
    into unknown
    from (select key, key in (select stages.key from videoplanet.stages) as known, count(*) over (partition by key) as times
          from jsonb_array_elements(elements) as stage(value)
          cross join lateral (
              select videoplanet.text_member(videoplanet.json_value(value, 'object', 'process'), 'key', 'process') as key) as named) as named
    where known is not true or times > 1
    limit 1;
    if found then
        perform trestle.refuse(400, 'VALIDATION_ERROR', unknown, 'process');
    end if;
    return array(
        select row (value ->> 'key',
                    videoplanet.moment(videoplanet.text_member(value, 'startDate', 'process'), 'process'),
                    videoplanet.moment(videoplanet.text_member(value, 'endDate', 'process'), 'process'),
                    value ? 'startDate',
                    value ? 'endDate')::videoplanet.stage_change
        from jsonb_array_elements(elements) as stage(value));
end
$$;
comment on function videoplanet.read_process(jsonb) is
    'The stages of [{key, startDate, endDate}]; null or nothing is none. Errors: 400 VALIDATION_ERROR with field process.';

create function videoplanet.change_dates(project bigint, changes videoplanet.stage_change[], field text) returns void
    language plpgsql as $$
declare
    stage text;
begin
    select c.name into stage
    from unnest(changes) as change
    join videoplanet.project_stages s on s.project_id = project and s.key = change.key
    join videoplanet.stages c on c.key = s.key
    where case when change.sets_end then change.end_date else s.end_date end
          < case when change.sets_start then change.start_date else s.start_date end
    order by c.position
    limit 1;
    if found then
        perform trestle.refuse(400, 'VALIDATION_ERROR', format('%s: 종료일이 시작일보다 빠릅니다.', stage), field);
    end if;

    update videoplanet.project_stages s
    set start_date = wanted.start_date, end_date = wanted.end_date
    from (select s.id,
                 case when change.sets_start then change.start_date else s.start_date end as start_date,
                 case when change.sets_end then change.end_date else s.end_date end as end_date
          from unnest(changes) as change
          join videoplanet.project_stages s on s.project_id = project and s.key = change.key) as wanted
    where s.id = wanted.id and (s.start_date, s.end_date) is distinct from (wanted.start_date, wanted.end_date);
end
$$;
comment on function videoplanet.change_dates(bigint, videoplanet.stage_change[], text) is
    'Gives stages of a project new dates; the caller has made sure of his right by videoplanet.require_admin(). Errors: 400 VALIDATION_ERROR '
    'with the field when a stage would end before it starts.';

-- What a request says of the project ---------------------------------------------------------------------------------

create function videoplanet.limited(value text, most integer, field text) returns text
    language plpgsql immutable as $$
begin
    if length(value) > most then
        perform trestle.refuse(400, 'VALIDATION_ERROR', format('%s자를 넘을 수 없습니다.', most), field);
    end if;
    return value;
end
$$;
comment on function videoplanet.limited(text, integer, text) is 'The text, when it has at most so many characters. Errors: 400 VALIDATION_ERROR with the field.';

create function videoplanet.named(value text, field text) returns text
    language plpgsql immutable as $$
begin
    if btrim(value) <> '' is not true then
        perform trestle.refuse(400, 'REQUIRED_FIELD_MISSING', '프로젝트 이름이 필요합니다.', field);
    end if;
    return videoplanet.limited(value, 100, field);
end
$$;
comment on function videoplanet.named(text, text) is
    'The name of a project, if it can be one. Errors: 400 REQUIRED_FIELD_MISSING when it is blank, VALIDATION_ERROR when it is longer than 100 '
    'characters, with the field.';

create function api.project_create(inputs jsonb default null, process jsonb default null) returns json
    language plpgsql as $$
declare
    me constant bigint := trestle.require_account();
    fields constant jsonb := videoplanet.json_value(inputs, 'object', 'inputs');
    changes constant videoplanet.stage_change[] := videoplanet.read_process(process);
    made bigint;
begin
    insert into videoplanet.projects (user_id, name, description, manager, consumer)
    values (me,
            videoplanet.named(videoplanet.text_member(fields, 'name', 'name'), 'name'),
            coalesce(videoplanet.text_member(fields, 'description', 'description'), ''),
            coalesce(videoplanet.limited(videoplanet.text_member(fields, 'manager', 'manager'), 50, 'manager'), ''),
            coalesce(videoplanet.limited(videoplanet.text_member(fields, 'consumer', 'consumer'), 50, 'consumer'), ''))
    returning id into made;
    perform videoplanet.change_dates(made, changes, 'process');
    return (select row_to_json(answer)
            from (select true as success, 'success' as message, videoplanet.project_json(array[made]) -> 0 as result) as answer);
end
$$;
comment on function api.project_create(jsonb, jsonb) is
    'A new project of the caller. inputs: {name, description, manager, consumer}, other members are ignored; process: [{key, startDate, endDate}]. '
    'Errors: 401 as trestle.require_account(); 400 REQUIRED_FIELD_MISSING or VALIDATION_ERROR with field name, description, manager, consumer, '
    'inputs or process.';

create function videoplanet.change_ratings(project bigint, members jsonb) returns void
    language plpgsql as $$
declare
    elements constant jsonb := videoplanet.json_value(members, 'array', 'members');
    known bigint;
begin
    if exists (select from jsonb_array_elements(elements) as member(value)
               where jsonb_typeof(value) <> 'object'
                  or coalesce(value ->> 'id', '') !~ '^\d{1,18}$'
                  or (value ->> 'rating' in ('manager', 'normal')) is not true) then
        perform trestle.refuse(400, 'VALIDATION_ERROR', '멤버마다 id와 rating(manager 또는 normal)이 있어야 합니다.', 'members');
    end if;
    select count(*) into known
    from videoplanet.project_members m
    where m.project_id = project
      and m.id in (select (value ->> 'id')::bigint from jsonb_array_elements(elements) as member(value));
    if known <> jsonb_array_length(elements) then
        perform trestle.refuse(400, 'VALIDATION_ERROR', '이 프로젝트의 멤버가 아니거나 두 번 있습니다.', 'members');
    end if;
    update videoplanet.project_members m
    set rating = value ->> 'rating'
    from jsonb_array_elements(elements) as member(value)
    where m.project_id = project and m.id = (value ->> 'id')::bigint and m.rating <> value ->> 'rating';
end
$$;
comment on function videoplanet.change_ratings(bigint, jsonb) is
    'Gives members of a project, [{id of the membership, rating}], their ratings; the caller has made sure of his right by '
    'videoplanet.require_admin(). Errors: 400 VALIDATION_ERROR with field members, also for memberships of other projects.';

create function api.project_update(
    id bigint, inputs jsonb default null, process jsonb default null, members jsonb default null)
    returns json
    language plpgsql as $$
#variable_conflict use_column
declare
    me constant bigint := trestle.require_account();
    project constant bigint := project_update.id;
    fields jsonb;
    shown json;
begin
    perform videoplanet.require_admin(project);
    fields := videoplanet.json_value(inputs, 'object', 'inputs');
    if fields ?| array['name', 'description', 'manager', 'consumer'] then
        update videoplanet.projects
        set name = case when fields ? 'name' then videoplanet.named(videoplanet.text_member(fields, 'name', 'name'), 'name') else name end,
            description = case when fields ? 'description'
                then coalesce(videoplanet.text_member(fields, 'description', 'description'), '') else description end,
            manager = case when fields ? 'manager'
                then coalesce(videoplanet.limited(videoplanet.text_member(fields, 'manager', 'manager'), 50, 'manager'), '') else manager end,
            consumer = case when fields ? 'consumer'
                then coalesce(videoplanet.limited(videoplanet.text_member(fields, 'consumer', 'consumer'), 50, 'consumer'), '') else consumer end
        where id = project;
    end if;
    perform videoplanet.change_dates(project, videoplanet.read_process(process), 'process');
    perform videoplanet.change_ratings(project, members);
    shown := videoplanet.project_json(array[project]) -> 0;
    return (select row_to_json(answer) from (select true as success, 'success' as message, shown as result, shown as project) as answer);
end
$$;
comment on function api.project_update(bigint, jsonb, jsonb, jsonb) is
    'Changes a project: of inputs and process what is there, as in project_create; members: [{id of the membership, rating}], nobody is removed by '
    'absence. Errors: 401 as trestle.require_account(); 403 and 404 as videoplanet.refuse_project(); 400 as project_create, or with field members.';

create function api.project_delete(id bigint) returns json
    language plpgsql as $$
#variable_conflict use_column
declare
    me constant bigint := trestle.require_account();
begin
    delete from videoplanet.projects where id = project_delete.id;
    if not found then
        perform videoplanet.refuse_project(project_delete.id);
    end if;
    return (select row_to_json(answer) from (select true as success, 'success' as message, project_delete.id as result) as answer);
end
$$;
comment on function api.project_delete(bigint) is
    'Deletes a project and everything below it. Errors: 401 as trestle.require_account(); 403 and 404 as videoplanet.refuse_project().';

-- Dates alone --------------------------------------------------------------------------------------------------------

create function videoplanet.read_dates(dates jsonb) returns videoplanet.stage_change[]
    language plpgsql stable as $$
declare
    stage constant text := videoplanet.text_member(dates, 'key', 'key');
    unknown text;
begin
    if stage is not null then
        if not exists (select from videoplanet.stages where key = stage) then
            perform trestle.refuse(400, 'VALIDATION_ERROR', '알 수 없는 단계입니다.', 'key');
        end if;
        return array[row (stage,
                          videoplanet.moment(videoplanet.text_member(dates, 'start_date', 'start_date'), 'start_date'),
                          videoplanet.moment(videoplanet.text_member(dates, 'end_date', 'end_date'), 'end_date'),
                          dates ? 'start_date',
                          dates ? 'end_date')::videoplanet.stage_change];
    end if;
    select key into unknown
    from jsonb_each(dates) as sent
    where jsonb_typeof(value) = 'object' and not exists (select from videoplanet.stages where stages.key = sent.key)
    order by key
    limit 1;
    if found then
        perform trestle.refuse(400, 'VALIDATION_ERROR', '알 수 없는 단계입니다.', left(unknown, 100));
    end if;
    return array(
        select row (key,
                    videoplanet.moment(videoplanet.text_member(read, 'start_date', key), key),
                    videoplanet.moment(videoplanet.text_member(read, 'end_date', key), key),
                    read ? 'start_date',
                    read ? 'end_date')::videoplanet.stage_change
        from videoplanet.stages
        cross join lateral (select videoplanet.json_value(dates -> key, 'object', key) as read) as sent
        where dates ? key
        order by position);
end
$$;
comment on function videoplanet.read_dates(jsonb) is
    'The stages of {key, start_date, end_date}, or of {<key>: {start_date, end_date}, …} in stage order. Other members are ignored unless they '
    'look like stages. Errors: 400 VALIDATION_ERROR with field key, start_date, end_date or the stage''s key.';

create function api.project_dates(jsonb, id bigint) returns json
    language plpgsql as $$
#variable_conflict use_column
declare
    me constant bigint := trestle.require_account();
    project constant bigint := project_dates.id;
    changes videoplanet.stage_change[];
    shown json;
begin
    perform videoplanet.require_admin(project);
    changes := videoplanet.read_dates(videoplanet.json_value($1, 'object', ''));
    if changes = '{}' then
        perform trestle.refuse(400, 'REQUIRED_FIELD_MISSING', '단계(key)가 필요합니다.', 'key');
    end if;
    perform videoplanet.change_dates(project, changes, case when $1 ? 'key' then 'end_date' else changes[1].key end);
    shown := videoplanet.project_json(array[project]) -> 0;
    return (select row_to_json(answer)
            from (select true as success, 'success' as message, shown as result, shown -> 'phases' -> changes[1].key as phase) as answer);
end
$$;
comment on function api.project_dates(jsonb, bigint) is
    'New dates of a project''s stages, in one of the two forms that videoplanet.read_dates() reads. Null clears a date, one that is not there '
    'stays. phase is the first of these stages as it is now. Errors: 401 as trestle.require_account(); 403 and 404 as '
    'videoplanet.refuse_project(); 400 as videoplanet.read_dates(), and REQUIRED_FIELD_MISSING with field key when no stage is named.';

grant execute on function
    videoplanet.read_process(jsonb),
    videoplanet.read_dates(jsonb),
    videoplanet.change_dates(bigint, videoplanet.stage_change[], text),
    videoplanet.change_ratings(bigint, jsonb),
    videoplanet.limited(text, integer, text),
    videoplanet.named(text, text)
    to :"user";
grant execute on function
    api.project_create(jsonb, jsonb),
    api.project_update(bigint, jsonb, jsonb, jsonb),
    api.project_delete(bigint),
    api.project_dates(jsonb, bigint)
    to :"anonymous", :"user";
