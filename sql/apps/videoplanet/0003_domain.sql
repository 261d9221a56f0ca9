-- What follows from other things: rows made with a project, values derived from dates, small conversions.

-- Rows made by themselves --------------------------------------------------------------------------------------------

create function videoplanet.furnish_project() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into videoplanet.project_stages (project_id, key)
    select new.id, key from videoplanet.stages order by position;
    insert into videoplanet.feedbacks (project_id) values (new.id);
    return null;
end
$$;
comment on function videoplanet.furnish_project() is 'Trigger function: gives a new project its eight stages and its screening room.';
create trigger furnish after insert on videoplanet.projects
    for each row execute function videoplanet.furnish_project();

create function videoplanet.check_member() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from videoplanet.projects where id = new.project_id and user_id = new.user_id) then
        perform trestle.refuse(409, 'ALREADY_EXISTS', '프로젝트 소유자는 멤버로 추가할 수 없습니다.');
    end if;
    return new;
end
$$;
comment on function videoplanet.check_member() is
    'Trigger function: the owner is no member of his own project. Errors: 409 ALREADY_EXISTS.';
create trigger check_member before insert or update of project_id, user_id on videoplanet.project_members
    for each row execute function videoplanet.check_member();

create function videoplanet.section_seconds(section text) returns numeric
    language sql immutable parallel safe
    return case when section ~ '^\s*(\d{1,2}:[0-5]?\d|\d{1,3}):[0-5]\d\s*$'
        then (select sum(part::numeric * 60 ^ (count - place))
              from (select part, place, count(*) over () as count
                    from regexp_split_to_table(btrim(section), ':') with ordinality as split(part, place)) as parts)
        end;
comment on function videoplanet.section_seconds(text) is
    'The position in the film that a text [H:]MM:SS names, in seconds; null for any other text.';

create function videoplanet.place_remark() returns trigger
    language plpgsql as $$
begin
    new.seconds := coalesce(new.seconds, videoplanet.section_seconds(new.section));
    return new;
end
$$;
comment on function videoplanet.place_remark() is 'Trigger function: fills in seconds from section where they are not given.';
create trigger place before insert on videoplanet.feedback_items
    for each row execute function videoplanet.place_remark();

-- Derived from the dates ---------------------------------------------------------------------------------------------

create function videoplanet.effective_status(explicit text, started boolean, end_date timestamptz) returns text
    language sql stable parallel safe
    return case
        when explicit is not null then explicit
        when end_date < now() then 'completed'
        when started then 'in_progress'
        else 'planning'
    end;
comment on function videoplanet.effective_status(text, boolean, timestamptz) is
    'A project''s status: the explicit one, else what its dates say. started: some stage''s start is past; end_date: of the project.';

create function videoplanet.effective_progress(explicit integer, ended bigint, dated bigint) returns integer
    language sql immutable parallel safe
    return coalesce(explicit, round(100.0 * ended / nullif(dated, 0))::integer, 0);
comment on function videoplanet.effective_progress(integer, bigint, bigint) is
    'A project''s progress in percent: the explicit one, else the share of its dated stages whose end is past, else 0.';

create function videoplanet.schedules(projects bigint[])
    returns table (project_id bigint, first_date timestamptz, end_date timestamptz, started boolean, ended bigint,
                   dated bigint, phase text, dates json[], phases json)
    language sql stable parallel safe
begin atomic
    -- the input is sorted once; sorting within each aggregate takes twice the time
    select stage.project_id,
           (array_agg(stage.start_date) filter (where stage.start_date is not null))[1],
           (array_agg(stage.end_date) filter (where stage.end_date is not null))[count(stage.end_date)::integer],
           coalesce(bool_or(stage.start_date <= now()), false),
           count(*) filter (where stage.end_date < now()),
           count(*) filter (where num_nonnulls(stage.start_date, stage.end_date) > 0),
           coalesce((array_agg(stage.phase) filter (where stage.start_date <= now()))
                        [(count(*) filter (where stage.start_date <= now()))::integer], 'planning'),
           array_agg(row_to_json(short)),
           json_object_agg(stage.key, row_to_json(long))
    from (select s.project_id, s.key, s.start_date, s.end_date, c.position, c.name, c.color, c.phase,
                 trestle.timestamp_text(s.start_date) as start_text, trestle.timestamp_text(s.end_date) as end_text
          from videoplanet.project_stages s
          join videoplanet.stages c using (key)
          where s.project_id = any (projects)
          order by s.project_id, c.position) as stage
    cross join lateral (
        select stage.start_text as start_date, stage.end_text as end_date, stage.key) as short
    cross join lateral (
        select stage.key as id, stage.key, stage.name, stage.position as "order", stage.color,
               stage.start_text as "startDate", stage.end_text as "endDate",
               stage.start_text as start_date, stage.end_text as end_date) as long
    group by stage.project_id;
end;
comment on function videoplanet.schedules(bigint[]) is
    'What the stages of these projects say, a row for each: first start in stage order, last end in reverse order, '
    'whether a stage has started, how many ended and how many have dates, the phase of the latest stage that has started, '
    'and as JSON the dates in stage order and all stages by key.';

-- Conversions --------------------------------------------------------------------------------------------------------

create function videoplanet.display_name(nickname text, email text) returns text
    language sql immutable parallel safe
    return coalesce(nullif(nickname, ''), split_part(email, '@', 1));
comment on function videoplanet.display_name(text, text) is 'The nickname, or the part of the address before @ when it is empty.';

create function videoplanet.file_url(stored text) returns text
    language sql stable parallel safe
    return nullif(current_setting('request.public_url', true), '') || '/media/' || stored;
comment on function videoplanet.file_url(text) is
    'The absolute address of a stored file; null without a file, or when the setting request.public_url is not there.';

grant execute on function
    videoplanet.section_seconds(text),
    videoplanet.effective_status(text, boolean, timestamptz),
    videoplanet.effective_progress(integer, bigint, bigint),
    videoplanet.schedules(bigint[]),
    videoplanet.display_name(text, text),
    videoplanet.file_url(text)
    to :"user";
