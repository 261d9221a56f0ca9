-- Who may see and change which row. Grants say which verbs and columns a signed-in person has at all, policies on which
-- rows. The owner role is exempt from policies: it runs migrations and the SECURITY DEFINER functions, which check rights
-- themselves.
--
-- A policy compares the row's project with an array of the caller's projects. The array is a sub-select without
-- reference to the row, so it is computed once a statement, and "= any (array)" can use an index.

grant usage on schema videoplanet to :"login", :"anonymous", :"user";

-- Whose is what ------------------------------------------------------------------------------------------------------

create function videoplanet.my_projects() returns bigint[]
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant bigint := trestle.account_id();
begin
    return array(select id from videoplanet.projects where user_id = me
                 union all
                 select project_id from videoplanet.project_members where user_id = me);
end
$$;
comment on function videoplanet.my_projects() is 'Ids of the projects that the caller owns or is a member of.';

create function videoplanet.my_admin_projects() returns bigint[]
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant bigint := trestle.account_id();
begin
    return array(select id from videoplanet.projects where user_id = me
                 union all
                 select project_id from videoplanet.project_members where user_id = me and rating = 'manager');
end
$$;
comment on function videoplanet.my_admin_projects() is 'Ids of the projects that the caller owns or manages.';

create function videoplanet.my_people() returns bigint[]
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    mine constant bigint[] := videoplanet.my_projects();
begin
    return array(select user_id from videoplanet.projects where id = any (mine)
                 union
                 select user_id from videoplanet.project_members where project_id = any (mine));
end
$$;
comment on function videoplanet.my_people() is
    'Ids of the people whose profile the caller may read besides his own: all who take part in one of his projects.';

create function videoplanet.my_email() returns text
    language sql stable security definer set search_path = pg_catalog, pg_temp
    return (select lower(email)
            from trestle.account
            where id = trestle.account_id() and email_verified_at is not null);
comment on function videoplanet.my_email() is 'The caller''s address in small letters; null until it is verified.';

create function videoplanet.is_member(project bigint) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant bigint := trestle.account_id();
begin
    return exists (select from videoplanet.projects where id = project and user_id = me)
        or exists (select from videoplanet.project_members where project_id = project and user_id = me);
end
$$;
comment on function videoplanet.is_member(bigint) is 'Whether the caller owns the project or is a member of it. For one row; lists use my_projects().';

create function videoplanet.is_admin(project bigint) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant bigint := trestle.account_id();
begin
    return exists (select from videoplanet.projects where id = project and user_id = me)
        or exists (select from videoplanet.project_members
                   where project_id = project and user_id = me and rating = 'manager');
end
$$;
comment on function videoplanet.is_admin(bigint) is 'Whether the caller owns or manages the project. For one row; lists use my_admin_projects().';

create function videoplanet.refuse_project(project bigint) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from videoplanet.projects where id = project) then
        return trestle.refuse(403, 'PERMISSION_DENIED', '이 프로젝트에 대한 권한이 없습니다.');
    end if;
    return trestle.refuse(404, 'NOT_FOUND', '프로젝트를 찾을 수 없습니다.');
end
$$;
comment on function videoplanet.refuse_project(bigint) is
    'Refuses a request for a project out of the caller''s reach. Never returns. Errors: 403 PERMISSION_DENIED when the '
    'project exists, else 404 NOT_FOUND.';

grant execute on function
    videoplanet.my_projects(),
    videoplanet.my_admin_projects(),
    videoplanet.my_people(),
    videoplanet.my_email(),
    videoplanet.is_member(bigint),
    videoplanet.is_admin(bigint),
    videoplanet.refuse_project(bigint)
    to :"user";

-- People -------------------------------------------------------------------------------------------------------------

alter table videoplanet.users enable row level security;
grant select, update (nickname, phone, company, profile_image) on videoplanet.users to :"user";
create policy read on videoplanet.users for select
    using (id = (select trestle.account_id()) or id = any ((select videoplanet.my_people())::bigint[]));
create policy change on videoplanet.users for update
    using (id = (select trestle.account_id()));

alter table videoplanet.user_memos enable row level security;
grant select, insert (user_id, date, memo), update (date, memo), delete on videoplanet.user_memos to :"user";
create policy own on videoplanet.user_memos
    using (user_id = (select trestle.account_id()));

-- Projects -----------------------------------------------------------------------------------------------------------

alter table videoplanet.stages enable row level security;
grant select on videoplanet.stages to :"user";
create policy read on videoplanet.stages for select using (true);

alter table videoplanet.projects enable row level security;
grant select,
    insert (user_id, name, manager, consumer, description, color, status, progress, details),
    update (name, manager, consumer, description, color, status, progress, details),
    delete
    on videoplanet.projects to :"user";
create policy read on videoplanet.projects for select
    using (user_id = (select trestle.account_id()) or id = any ((select videoplanet.my_projects())::bigint[]));
create policy create_own on videoplanet.projects for insert
    with check (user_id = (select trestle.account_id()));
