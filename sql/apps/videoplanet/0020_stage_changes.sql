-- The stages of a project as requests change them.

create or replace function videoplanet.read_process(process jsonb) returns videoplanet.stage_change[]
    language plpgsql stable as $$
declare
    stages constant jsonb[] := array(
        select videoplanet.json_value(value, 'object', 'process')
        from jsonb_array_elements(videoplanet.json_value(process, 'array', 'process')) as stage(value));
    unknown text;
begin
    select case when key is null then '단계마다 key가 있어야 합니다.'
                when not known then format('"%s"은(는) 알 수 없는 단계입니다.', left(key, 50))
                else format('"%s" 단계가 두 번 있습니다.', key) end
    into unknown
    from (select key, key in (select s.key from videoplanet.stages s) as known, count(*) over (partition by key) as times
          from unnest(stages) as stage
          cross join lateral videoplanet.text_member(stage, 'key', 'process') as key) as named
    where known is not true or times > 1
    limit 1;
    if found then
        perform trestle.refuse(400, 'VALIDATION_ERROR', unknown, 'process');
    end if;
    return array(
        select row (stage ->> 'key',
                    videoplanet.moment(videoplanet.text_member(stage, 'startDate', 'process'), 'process'),
                    videoplanet.moment(videoplanet.text_member(stage, 'endDate', 'process'), 'process'),
                    stage ? 'startDate',
                    stage ? 'endDate')::videoplanet.stage_change
        from unnest(stages) as stage);
end
$$;
comment on function videoplanet.read_process(jsonb) is
    'The stages of [{key, startDate, endDate}], where each may also be a string that holds such an object; null or nothing is none. Errors: 400 '
    'VALIDATION_ERROR with field process.';

create or replace function videoplanet.change_dates(project bigint, changes videoplanet.stage_change[], field text) returns void
    language plpgsql as $$
declare
    backward text;
begin
    if changes = '{}' then
        return;
    end if;
    select c.name into backward
    from unnest(changes) as change
    join videoplanet.project_stages s on s.project_id = project and s.key = change.key
    join videoplanet.stages c on c.key = s.key
    where case when change.sets_end then change.end_date else s.end_date end
          < case when change.sets_start then change.start_date else s.start_date end
    order by c.position
    limit 1;
    if found then
        perform trestle.refuse(400, 'VALIDATION_ERROR', format('%s: 종료일이 시작일보다 빠릅니다.', backward), field);
    end if;
    update videoplanet.project_stages s
    set start_date = case when change.sets_start then change.start_date else s.start_date end,
        end_date = case when change.sets_end then change.end_date else s.end_date end
    from unnest(changes) as change
    where s.project_id = project
      and s.key = change.key
      and (change.sets_start and change.start_date is distinct from s.start_date
           or change.sets_end and change.end_date is distinct from s.end_date);
end
$$;
comment on function videoplanet.change_dates(bigint, videoplanet.stage_change[], text) is
    'Gives stages of a project new dates; the caller has made sure of his right by videoplanet.require_admin(). Errors: 400 VALIDATION_ERROR '
    'with the field, naming the stage, when one would end before it starts.';
