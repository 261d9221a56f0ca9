-- What registration and refresh need besides 0002: sign-in names, one-time codes, mails to be sent.

alter table trestle.account
    add column username text check (length(username) between 1 and 150 and username !~ '[@[:space:][:cntrl:]]');
create unique index account_username_key on trestle.account (lower(username));
comment on column trestle.account.username is
    'Another sign-in name, unique without regard to case. It holds no @, so that it is never taken for an address.';
comment on column trestle.account.email_verified_at is 'When the owner proved that the address is his; null: not yet.';

create table trestle.one_time_code (
    id            uuid primary key,
    purpose       text not null check (purpose ~ '^[a-z][a-z_]{0,31}$'),
    account_id    bigint not null references trestle.account on delete cascade,
    code_hash     bytea not null check (length(code_hash) = 32),
    password_hash text,
    attempts      integer not null default 0 check (attempts >= 0),
    address       inet,
    created_at    timestamptz not null default now(),
    expires_at    timestamptz not null
);
create index one_time_code_account_id_idx on trestle.one_time_code (account_id, purpose);

comment on table trestle.one_time_code is
    'A code that was sent and not used yet. It counts for the request alone that asked for it, which holds id; a used one is deleted.';
comment on column trestle.one_time_code.code_hash is 'trestle.code_hash of id and code: the code itself stands in the mail alone.';
comment on column trestle.one_time_code.password_hash is 'The password that the account gets when the code is used.';
comment on column trestle.one_time_code.attempts is 'Wrong tries so far.';

create table trestle.mail_outbox (
    id         bigint generated always as identity primary key,
    kind       text not null check (kind ~ '^[a-z][a-z_]{0,31}$'),
    recipient  text not null,
    account_id bigint references trestle.account on delete cascade,
    parameters jsonb not null default '{}' check (jsonb_typeof(parameters) = 'object'),
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    sent_at    timestamptz
);
create index mail_outbox_recipient_idx on trestle.mail_outbox (lower(recipient), created_at);
create index mail_outbox_account_id_idx on trestle.mail_outbox (account_id);
create index mail_outbox_pending_idx on trestle.mail_outbox (id) where sent_at is null;

comment on table trestle.mail_outbox is 'Mails to be sent, written in the transaction that they tell of.';
comment on column trestle.mail_outbox.kind is
    'register: the code that confirms a registration; register_taken: somebody tried to register an address that has an account.';
comment on column trestle.mail_outbox.parameters is 'What the text of the mail needs: {"code": "123456"}. Whoever sends it empties it.';
comment on column trestle.mail_outbox.expires_at is 'After this the mail is of no use to anyone; null: never.';

-- All names and addresses are compared and kept in this form.

create function trestle.normal_name(name text) returns text
    language sql immutable strict parallel safe
    return normalize(btrim(name, E' \t\r\n'), nfkc);
comment on function trestle.normal_name(text) is
    'A sign-in name without blanks at its ends, in Unicode''s compatibility form (NFKC); compare it without regard to case.';

create function trestle.normal_email(email text) returns text
    language sql immutable strict parallel safe
    return regexp_replace(trestle.normal_name(email), '@[^@]*$', '') || lower(substring(trestle.normal_name(email) from '@[^@]*$'));
comment on function trestle.normal_email(text) is
    'An address in the form in which it is kept: as trestle.normal_name, the domain in small letters; null where there is no @.';

create function trestle.code_hash(id uuid, code text) returns bytea
    language sql immutable strict parallel safe
    return sha256(convert_to(id::text || ':' || code, 'UTF8'));
comment on function trestle.code_hash(uuid, text) is 'What is stored of a one-time code.';

create function trestle.random_code() returns text
    language sql volatile
    return (100000 + ('x' || encode(substring(sha256(uuid_send(gen_random_uuid())) for 7), 'hex'))::bit(56)::bigint % 900000)::text;
comment on function trestle.random_code() is 'A one-time code: 100000 to 999999, uniform, from the system''s generator.';

-- Of several statements in one transaction, the later ones learn from these what the first has decided.

create function trestle.decide_account(account_id bigint) returns void
    language sql volatile
    return set_config('trestle.decided_account', coalesce(account_id::text, ''), true);
comment on function trestle.decide_account(bigint) is
    'Remembers for the rest of the transaction whom its first statement was about; null: nobody, the statements behind it do nothing.';

create function trestle.decided_account() returns setof bigint
    language sql stable rows 1
begin atomic
    select decided::bigint
    from nullif(current_setting('trestle.decided_account', true), '') as decided
    where decided is not null;
end;
comment on function trestle.decided_account() is
    'The account that the transaction is about: one row; none when nothing was registered or refreshed.';

grant execute on function trestle.normal_name(text), trestle.normal_email(text), trestle.decided_account() to :"login";