create policy change on videoplanet.projects for update
    using (id = any ((select videoplanet.my_admin_projects())::bigint[]));
create policy remove on videoplanet.projects for delete
    using (id = any ((select videoplanet.my_admin_projects())::bigint[]));

alter table videoplanet.project_stages enable row level security;
grant select, update (start_date, end_date) on videoplanet.project_stages to :"user";
create policy read on videoplanet.project_stages for select
    using (project_id = any ((select videoplanet.my_projects())::bigint[]));
create policy change on videoplanet.project_stages for update
    using (project_id = any ((select videoplanet.my_admin_projects())::bigint[]));

alter table videoplanet.project_members enable row level security;
grant select, update (rating), delete on videoplanet.project_members to :"user";
create policy read on videoplanet.project_members for select
    using (project_id = any ((select videoplanet.my_projects())::bigint[]));
create policy change on videoplanet.project_members for update
    using (project_id = any ((select videoplanet.my_admin_projects())::bigint[]));
create policy remove_or_leave on videoplanet.project_members for delete
    using (user_id = (select trestle.account_id())
           or project_id = any ((select videoplanet.my_admin_projects())::bigint[]));

alter table videoplanet.project_files enable row level security;
grant select, insert (project_id, files, file_name, file_size, file_type, uploaded_by), delete
    on videoplanet.project_files to :"user";
create policy read on videoplanet.project_files for select
    using (project_id = any ((select videoplanet.my_projects())::bigint[]));
create policy add on videoplanet.project_files for insert
    with check (project_id = any ((select videoplanet.my_admin_projects())::bigint[])
                and uploaded_by = (select trestle.account_id()));
create policy remove on videoplanet.project_files for delete
    using (project_id = any ((select videoplanet.my_admin_projects())::bigint[]));

alter table videoplanet.project_memos enable row level security;
grant select, insert (project_id, user_id, date, memo), delete on videoplanet.project_memos to :"user";
create policy read on videoplanet.project_memos for select
    using (project_id = any ((select videoplanet.my_projects())::bigint[]));
create policy add on videoplanet.project_memos for insert
    with check (project_id = any ((select videoplanet.my_admin_projects())::bigint[])
                and user_id = (select trestle.account_id()));
create policy remove on videoplanet.project_memos for delete
    using (project_id = any ((select videoplanet.my_admin_projects())::bigint[]));

alter table videoplanet.project_invites enable row level security;
grant select (id, project_id, email, inviter_id, role, message, status, sent_count, last_sent_at, expires_at,
              accepted_at, created, updated),
    insert (project_id, email, token_hash, inviter_id, role, message, status, expires_at),
    update (token_hash, message, status, sent_count, last_sent_at, expires_at),
    delete
    on videoplanet.project_invites to :"user";
create policy read on videoplanet.project_invites for select
    using (project_id = any ((select videoplanet.my_admin_projects())::bigint[])
           or lower(email) = (select videoplanet.my_email()));
create policy add on videoplanet.project_invites for insert
    with check (project_id = any ((select videoplanet.my_admin_projects())::bigint[])
                and inviter_id = (select trestle.account_id()));
create policy change on videoplanet.project_invites for update
    using (project_id = any ((select videoplanet.my_admin_projects())::bigint[]));
create policy remove on videoplanet.project_invites for delete
    using (project_id = any ((select videoplanet.my_admin_projects())::bigint[]));

alter table videoplanet.milestones enable row level security;
grant select, insert (project_id, name, description, due_date, completed, progress),
    update (name, description, due_date, completed, progress), delete
    on videoplanet.milestones to :"user";
create policy read on videoplanet.milestones for select
    using (project_id = any ((select videoplanet.my_projects())::bigint[]));
create policy add on videoplanet.milestones for insert
    with check (project_id = any ((select videoplanet.my_admin_projects())::bigint[]));
create policy change on videoplanet.milestones for update
    using (project_id = any ((select videoplanet.my_admin_projects())::bigint[]));
create policy remove on videoplanet.milestones for delete
    using (project_id = any ((select videoplanet.my_admin_projects())::bigint[]));

-- The film and its remarks -------------------------------------------------------------------------------------------

alter table videoplanet.feedbacks enable row level security;
grant select, update (files, file_status) on videoplanet.feedbacks to :"user";
create policy read on videoplanet.feedbacks for select
    using (project_id = any ((select videoplanet.my_projects())::bigint[]));
create policy change on videoplanet.feedbacks for update
    using (project_id = any ((select videoplanet.my_admin_projects())::bigint[]));

-- admins change status, priority and assignee of others' remarks: the trigger guard_remark keeps them to that
alter table videoplanet.feedback_items enable row level security;
grant select (id, feedback_id, project_id, security, title, section, text, seconds, type, status, priority, tags,
              assignee_id, drawing, screenshot, created, updated),
    insert (feedback_id, project_id, user_id, security, title, section, text, seconds, type, status, priority, tags,
            assignee_id, drawing, screenshot),
    update (security, title, section, text, seconds, type, status, priority, tags, assignee_id, drawing, screenshot),
    delete
    on videoplanet.feedback_items to :"user";
