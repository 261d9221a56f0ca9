-- Values derived from the stages' dates, and small conversions.
\ir setup.psql
select * from no_plan();

select is(videoplanet.section_seconds(section), seconds, format('section %L', section))
from (values ('05:30', 330::numeric), ('1:02:03', 3723), ('0:00', 0), (' 00:10 ', 10), ('75:30', 4530), ('120:00', 7200), ('5:7', null), ('00:60', null),
             ('1:60:00', null), ('abc', null), ('', null), (null, null), ('1:2:3:4', null), ('-1:00', null)) as example(section, seconds);

select is(videoplanet.display_name(nickname, 'kim@tap.test'), name, format('name of %L', nickname))
from (values ('Kim', 'Kim'), ('', 'kim'), (null, 'kim')) as example(nickname, name);

select is(videoplanet.file_url('a/b.pdf'), null, 'no address without a public URL');
select set_config('request.public_url', 'https://vp.example', true) \g /dev/null
select is(videoplanet.file_url('a/b.pdf'), 'https://vp.example/media/a/b.pdf', 'an absolute address');
select is(videoplanet.file_url(null), null, 'no file, no address');

-- dates of the project's stages, days from now: start and end by stage
create function tap.dated(dates jsonb) returns text language plpgsql as $$
declare
    s record;
begin
    update videoplanet.project_stages
    set start_date = now() + (dates -> key ->> 0)::numeric * interval '1 day', end_date = now() + (dates -> key ->> 1)::numeric * interval '1 day'
    where project_id = tap.project();
    select * into s from videoplanet.schedules(array[tap.project()]);
    return concat_ws(' ', coalesce(extract(day from s.first_date - now())::text, '-'), coalesce(extract(day from s.end_date - now())::text, '-'),
                     videoplanet.effective_status(null, s.started, s.end_date), videoplanet.effective_progress(null, s.ended, s.dated), s.phase);
end
$$;
select is(tap.dated(dates), expected, format('first end status progress phase of %s', dates))
from (values
    ('{}'::jsonb, '- - planning 0 planning'),
    ('{"basic_plan": [1, 2]}', '1 2 planning 0 planning'),
    ('{"basic_plan": [-2, 2]}', '-2 2 in_progress 0 planning'),
    ('{"basic_plan": [-3, -2], "filming": [-1, 1]}', '-3 1 in_progress 50 shooting'),
    ('{"basic_plan": [-9, -8], "story_board": [-8, -7], "video_edit": [-1, 3]}', '-9 3 in_progress 67 editing'),
    ('{"basic_plan": [-9, -8], "video_delivery": [-2, -1]}', '-9 -1 completed 100 review'),
    ('{"basic_plan": [5, 6], "filming": [-4, -3]}', '5 -3 completed 50 shooting'),
    ('{"filming": [null, 4], "confirmation": [2, null]}', '2 4 planning 0 planning'),
    ('{"post_work": [-1, null]}', '-1 - in_progress 0 editing'),
    ('{"video_preview": [null, -1]}', '- -1 completed 100 planning')
) as example(dates, expected);

select is(videoplanet.effective_status(explicit, true, now() - interval '1 day'), expected, 'explicit status ' || coalesce(explicit, 'none'))
from (values ('planning', 'planning'), ('on_hold', 'on_hold'), ('cancelled', 'cancelled'), (null, 'completed')) as example(explicit, expected);
select is(videoplanet.effective_progress(30, 1, 2), 30, 'explicit progress');
select is(videoplanet.effective_progress(0, 1, 2), 0, 'explicit progress of nothing');
select is((select count(*) from videoplanet.schedules(array[tap.project(), tap.foreign_project(), 0])), 2::bigint, 'a schedule for each project that is there');
select is_empty('select * from videoplanet.schedules(null)', 'and none for no list');
select * from finish();
rollback;
