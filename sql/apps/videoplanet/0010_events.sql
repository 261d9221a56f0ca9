-- What happens by itself: people are told, and the project's timeline grows. Only what a caller does is an event; what an
-- operator or a migration writes is none.
--
-- Trigger functions of this file write rows that request roles cannot write, so they run as the owner.

create function videoplanet.others(project bigint, besides bigint) returns setof bigint
    language sql stable
begin atomic
    select user_id from videoplanet.projects where id = project and user_id <> besides
    union all
    select user_id from videoplanet.project_members where project_id = project and user_id <> besides;
end;
comment on function videoplanet.others(bigint, bigint) is 'Who takes part in a project, without one person. For the owner''s functions.';

create function videoplanet.note_project() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into videoplanet.activities (project_id, actor_id, action, target)
    values (new.id, trestle.account_id(), 'created', 'project');
    return null;
end
$$;
comment on function videoplanet.note_project() is 'Trigger function: a new project begins its timeline.';
create trigger note after insert on videoplanet.projects
    for each row when (trestle.account_id() is not null) execute function videoplanet.note_project();

create function videoplanet.note_dates() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into videoplanet.activities (project_id, actor_id, action, target, details)
    select changed.project_id, trestle.account_id(), 'date_changed', 'project',
           jsonb_build_object('stages', jsonb_agg(changed.key order by c.position))
    from changed
    join videoplanet.stages c using (key)
    group by changed.project_id;
    return null;
end
$$;
comment on function videoplanet.note_dates() is 'Trigger function: new dates are noted once a project, with the stages that have them.';
create trigger note after update on videoplanet.project_stages referencing new table as changed
    for each statement when (trestle.account_id() is not null) execute function videoplanet.note_dates();

create function videoplanet.tell_invited() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into videoplanet.notifications
        (user_id, kind, type, category, priority, title, message, project_id, sender_id, action_required, metadata, expires_at)
    select invited.id, 'project', 'invitation', 'project', 'high', '프로젝트 초대',
           format('%s님이 %s 프로젝트에 초대했습니다.', videoplanet.display_name(inviter.nickname, inviter.email), p.name),
           p.id, inviter.id, true, jsonb_build_object('invitation_id', new.id), new.expires_at
    from trestle.account a
    join videoplanet.users invited on invited.id = a.id
    join videoplanet.projects p on p.id = new.project_id
    join videoplanet.users inviter on inviter.id = new.inviter_id
    where lower(a.email) = lower(new.email);
    return null;
end
$$;
comment on function videoplanet.tell_invited() is 'Trigger function: an invited person who has an account is told.';
create trigger tell after insert on videoplanet.project_invites
    for each row when (trestle.account_id() is not null) execute function videoplanet.tell_invited();

create function videoplanet.tell_inviter() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant bigint := trestle.account_id();
begin
    insert into videoplanet.activities (project_id, actor_id, action, target, details)
    values (new.project_id, me, 'member_joined', 'member', jsonb_build_object('user_id', me));
    insert into videoplanet.notifications
        (user_id, kind, type, category, priority, title, message, project_id, sender_id, metadata)
    select new.inviter_id, 'project', 'status_change', 'project', 'medium', '초대 수락',
           format('%s님이 %s 프로젝트에 참여했습니다.', videoplanet.display_name(u.nickname, u.email), p.name),
           p.id, u.id, jsonb_build_object('invitation_id', new.id)
    from videoplanet.users u
    join videoplanet.projects p on p.id = new.project_id
    where u.id = me and new.inviter_id is not null;
    return null;
end
$$;
comment on function videoplanet.tell_inviter() is 'Trigger function: who accepts an invitation is noted, and its inviter is told.';
create trigger tell_inviter after update of status on videoplanet.project_invites
    for each row when (new.status = 'accepted' and old.status <> 'accepted' and trestle.account_id() is not null)
    execute function videoplanet.tell_inviter();

create function videoplanet.tell_of_remark() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into videoplanet.notifications
        (user_id, kind, type, category, priority, title, message, project_id, sender_id, metadata)
    select others, 'feedback', 'new_feedback', 'feedback', 'medium', '새 의견', left(new.text, 200),
           new.project_id, case when not new.security then new.user_id end, jsonb_build_object('feedback_id', new.id)
    from videoplanet.others(new.project_id, new.user_id) as others;
    return null;
end
$$;
comment on function videoplanet.tell_of_remark() is
    'Trigger function: all other members are told of a remark; the author of an anonymous one is not named.';
create trigger tell after insert on videoplanet.feedback_items
    for each row when (trestle.account_id() is not null) execute function videoplanet.tell_of_remark();
