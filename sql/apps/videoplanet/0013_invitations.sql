-- Inviting people into a project by their address, and accepting.

create function api.project_invite(id bigint, email text) returns json
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
    elsif exists (select from videoplanet.users
                  where lower(email) = lower(address)
                    and id in (select user_id from videoplanet.projects where id = project
                               union all
                               select user_id from videoplanet.project_members where project_id = project)) then
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
comment on function api.project_invite(bigint, text) is
    'Invites an address into a project for 14 days. Errors: 401 as trestle.require_account(); 403 and 404 as videoplanet.refuse_project(); with '
    'field email 400 VALIDATION_ERROR, 409 ALREADY_EXISTS for owner and members, 409 DUPLICATE_INVITATION.';

create function videoplanet.invitation_token() returns text
    language sql volatile
    return translate(encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'base64'), '+/=', '-_');
comment on function videoplanet.invitation_token() is 'A new token for the link of an invitation: 43 characters of base64url, 244 random bits.';

create function api.project_invite_cancel(id bigint, pk bigint default null, invitation_id bigint default null) returns json
    language plpgsql as $$
#variable_conflict use_column
declare
    me constant bigint := trestle.require_account();
    project constant bigint := project_invite_cancel.id;
    invitation constant bigint := coalesce(pk, invitation_id);
begin
    perform videoplanet.require_admin(project);
    if invitation is null then
        perform trestle.refuse(400, 'REQUIRED_FIELD_MISSING', '취소할 초대가 필요합니다.', 'pk');
    end if;
    update videoplanet.project_invites set status = 'cancelled'
    where id = invitation and project_id = project and status in ('pending', 'sent');
    return (select row_to_json(answer) from (select true as success, 'success' as message, invitation as result) as answer);
end
$$;
comment on function api.project_invite_cancel(bigint, bigint, bigint) is
    'Cancels an invitation into a project; pk and invitation_id are the same. One that is not open any more is left as it is. Errors: 401 as '
    'trestle.require_account(); 403 and 404 as videoplanet.refuse_project(); 400 REQUIRED_FIELD_MISSING with field pk.';

create function videoplanet.accept_invitation(project bigint, token text) returns text
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant bigint := trestle.account_id();
    invite videoplanet.project_invites;
begin
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
comment on function videoplanet.accept_invitation(bigint, text) is
    'Makes the caller a member of the project that his invitation leads to; its name. A member who accepted it already may come again. Errors: 400 '
    'VALIDATION_ERROR with field token when there is no such open invitation for the caller''s address; 410 INVITATION_EXPIRED.';

create function videoplanet.read_uid(uid text) returns bigint
    language plpgsql immutable as $$
declare
    digits text;
begin
    if uid ~ '^[A-Za-z0-9_-]{2,24}$' and length(uid) % 4 <> 1 then
        digits := encode(decode(rpad(translate(uid, '-_', '+/'), (length(uid) + 3) / 4 * 4, '='), 'base64'), 'escape');
    end if;
    if (digits ~ '^\d{1,18}$') is not true then
        perform trestle.refuse(400, 'VALIDATION_ERROR', '초대 링크가 올바르지 않습니다.', 'uid');
    end if;
    return digits;
end
$$;
comment on function videoplanet.read_uid(text) is
    'The project that the uid of an invitation''s link names: its id in decimal, as unpadded base64url. Errors: 400 VALIDATION_ERROR with field uid.';

create function api.invitation_accept(uid text, token text) returns json
    language plpgsql as $$
declare
    me constant bigint := trestle.require_account();
    project constant bigint := videoplanet.read_uid(uid);
    project_name constant text := videoplanet.accept_invitation(project, token);
begin
    return (select row_to_json(answer)
            from (select true as success, 'success' as message, result
                  from (select project as project_id, project_name as name) as result) as answer);
end
$$;
comment on function api.invitation_accept(text, text) is
    'Accepts an invitation by its link. Errors: 401 as trestle.require_account(); as videoplanet.read_uid() and videoplanet.accept_invitation().';

grant execute on function
    videoplanet.invitation_token(),
    videoplanet.accept_invitation(bigint, text),
    videoplanet.read_uid(text)
    to :"user";
grant execute on function
    api.project_invite(bigint, text),
    api.project_invite_cancel(bigint, bigint, bigint),
    api.invitation_accept(text, text)
    to :"anonymous", :"user";
