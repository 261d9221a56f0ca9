-- Who adds to a project that he does not change holds it first, so that its deletion comes before or after, and waits for
-- nothing that waits for it.

create function videoplanet.hold_project(project bigint) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform from videoplanet.projects where id = project for key share;
end
$$;
comment on function videoplanet.hold_project(bigint) is
    'Keeps a project, if it is there, from being deleted until the end of the transaction; asked before anything below the project is locked. '
    'It tells nothing: rights are the next statement''s.';

create or replace function videoplanet.accept_invitation(project bigint, token text) returns text
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant bigint := trestle.account_id();
    invite videoplanet.project_invites;
begin
    perform videoplanet.hold_project(project);
    select i.* into invite
    from videoplanet.project_invites i
    join trestle.account a on a.id = me and lower(a.email) = lower(i.email)
    where i.project_id = project and i.token_hash = sha256(convert_to(token, 'UTF8'))
    for no key update of i;
    if not found
       or invite.status in ('cancelled', 'declined')
       or invite.status = 'accepted'
          and not exists (select from videoplanet.project_members m where m.project_id = project and m.user_id = me) then
        perform trestle.refuse(400, 'VALIDATION_ERROR', '초대 링크가 올바르지 않거나 이미 사용되었습니다.', 'token');
    elsif invite.status = 'expired' or invite.status <> 'accepted' and invite.expires_at <= now() then
        perform trestle.refuse(410, 'INVITATION_EXPIRED', '초대가 만료되었습니다.', 'token');
    elsif invite.status <> 'accepted' then
        insert into videoplanet.project_members (project_id, user_id) values (project, me) on conflict do nothing;
        update videoplanet.project_invites set status = 'accepted', accepted_at = now() where id = invite.id;
    end if;
    return (select name from videoplanet.projects where id = project);
end
$$;

create or replace function api.remark_create(
    id bigint, section text default null, contents text default null, title text default null, secret boolean default null)
    returns json
    language plpgsql as $$
#variable_conflict use_column
declare
    me constant bigint := trestle.require_account();
    project constant bigint := remark_create.id;
    made bigint;
begin
    perform videoplanet.hold_project(project);
    if not videoplanet.is_member(project) then
        perform videoplanet.refuse_project(project);
    elsif btrim(remark_create.section) <> '' is not true then
        perform trestle.refuse(400, 'REQUIRED_FIELD_MISSING', '영상의 구간이 필요합니다.', 'section');
    elsif btrim(contents) <> '' is not true then
        perform trestle.refuse(400, 'REQUIRED_FIELD_MISSING', '내용이 필요합니다.', 'contents');
    end if;
    insert into videoplanet.feedback_items (feedback_id, project_id, user_id, security, title, section, text)
    select f.id, f.project_id, me, coalesce(secret, false), coalesce(videoplanet.limited(remark_create.title, 200, 'title'), ''),
           videoplanet.limited(remark_create.section, 100, 'section'), contents
    from videoplanet.feedbacks f
    where f.project_id = project
    returning id into made;
    return (select row_to_json(answer)
            from (select true as success, 'success' as message, videoplanet.remark_json(array[made]) -> 0 as result) as answer);
end
$$;

grant execute on function videoplanet.hold_project(bigint) to :"user";
