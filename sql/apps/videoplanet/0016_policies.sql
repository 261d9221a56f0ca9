-- The policies once more, in a form that leaves the statement its own index. An array of all of the caller's projects made each
-- statement about one project look into the index for every other one, too. A sub-select that exists is asked for the few rows
-- that a statement finds, or, for many, hashed once: the planner decides.

create view videoplanet.my_roles with (security_barrier) as
    select p.id as project_id, true as manages
    from videoplanet.projects p
    where p.user_id = (select trestle.account_id())
    union all
    select m.project_id, m.rating = 'manager'
    from videoplanet.project_members m
    where m.user_id = (select trestle.account_id());
comment on view videoplanet.my_roles is
    'The projects that the caller takes part in; manages: as owner or manager. It reads past the policies, which are made of it, and shows each '
    'caller his own alone.';
grant select on videoplanet.my_roles to :"user";

-- Projects -------------------------------------------------------------------------------------------------------------

alter policy read on videoplanet.projects
    using (user_id = (select trestle.account_id())
           or exists (select from videoplanet.my_roles r where r.project_id = projects.id));
alter policy change on videoplanet.projects
    using (user_id = (select trestle.account_id())
           or exists (select from videoplanet.my_roles r where r.project_id = projects.id and r.manages));
alter policy remove on videoplanet.projects
    using (user_id = (select trestle.account_id())
           or exists (select from videoplanet.my_roles r where r.project_id = projects.id and r.manages));

alter policy read on videoplanet.project_stages
    using (exists (select from videoplanet.my_roles r where r.project_id = project_stages.project_id));
alter policy change on videoplanet.project_stages
    using (exists (select from videoplanet.my_roles r where r.project_id = project_stages.project_id and r.manages));

alter policy read on videoplanet.project_members
    using (exists (select from videoplanet.my_roles r where r.project_id = project_members.project_id));
alter policy change on videoplanet.project_members
    using (exists (select from videoplanet.my_roles r where r.project_id = project_members.project_id and r.manages));
alter policy remove_or_leave on videoplanet.project_members
    using (user_id = (select trestle.account_id())
           or exists (select from videoplanet.my_roles r where r.project_id = project_members.project_id and r.manages));

alter policy read on videoplanet.project_files
    using (exists (select from videoplanet.my_roles r where r.project_id = project_files.project_id));
alter policy add on videoplanet.project_files
    with check (uploaded_by = (select trestle.account_id())
                and exists (select from videoplanet.my_roles r where r.project_id = project_files.project_id and r.manages));
alter policy remove on videoplanet.project_files
    using (exists (select from videoplanet.my_roles r where r.project_id = project_files.project_id and r.manages));

alter policy read on videoplanet.project_memos
    using (exists (select from videoplanet.my_roles r where r.project_id = project_memos.project_id));
alter policy add on videoplanet.project_memos
    with check (user_id = (select trestle.account_id())
                and exists (select from videoplanet.my_roles r where r.project_id = project_memos.project_id and r.manages));
alter policy remove on videoplanet.project_memos
    using (exists (select from videoplanet.my_roles r where r.project_id = project_memos.project_id and r.manages));

alter policy read on videoplanet.project_invites
    using (lower(email) = (select videoplanet.my_email())
           or exists (select from videoplanet.my_roles r where r.project_id = project_invites.project_id and r.manages));
alter policy add on videoplanet.project_invites
    with check (inviter_id = (select trestle.account_id())
                and exists (select from videoplanet.my_roles r where r.project_id = project_invites.project_id and r.manages));
alter policy change on videoplanet.project_invites
    using (exists (select from videoplanet.my_roles r where r.project_id = project_invites.project_id and r.manages));
alter policy remove on videoplanet.project_invites
    using (exists (select from videoplanet.my_roles r where r.project_id = project_invites.project_id and r.manages));

alter policy read on videoplanet.milestones
    using (exists (select from videoplanet.my_roles r where r.project_id = milestones.project_id));
alter policy add on videoplanet.milestones
    with check (exists (select from videoplanet.my_roles r where r.project_id = milestones.project_id and r.manages));
alter policy change on videoplanet.milestones
    using (exists (select from videoplanet.my_roles r where r.project_id = milestones.project_id and r.manages));
alter policy remove on videoplanet.milestones
    using (exists (select from videoplanet.my_roles r where r.project_id = milestones.project_id and r.manages));

-- The film and its remarks ---------------------------------------------------------------------------------------------

alter policy read on videoplanet.feedbacks
    using (exists (select from videoplanet.my_roles r where r.project_id = feedbacks.project_id));
alter policy change on videoplanet.feedbacks
    using (exists (select from videoplanet.my_roles r where r.project_id = feedbacks.project_id and r.manages));

alter policy read on videoplanet.feedback_items
    using (exists (select from videoplanet.my_roles r where r.project_id = feedback_items.project_id));
alter policy write on videoplanet.feedback_items
    with check (user_id = (select trestle.account_id())
                and exists (select from videoplanet.my_roles r where r.project_id = feedback_items.project_id));
alter policy change on videoplanet.feedback_items
    using (exists (select from videoplanet.my_roles r
                   where r.project_id = feedback_items.project_id and (r.manages or feedback_items.user_id = (select trestle.account_id()))));
alter policy remove on videoplanet.feedback_items
    using (user_id = (select trestle.account_id())
           and exists (select from videoplanet.my_roles r where r.project_id = feedback_items.project_id));

alter policy mark on videoplanet.feedback_reads
    with check (user_id = (select trestle.account_id())
                and exists (select from videoplanet.my_roles r where r.project_id = feedback_reads.project_id));

alter policy read on videoplanet.comments
    using (exists (select from videoplanet.my_roles r where r.project_id = comments.project_id));
alter policy write on videoplanet.comments
    with check (user_id = (select trestle.account_id())
                and exists (select from videoplanet.my_roles r where r.project_id = comments.project_id));
alter policy change on videoplanet.comments
    using (user_id = (select trestle.account_id())
           and exists (select from videoplanet.my_roles r where r.project_id = comments.project_id));
alter policy remove on videoplanet.comments
    using (user_id = (select trestle.account_id())
           and exists (select from videoplanet.my_roles r where r.project_id = comments.project_id));

alter policy read on videoplanet.reactions
    using (exists (select from videoplanet.my_roles r where r.project_id = reactions.project_id));
alter policy react on videoplanet.reactions
    with check (user_id = (select trestle.account_id())
                and exists (select from videoplanet.my_roles r where r.project_id = reactions.project_id));
alter policy remove on videoplanet.reactions
    using (user_id = (select trestle.account_id())
           and exists (select from videoplanet.my_roles r where r.project_id = reactions.project_id));

alter policy read on videoplanet.chat_messages
    using (exists (select from videoplanet.my_roles r where r.project_id = chat_messages.project_id));
alter policy write on videoplanet.chat_messages
    with check (user_id = (select trestle.account_id())
                and exists (select from videoplanet.my_roles r where r.project_id = chat_messages.project_id));

-- What people are told -------------------------------------------------------------------------------------------------

alter policy read on videoplanet.activities
    using (exists (select from videoplanet.my_roles r where r.project_id = activities.project_id));
