-- The people and the memos of projects as clients are shown them, for many projects at once, and the project itself made of
-- them. It takes the place of the videoplanet.project_json of an earlier file, which read the profiles of all people.
--
-- These functions are merged into the statement that calls them. They name the people beforehand, by an array that an index
-- serves: a join would read everybody's profile, since project_json does without nested loops.

create function videoplanet.project_people(projects bigint[]) returns table (project_id bigint, member_list json, members json)
    language sql stable
begin atomic
    select person.project_id,
           coalesce(json_agg(row_to_json(legacy)) filter (where person.rating <> 'owner'), '[]'),
           json_agg(row_to_json(modern))
    from (select part.*, u.email, u.nickname, u.is_active,
                 videoplanet.display_name(u.nickname, u.email) as name,
                 videoplanet.file_url(u.profile_image) as avatar,
                 trestle.timestamp_text(part.created) as joined
          from (select p.id as project_id, 0 as id, p.user_id, 'owner' as rating, p.created
                from videoplanet.projects p
                where p.id = any (projects)
                union all
                select m.project_id, m.id, m.user_id, m.rating, m.created
                from videoplanet.project_members m
                where m.project_id = any (projects)) as part
          join videoplanet.users u on u.id = part.user_id
          where u.id = any (array(select p.user_id from videoplanet.projects p where p.id = any (projects)
                                  union
                                  select m.user_id from videoplanet.project_members m where m.project_id = any (projects)))
          order by part.project_id, part.id) as person
    cross join lateral (
        select person.id, person.user_id, person.rating, person.email, person.nickname,
               person.joined as joined_date, person.is_active) as legacy
    cross join lateral (
        select person.user_id as id, person.user_id, person.user_id as "userId", person.name,
               person.name as user_name, person.name as "userName", person.email, person.avatar as user_avatar,
               case person.rating when 'owner' then 'owner' when 'manager' then 'admin' else 'editor' end as role,
               person.joined as joined_at, false as is_online) as modern
    group by person.project_id;
end;
comment on function videoplanet.project_people(bigint[]) is
    'Who takes part in these projects, a row for each project: member_list as the released pages have it, without the owner; members begins '
    'with him.';

create function videoplanet.project_memo_forms(projects bigint[]) returns table (project_id bigint, id bigint, date date, form json)
    language sql stable
begin atomic
    select m.project_id, m.id, m.date, row_to_json(form)
    from (select memo.id, memo.project_id, memo.user_id, memo.date, memo.memo, u.nickname,
                 videoplanet.display_name(u.nickname, u.email) as name,
                 trestle.timestamp_text(memo.created) as created,
                 trestle.timestamp_text(memo.updated) as updated
          from videoplanet.project_memos memo
          left join videoplanet.users u
              on u.id = memo.user_id
             and u.id = any (array(select other.user_id from videoplanet.project_memos other where other.project_id = any (projects)))
          where memo.project_id = any (projects)
          offset 0) as m -- computed once, shown under several names
    cross join lateral (
        select m.id, m.date, m.memo, m.memo as content, m.nickname as author, m.user_id, m.user_id as "userId",
               m.name as "userName", m.project_id as "projectId", m.created as created_at, m.updated as updated_at,
               m.created as created_date) as form;
end;
comment on function videoplanet.project_memo_forms(bigint[]) is 'The memos of these projects as clients are shown them.';

create or replace function videoplanet.project_json(ids bigint[]) returns json
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp
    -- one plan for any number of ids: never planned again, and joins that do not grow with the square of the rows
    set plan_cache_mode = force_generic_plan set enable_nestloop = off
as $$
declare
    mine constant bigint[] := videoplanet.my_projects();
    visible constant bigint[] := array(select w.id from unnest(ids) with ordinality as w(id, place)
                                       where w.id = any (mine) order by w.place);
    mine_as_admin constant bigint[] := videoplanet.my_admin_projects();
    administered constant bigint[] := array(select w.id from unnest(visible) as w(id) where w.id = any (mine_as_admin));
