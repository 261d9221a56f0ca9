-- What clients are shown of a person, a project, a remark. Superset objects: a field that one frontend reads under
-- another name is there under both. json, not jsonb: members keep the order written here and nothing is parsed again.

create function videoplanet.user_json(account bigint) returns json
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select row_to_json(form)
    from (select u.id,
                 u.email,
                 videoplanet.display_name(u.nickname, u.email) as name,
                 u.nickname,
                 u.email as username,
                 u.login_method,
                 u.role,
                 u.phone,
                 u.company,
                 videoplanet.file_url(u.profile_image) as profile_image,
                 videoplanet.file_url(u.profile_image) as "profileImage",
                 a.email_verified_at is not null as "isEmailVerified",
                 u.is_active,
                 u.role = 'admin' as is_admin,
                 trestle.timestamp_text(a.created) as created_at,
                 trestle.timestamp_text(a.created) as "createdAt",
                 trestle.timestamp_text(greatest(a.updated, u.updated)) as updated_at,
                 trestle.timestamp_text(a.last_login) as last_login
          from videoplanet.users u
          join trestle.account a using (id)
          where u.id = user_json.account) as form;
end;
comment on function videoplanet.user_json(bigint) is
    'A person as he sees himself; null when there is none. Not for the eyes of others: it tells of his sign-ins.';

create function videoplanet.project_json(ids bigint[]) returns json
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
    return (with people as (
        select person.project_id,
               json_agg(row_to_json(legacy)) filter (where person.rating <> 'owner') as member_list,
               json_agg(row_to_json(modern)) as members
        from (select every.*, u.email, u.nickname, u.is_active,
                     videoplanet.display_name(u.nickname, u.email) as name,
                     videoplanet.file_url(u.profile_image) as avatar,
                     trestle.timestamp_text(every.created) as joined
              from (select id as project_id, 0 as id, user_id, 'owner' as rating, created
                    from videoplanet.projects
                    where id = any (visible)
                    union all
                    select project_id, id, user_id, rating, created
                    from videoplanet.project_members
                    where project_id = any (visible)) as every
              join videoplanet.users u on u.id = every.user_id
              order by every.project_id, every.id) as person
        cross join lateral (
            select person.id, person.user_id, person.rating, person.email, person.nickname,
                   person.joined as joined_date, person.is_active) as legacy
        cross join lateral (
            select person.user_id as id, person.user_id, person.user_id as "userId", person.name,
                   person.name as user_name, person.name as "userName", person.email, person.avatar as user_avatar,
                   case person.rating when 'owner' then 'owner' when 'manager' then 'admin' else 'editor' end as role,
                   person.joined as joined_at, false as is_online) as modern
        group by person.project_id
    ), invites as (
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
        select m.project_id, json_agg(row_to_json(form) order by m.date, m.id) as list
        from (select m.id, m.project_id, m.user_id, m.date, m.memo, u.nickname,
                     videoplanet.display_name(u.nickname, u.email) as name,
                     trestle.timestamp_text(m.created) as created,
                     trestle.timestamp_text(m.updated) as updated
              from videoplanet.project_memos m
              left join videoplanet.users u on u.id = m.user_id
              where m.project_id = any (visible)
              offset 0) as m
        cross join lateral (
            select m.id, m.date, m.memo, m.memo as content, m.nickname as author, m.user_id, m.user_id as "userId",
                   m.name as "userName", m.project_id as "projectId", m.created as created_at, m.updated as updated_at,
                   m.created as created_date) as form
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
                 coalesce(people.member_list, '[]') as member_list,
                 people.members,
                 coalesce(invites.list, '[]') as invites,
                 coalesce(files.list, '[]') as files,
                 coalesce(memos.list, '[]') as memos,
                 coalesce(milestones.list, '[]') as milestones
          from videoplanet.projects p
          join videoplanet.users u on u.id = p.user_id
          join videoplanet.schedules(visible) s on s.project_id = p.id
          join people on people.project_id = p.id
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

create function videoplanet.remark_json(ids bigint[]) returns json
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp
    -- one plan for any number of ids: never planned again, and joins that do not grow with the square of the rows
    set plan_cache_mode = force_generic_plan set enable_nestloop = off
as $$
declare
    me constant bigint := trestle.account_id();
    mine constant bigint[] := videoplanet.my_projects();
begin
    return (with replies as (
        select c.item_id, count(*) as number
        from videoplanet.comments c
        where c.item_id = any (ids) and c.deleted_at is null
        group by c.item_id
    ), reactions as (
        select kind.item_id, json_object_agg(kind.kind, kind.people order by kind.kind) as list
        from (select r.item_id, r.kind, json_agg(r.user_id order by r.id) as people
              from videoplanet.reactions r
              where r.item_id = any (ids)
              group by r.item_id, r.kind) as kind
        group by kind.item_id
    )
    select coalesce(json_agg(row_to_json(form) order by array_position(ids, i.id)), '[]')
    from (select i.*, u.email, u.nickname,
                 videoplanet.display_name(u.nickname, u.email) as name,
                 case when p.user_id = i.user_id then 'owner' when m.rating = 'manager' then 'admin' else 'editor' end as role,
                 i.security and i.user_id is distinct from me as hidden,
                 trim_scale(i.seconds) as position,
                 trestle.timestamp_text(i.created) as created_text,
                 trestle.timestamp_text(i.updated) as updated_text,
                 i.user_id = me or exists (select from videoplanet.feedback_reads r
                                           where r.item_id = i.id and r.user_id = me) as is_read,
                 coalesce(replies.number, 0) as reply_count,
                 coalesce(reactions.list, '{}') as reactions
          from videoplanet.feedback_items i
          join videoplanet.projects p on p.id = i.project_id
          join videoplanet.users u on u.id = i.user_id
          left join videoplanet.project_members m on m.project_id = i.project_id and m.user_id = i.user_id
          left join replies on replies.item_id = i.id
          left join reactions on reactions.item_id = i.id
          where i.id = any (ids) and i.project_id = any (mine)
          offset 0) as i -- computed once, shown under several names
    cross join lateral (
        select i.id,
               i.project_id,
               i.project_id as "projectId",
               i.project_id as feedback_id,
               i.title,
               i.section,
               i.text,
               i.text as content,
               i.text as contents,
               i.security,
               i.security as secret,
               i.position as seconds,
               i.position as timestamp,
               i.type,
               i.status,
               i.priority,
               i.tags,
               case when i.hidden then '' else i.email end as email,
               case when i.hidden then '' else i.nickname end as nickname,
               case when not i.hidden then i.user_id end as user_id,
               case when i.hidden then '' else i.name end as user_name,
               case when i.hidden then '' else i.role end as user_role,
               case when i.hidden then '' when i.role = 'editor' then 'basic' else 'manager' end as rating,
               i.created_text as created,
               i.updated_text as updated,
               i.created_text as created_at,
               i.updated_text as updated_at,
               i.is_read,
               null::bigint as parent_id,
               i.reply_count,
               i.reactions) as form);
end
$$;
comment on function videoplanet.remark_json(bigint[]) is
    'An array of these remarks as the caller may see them, in the order of ids; those of projects out of his reach are left out. The '
    'author of an anonymous remark is blank for everyone but himself.';

grant execute on function videoplanet.project_json(bigint[]), videoplanet.remark_json(bigint[]) to :"user";
