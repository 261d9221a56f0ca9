-- Accounts and what proves that somebody is one. No request role reads these tables; functions do.

create table trestle.account (
    id                bigint generated always as identity primary key,
    email             text not null check (length(email) <= 254 and email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
    password_hash     text,
    email_verified_at timestamptz,
    disabled_at       timestamptz,
    is_active         boolean not null generated always as (disabled_at is null) stored,
    tokens_not_before timestamptz,
    authz_version     integer not null default 0,
    last_login        timestamptz,
    created           timestamptz not null default now(),
    updated           timestamptz not null default now(),
    unique (id, email, is_active)
);
create unique index account_email_key on trestle.account (lower(email));
create trigger touch before update of email, password_hash, email_verified_at, disabled_at on trestle.account
    for each row execute function trestle.touch();

comment on table trestle.account is
    'Somebody who can sign in. An application keeps its profile in a table of its own, keyed by the same id; it may copy '
    'email and is_active by a foreign key (id, email, is_active) on update cascade.';
comment on column trestle.account.email is 'The sign-in name, unique without regard to case, kept as it was written.';
comment on column trestle.account.password_hash is 'PHC string or an inherited format; null: no sign-in by password.';
comment on column trestle.account.disabled_at is 'Not null: no sign-in, and tokens are refused.';
comment on column trestle.account.tokens_not_before is 'Tokens issued earlier are refused: set by a password change, a reset, a disabling. Whole seconds, as tokens tell them.';
comment on column trestle.account.authz_version is 'Counts changes of rights, so that caches of them can be told apart.';

create table trestle.session (
    sid             uuid primary key,
    account_id      bigint not null references trestle.account on delete cascade,
    jti             uuid not null,
    family_key_id   smallint,
    head_seq        integer not null default 0 check (head_seq >= 0),
    created_at      timestamptz not null default now(),
    last_used_at    timestamptz not null default now(),
    idle_expires_at timestamptz not null,
    abs_expires_at  timestamptz not null,
    revoked_at      timestamptz,
    revoke_reason   text check (length(revoke_reason) <= 100),
    amr             text[] not null default '{}',
    address         inet,
    user_agent      text check (length(user_agent) <= 512),
    client_id       text check (length(client_id) <= 255),
    csrf_epoch      integer not null default 0,
    check (idle_expires_at <= abs_expires_at)
);
create index session_account_id_idx on trestle.session (account_id);
create index session_abs_expires_at_idx on trestle.session (abs_expires_at);

comment on table trestle.session is 'One sign-in: the tokens that came of it carry its sid.';
comment on column trestle.session.jti is 'The id of the token that the sign-in was answered with.';
comment on column trestle.session.family_key_id is 'Which key signs the refresh tokens; null: a session without refresh tokens.';
comment on column trestle.session.head_seq is 'Number of the refresh token that is valid now.';
comment on column trestle.session.amr is 'How the sign-in was proved, as in RFC 8176: {pwd}.';

create table trestle.refresh_token (
    token_hash bytea primary key check (length(token_hash) = 32),
    sid        uuid not null references trestle.session on delete cascade,
    seq        integer not null check (seq >= 0),
    issued_at  timestamptz not null default now(),
    used_at    timestamptz,
    grace_uses integer not null default 0 check (grace_uses >= 0),
    unique (sid, seq)
);
comment on table trestle.refresh_token is 'Refresh tokens of a session, by the SHA-256 of the string that the client holds.';
