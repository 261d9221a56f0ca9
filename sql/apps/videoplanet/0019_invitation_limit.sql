-- How often an address is invited, and the invitation itself.

create table videoplanet.recent_invitations (
    id         bigint generated always as identity primary key,
    email      text not null check (email = lower(email)),
    project_id bigint not null,
    inviter_id bigint not null,
    created    timestamptz not null default now()
);
create index recent_invitations_email_idx on videoplanet.recent_invitations (email);
create index recent_invitations_created_idx on videoplanet.recent_invitations (created);
alter table videoplanet.recent_invitations enable row level security;
comment on table videoplanet.recent_invitations is
    'The invitations of the last hour, for their limit alone. It has no foreign keys: an invitation still counts when it, its project or its '
    'inviter is gone.';

create function videoplanet.count_invitation(project bigint, address text) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    me constant bigint := trestle.account_id();
    mailbox constant text := lower(address);
begin
    -- one after the other, so that each sees those before it; whoever comes here holds his project already
    perform pg_advisory_xact_lock(hashtextextended('videoplanet.recent_invitations ' || mailbox, 0));
    delete from videoplanet.recent_invitations
    where id in (select id from videoplanet.recent_invitations where created <= now() - interval '1 hour' for update skip locked);
    if (select count(*) filter (where project_id = project) >= 3 or count(*) filter (where inviter_id = me) >= 3
        from videoplanet.recent_invitations
        where email = mailbox and created > now() - interval '1 hour') then
        perform trestle.refuse(429, 'RESEND_LIMIT_EXCEEDED', '이 주소로 초대를 너무 많이 보냈습니다. 한 시간 뒤에 다시 시도해 주십시오.', 'email');
    end if;
    insert into videoplanet.recent_invitations (email, project_id, inviter_id) values (mailbox, project, me);
end
$$;
comment on function videoplanet.count_invitation(bigint, text) is
    'Counts an invitation of the caller; he has made sure of his right by videoplanet.require_admin(). An address gets three an hour from a '
    'project, and three from a person. Errors: 429 RESEND_LIMIT_EXCEEDED with field email.';

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
    perform videoplanet.count_invitation(project, address);
    perform videoplanet.mail_invitation((made ->> 'id')::bigint, token);
    return (select row_to_json(answer) from (select true as success, 'success' as message, made as result) as answer);
end
$$;
comment on function api.project_invite(bigint, text) is
    'Invites an address into a project for 14 days, by a mail. Errors: 401 as trestle.require_account(); 403 and 404 as '
    'videoplanet.refuse_project(); with field email 400 VALIDATION_ERROR, 409 ALREADY_EXISTS for owner and members, 409 '
    'DUPLICATE_INVITATION, 429 as videoplanet.count_invitation().';

grant execute on function videoplanet.count_invitation(bigint, text) to :"user";