begin
    return (with invites as (
        select i.project_id, json_agg(row_to_json(form) order by i.id) as list
        from videoplanet.project_invites i
        cross join lateral (
            select i.id, i.email, trestle.timestamp_text(i.created) as invited_date, true as is_pending) as form
        where i.project_id = any (administered) and i.status in ('pending', 'sent') and i.expires_at > now()
        group by i.project_id
    ), files as (
        select f.project_id, json_agg(row_to_json(form) order by f.id) as list
        from videoplanet.project_files f
        cross join lateral (
            select f.id, 'project_file/' || f.file_name as file_name, videoplanet.file_url(f.files) as files,
                   trestle.timestamp_text(f.created) as upload_date, f.file_size, f.file_type,
                   null as thumbnail) as form
        where f.project_id = any (visible)
        group by f.project_id
    ), memos as (
        select m.project_id, json_agg(m.form order by m.date, m.id) as list
        from videoplanet.project_memo_forms(visible) m
        group by m.project_id
    ), milestones as (
        select m.project_id, json_agg(row_to_json(form) order by m.due_date, m.id) as list
        from videoplanet.milestones m
        cross join lateral (
            select m.id, m.name, m.name as title, m.description, m.due_date, m.due_date as "dueDate", m.completed,
                   m.progress) as form
        where m.project_id = any (visible)
        group by m.project_id
    )
    select coalesce(json_agg(row_to_json(form) order by array_position(visible, p.id)), '[]')
    from (select p.id, p.name, p.description, p.manager, p.consumer, p.color, p.details,
                 u.id as owner_id, u.email as owner_email, u.nickname as owner_nickname,
                 videoplanet.display_name(u.nickname, u.email) as owner_name,
                 videoplanet.effective_status(p.status, s.started, s.end_date) as status,
                 videoplanet.effective_progress(p.progress, s.ended, s.dated) as progress,
                 s.phase, s.dates, s.phases,
                 trestle.timestamp_text(s.first_date) as first_date,
                 trestle.timestamp_text(s.end_date) as end_date,
                 trestle.timestamp_text(p.created) as created,
                 trestle.timestamp_text(p.updated) as updated,
                 people.member_list, people.members,
                 coalesce(invites.list, '[]') as invites,
                 coalesce(files.list, '[]') as files,
                 coalesce(memos.list, '[]') as memos,
                 coalesce(milestones.list, '[]') as milestones
          from videoplanet.projects p
          join videoplanet.users u on u.id = p.user_id and u.id = any (array(select user_id from videoplanet.projects where id = any (visible)))
          join videoplanet.schedules(visible) s on s.project_id = p.id
          join videoplanet.project_people(visible) people on people.project_id = p.id
          left join invites on invites.project_id = p.id
          left join files on files.project_id = p.id
          left join memos on memos.project_id = p.id
          left join milestones on milestones.project_id = p.id
          where p.id = any (visible)
          offset 0) as p -- computed once, shown under several names
    cross join lateral (
        select p.id,
               p.name,
               p.name as title,
               p.name as project_name,
               p.description,
               p.description as overview,
               p.manager,
               p.manager as project_manager_name,
               p.consumer,
               p.consumer as "clientName",
               p.consumer as brand_name,
               p.color,
               p.status,
               p.progress,
               p.phase,
               p.first_date,
               p.first_date as start_date,
               p.end_date,
               p.end_date as deadline,
               p.dates[1] as basic_plan,
               p.dates[2] as story_board,
               p.dates[3] as filming,
               p.dates[4] as video_edit,
               p.dates[5] as post_work,
               p.dates[6] as video_preview,
               p.dates[7] as confirmation,
               p.dates[8] as video_delivery,
               p.phases,
               p.owner_id,
               p.owner_email,
               p.owner_nickname,
               json_build_object('id', p.owner_id, 'name', p.owner_name, 'email', p.owner_email)
                   as owner,
               p.member_list,
               p.members,
               p.invites as pending_list,
               p.files,
               p.memos as memo,
               p.memos as memo_list,
               p.milestones,
               p.created,
               p.updated,
               p.created as created_at,
               p.updated as updated_at,
               p.created as "createdAt",
               p.updated as "updatedAt",
               p.status not in ('completed', 'cancelled') as "isActive",
               p.details -> 'reference_link' as reference_link,
               p.details -> 'budget' as budget,
               p.details -> 'project_manager_phone' as project_manager_phone,
               p.details -> 'additional_requests' as additional_requests,
               p.details -> 'shooting_location' as shooting_location,
               p.details -> 'shooting_date' as shooting_date,
               p.details -> 'actor_budget' as actor_budget,
               p.details -> 'location_budget' as location_budget,
               p.details -> 'props_budget' as props_budget,
               p.details -> 'costume_budget' as costume_budget) as form);
end
$$;
comment on function videoplanet.project_json(bigint[]) is
    'An array of these projects as the caller may see them, in the order of ids; those out of his reach are left out. It reads past '
    'the policies: one check of the ids instead of one in each of nine tables.';

grant execute on function videoplanet.project_people(bigint[]), videoplanet.project_memo_forms(bigint[]) to :"user";
