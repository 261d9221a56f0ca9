-- What concerns one project costs what that project costs. Policies work out all of the caller's projects, that of users even
-- everybody in them, once for each table of a statement. So these functions, which take the place of earlier ones, ask about the
-- one project and read past the policies, or meet them once.

create function videoplanet.feedback_json(project bigint) returns json
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp
    set plan_cache_mode = force_generic_plan -- the same plan for each project
as $$
begin
    if not videoplanet.is_member(project) then
        return null;
    end if;
    return (
        select row_to_json(form)
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
                   videoplanet.remark_json(array(
                       select i.id from videoplanet.feedback_items i where i.project_id = project order by i.created desc, i.id desc))
                       as feedback) as form
        where p.id = project);
end
$$;
comment on function videoplanet.feedback_json(bigint) is
    'The screening room of a project with all remarks, newest first; null when the caller takes no part in it.';

create or replace function api.feedback_detail(id bigint) returns json
    language plpgsql stable as $$
declare
    me constant bigint := trestle.require_account();
    shown constant json := videoplanet.feedback_json(feedback_detail.id);
begin
    if shown is null then
        perform videoplanet.refuse_project(feedback_detail.id);
    end if;
    return (select row_to_json(answer)
            from (select true as success, 'success' as message, shown as result, data
                  from (select shown as result) as data) as answer);
end
$$;

drop function videoplanet.project_memo_forms(bigint[]);
create function videoplanet.project_memo_forms(projects bigint[], one bigint default null)
    returns table (project_id bigint, id bigint, date date, form json)
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
          where memo.project_id = any (projects) and (one is null or memo.id = one)
          offset 0) as m -- computed once, shown under several names
    cross join lateral (
        select m.id, m.date, m.memo, m.memo as content, m.nickname as author, m.user_id, m.user_id as "userId",
               m.name as "userName", m.project_id as "projectId", m.created as created_at, m.updated as updated_at,
               m.created as created_date) as form;
end;
comment on function videoplanet.project_memo_forms(bigint[], bigint) is
    'The memos of these projects as clients are shown them, or one of them. Without nested loops a join would read everybody''s profile, so the '
    'authors are named beforehand.';

create or replace function api.project_memo_create(
    id bigint, date text default null, memo text default null, content text default null)
    returns json
    language plpgsql as $$
#variable_conflict use_column
declare
    me constant bigint := trestle.require_account();
    written constant text := coalesce(project_memo_create.memo, content);
    day date;
    stored bigint;
    shown json;
begin
    perform videoplanet.require_admin(project_memo_create.id);
    day := coalesce(videoplanet.day(project_memo_create.date, 'date'), videoplanet.today());
    if btrim(written) <> '' then
        insert into videoplanet.project_memos (project_id, user_id, date, memo)
        values (project_memo_create.id, me, day, written)
        returning id into stored;
        shown := (select form from videoplanet.project_memo_forms(array[project_memo_create.id], stored));
    end if;
    return (select row_to_json(answer) from (select true as success, 'success' as message, shown as result, shown as memo) as answer);
end
$$;

create or replace function videoplanet.change_dates(project bigint, changes videoplanet.stage_change[], field text) returns void
    language plpgsql as $$
begin
    if changes = '{}' then
        return;
    end if;
    update videoplanet.project_stages s
    set start_date = case when change.sets_start then change.start_date else s.start_date end,
        end_date = case when change.sets_end then change.end_date else s.end_date end
    from unnest(changes) as change
    where s.project_id = project
      and s.key = change.key
      and case when case when change.sets_end then change.end_date else s.end_date end
                    < case when change.sets_start then change.start_date else s.start_date end
               then trestle.refuse(400, 'VALIDATION_ERROR', format('%s: 종료일이 시작일보다 빠릅니다.', s.key), field)
               else change.sets_start and change.start_date is distinct from s.start_date
                    or change.sets_end and change.end_date is distinct from s.end_date
          end;
end
$$;

create or replace function videoplanet.change_ratings(project bigint, members jsonb) returns void
    language plpgsql as $$
declare
    elements constant jsonb := videoplanet.json_value(members, 'array', 'members');
    known bigint;
begin
    if elements is null or elements = '[]' then
        return;
    elsif exists (select from jsonb_array_elements(elements) as member(value)
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

create function videoplanet.takes_part(project bigint, address text) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from videoplanet.projects p join videoplanet.users u on u.id = p.user_id
                   where p.id = project and lower(u.email) = lower(address))
        or exists (select from videoplanet.project_members m join videoplanet.users u on u.id = m.user_id
                   where m.project_id = project and lower(u.email) = lower(address));
end
$$;
comment on function videoplanet.takes_part(bigint, text) is
    'Whether somebody with this address owns the project or is a member of it. The caller has made sure of his right.';

create or replace function api.project_invite(id bigint, email text) returns json
    language plpgsql as $$
#variable_conflict use_column
declare
    me constant bigint := trestle.require_account();
    project constant bigint := project_invite.id;
    address constant text := btrim(project_invite.email);
    token constant text := videoplanet.invitation_token();
    made json;
begin
    perform videoplanet.require_admin(project);
    if (length(address) <= 254 and address ~ '^[^@[:space:]]+@[^@[:space:]]+$') is not true then
        perform trestle.refuse(400, 'VALIDATION_ERROR', '이메일 주소가 올바르지 않습니다.', 'email');
    elsif videoplanet.takes_part(project, address) then
        perform trestle.refuse(409, 'ALREADY_EXISTS', '이미 프로젝트에 참여하고 있습니다.', 'email');
    end if;

    update videoplanet.project_invites set status = 'expired'
    where project_id = project and lower(email) = lower(address) and status in ('pending', 'sent') and expires_at <= now();
    with stored as (
        insert into videoplanet.project_invites (project_id, email, token_hash, inviter_id)
        values (project, address, sha256(convert_to(token, 'UTF8')), me)
        on conflict (project_id, lower(email)) where status in ('pending', 'sent') do nothing
        returning id, email, status, trestle.timestamp_text(expires_at) as expires_at)
    select row_to_json(stored) into made from stored;
    if not found then
        perform trestle.refuse(409, 'DUPLICATE_INVITATION', '이미 초대한 주소입니다.', 'email');
    end if;
    return (select row_to_json(answer) from (select true as success, 'success' as message, made as result) as answer);
end
$$;

grant execute on function
    videoplanet.feedback_json(bigint),
    videoplanet.project_memo_forms(bigint[], bigint),
    videoplanet.takes_part(bigint, text)
    to :"user";