create policy read on videoplanet.feedback_items for select
    using (project_id = any ((select videoplanet.my_projects())::bigint[]));
create policy write on videoplanet.feedback_items for insert
    with check (project_id = any ((select videoplanet.my_projects())::bigint[])
                and user_id = (select trestle.account_id()));
create policy change on videoplanet.feedback_items for update
    using (user_id = (select trestle.account_id()) and project_id = any ((select videoplanet.my_projects())::bigint[])
           or project_id = any ((select videoplanet.my_admin_projects())::bigint[]));
create policy remove on videoplanet.feedback_items for delete
    using (user_id = (select trestle.account_id()) and project_id = any ((select videoplanet.my_projects())::bigint[]));

create function videoplanet.guard_remark() returns trigger
    language plpgsql as $$
begin
    if row_security_active('videoplanet.feedback_items')
       and old.user_id is distinct from trestle.account_id()
       and (new.security, new.title, new.section, new.text, new.seconds, new.type, new.tags, new.drawing, new.screenshot)
           is distinct from
           (old.security, old.title, old.section, old.text, old.seconds, old.type, old.tags, old.drawing, old.screenshot)
    then
        perform trestle.refuse(403, 'PERMISSION_DENIED', '작성자만 의견을 고칠 수 있습니다.');
    end if;
    return new;
end
$$;
comment on function videoplanet.guard_remark() is
    'Trigger function: of another''s remark only status, priority and assignee can be changed. Errors: 403 PERMISSION_DENIED.';
create trigger guard before update on videoplanet.feedback_items
    for each row execute function videoplanet.guard_remark();

alter table videoplanet.feedback_reads enable row level security;
grant select, insert (item_id, project_id, user_id), delete on videoplanet.feedback_reads to :"user";
create policy read on videoplanet.feedback_reads for select
    using (user_id = (select trestle.account_id()));
create policy mark on videoplanet.feedback_reads for insert
    with check (user_id = (select trestle.account_id())
                and project_id = any ((select videoplanet.my_projects())::bigint[]));
create policy unmark on videoplanet.feedback_reads for delete
    using (user_id = (select trestle.account_id()));

alter table videoplanet.comments enable row level security;
grant select,
    insert (item_id, project_id, parent_id, user_id, client_id, content, video_timestamp, mentions),
    update (content, mentions, edited_at, deleted_at),
    delete
    on videoplanet.comments to :"user";
create policy read on videoplanet.comments for select
    using (project_id = any ((select videoplanet.my_projects())::bigint[]));
create policy write on videoplanet.comments for insert
    with check (project_id = any ((select videoplanet.my_projects())::bigint[])
                and user_id = (select trestle.account_id()));
create policy change on videoplanet.comments for update
    using (user_id = (select trestle.account_id()) and project_id = any ((select videoplanet.my_projects())::bigint[]));
create policy remove on videoplanet.comments for delete
    using (user_id = (select trestle.account_id()) and project_id = any ((select videoplanet.my_projects())::bigint[]));

alter table videoplanet.reactions enable row level security;
grant select, insert (item_id, comment_id, project_id, user_id, kind), delete on videoplanet.reactions to :"user";
create policy read on videoplanet.reactions for select
    using (project_id = any ((select videoplanet.my_projects())::bigint[]));
create policy react on videoplanet.reactions for insert
    with check (project_id = any ((select videoplanet.my_projects())::bigint[])
                and user_id = (select trestle.account_id()));
create policy remove on videoplanet.reactions for delete
    using (user_id = (select trestle.account_id()) and project_id = any ((select videoplanet.my_projects())::bigint[]));

alter table videoplanet.chat_messages enable row level security;
grant select, insert (project_id, user_id, message, client_id) on videoplanet.chat_messages to :"user";
create policy read on videoplanet.chat_messages for select
    using (project_id = any ((select videoplanet.my_projects())::bigint[]));
create policy write on videoplanet.chat_messages for insert
    with check (project_id = any ((select videoplanet.my_projects())::bigint[])
                and user_id = (select trestle.account_id()));

-- What people are told -----------------------------------------------------------------------------------------------

alter table videoplanet.notifications enable row level security;
grant select, update (read_at), delete on videoplanet.notifications to :"user";
create policy own on videoplanet.notifications
    using (user_id = (select trestle.account_id()));

alter table videoplanet.activities enable row level security;
grant select on videoplanet.activities to :"user";
create policy read on videoplanet.activities for select
    using (project_id = any ((select videoplanet.my_projects())::bigint[]));

alter table videoplanet.online_videos enable row level security;
grant select on videoplanet.online_videos to :"anonymous", :"user";
create policy read on videoplanet.online_videos for select using (true);

alter table videoplanet.sample_files enable row level security;
grant select on videoplanet.sample_files to :"user";
create policy read on videoplanet.sample_files for select using (true);
