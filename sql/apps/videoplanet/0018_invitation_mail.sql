-- The mail of an invitation: it waits in the core's outbox, written with the invitation.

create function videoplanet.mail_invitation(invitation bigint, token text) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into trestle.mail_outbox (kind, recipient, parameters, expires_at)
    select 'invitation', i.email,
           jsonb_build_object(
               'invitation_id', i.id,
               'uid', rtrim(translate(encode(convert_to(i.project_id::text, 'UTF8'), 'base64'), '+/', '-_'), '='),
               'token', token,
               'project_name', p.name,
               'inviter_name', videoplanet.display_name(u.nickname, u.email)),
           i.expires_at
    from videoplanet.project_invites i
    join videoplanet.projects p on p.id = i.project_id
    left join videoplanet.users u on u.id = i.inviter_id
    where i.id = invitation and i.token_hash = sha256(convert_to(token, 'UTF8'));
end
$$;
comment on function videoplanet.mail_invitation(bigint, text) is
    'Puts the mail of an invitation, with the uid and token of its link, into the outbox; nothing when the token is not the invitation''s.';

create function videoplanet.drop_mail() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from trestle.mail_outbox
    where kind = 'invitation' and lower(recipient) = lower(new.email) and sent_at is null
      and (parameters ->> 'invitation_id')::bigint = new.id;
    return null;
end
$$;
comment on function videoplanet.drop_mail() is 'Trigger function: a mail that was not sent yet does not outlive its invitation.';
create trigger drop_mail after update of status on videoplanet.project_invites
    for each row when (new.status not in ('pending', 'sent')) execute function videoplanet.drop_mail();

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
    perform videoplanet.mail_invitation((made ->> 'id')::bigint, token);
    return (select row_to_json(answer) from (select true as success, 'success' as message, made as result) as answer);
end
$$;

grant execute on function videoplanet.mail_invitation(bigint, text) to :"user";
