-- Tables of videoplanet: people and projects, what hangs on a project, the film and its remarks, what people are told.
-- Codes, tokens, passwords and sessions are the core's (schema trestle).

create schema videoplanet;
comment on schema videoplanet is 'Tables and functions of the application videoplanet. Not exposed.';

-- People -------------------------------------------------------------------------------------------------------------

create table videoplanet.users (
    id            bigint primary key,
    email         text not null,
    is_active     boolean not null default true,
    nickname      text not null default '' check (length(nickname) <= 100),
    login_method  text not null default 'email' check (login_method in ('email', 'google', 'kakao', 'naver')),
    social_id     text check (length(social_id) <= 255),
    role          text not null default 'client' check (role in ('client', 'partner', 'admin')),
    phone         text not null default '' check (length(phone) <= 30),
    company       text not null default '' check (length(company) <= 100),
    profile_image text,
    created       timestamptz not null default now(),
    updated       timestamptz not null default now(),
    foreign key (id, email, is_active) references trestle.account (id, email, is_active)
        on update cascade on delete cascade,
    unique (login_method, social_id)
);
comment on table videoplanet.users is
    'Profile of an account, under the same id. email and is_active are copies that the foreign key keeps equal.';

create table videoplanet.user_memos (
    id      bigint generated always as identity primary key,
    user_id bigint not null references videoplanet.users on delete cascade,
    date    date not null,
    memo    text not null check (memo <> ''),
    created timestamptz not null default now(),
    updated timestamptz not null default now()
);
create index user_memos_user_id_idx on videoplanet.user_memos (user_id, date);
comment on table videoplanet.user_memos is 'Memos in somebody''s own calendar.';

-- Projects -----------------------------------------------------------------------------------------------------------

create table videoplanet.stages (
    key      text primary key,
    position smallint not null unique check (position between 1 and 8),
    name     text not null,
    color    text not null check (color ~ '^#[0-9A-F]{6}$'),
    phase    text not null check (phase in ('planning', 'shooting', 'editing', 'review'))
);
comment on table videoplanet.stages is 'The eight stages that every film runs through, and the phase that the dashboard shows.';

insert into videoplanet.stages (position, key, name, color, phase) values
    (1, 'basic_plan', '기초 기획안 작성', '#1E8BC3', 'planning'),
    (2, 'story_board', '스토리보드 작성', '#6C7A89', 'planning'),
    (3, 'filming', '촬영', '#D35400', 'shooting'),
    (4, 'video_edit', '비디오 편집', '#27AE60', 'editing'),
    (5, 'post_work', '후반 작업', '#8E44AD', 'editing'),
    (6, 'video_preview', '비디오 시사', '#F39C12', 'review'),
    (7, 'confirmation', '최종 컨펌', '#C0392B', 'review'),
    (8, 'video_delivery', '영상 납품', '#2C3E50', 'review');

create table videoplanet.projects (
    id          bigint generated always as identity primary key,
    user_id     bigint not null references videoplanet.users on delete cascade,
    name        text not null check (length(name) between 1 and 100),
    manager     text not null default '' check (length(manager) <= 50),
    consumer    text not null default '' check (length(consumer) <= 50),
    description text not null default '',
    color       text not null default '#' || upper(lpad(to_hex(floor(random() * 16777216)::integer), 6, '0'))
                check (color ~ '^#[0-9A-Fa-f]{6}$'),
    status      text check (status in ('planning', 'in_progress', 'review', 'completed', 'on_hold', 'cancelled')),
    progress    smallint check (progress between 0 and 100),
    details     jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
    created     timestamptz not null default now(),
    updated     timestamptz not null default now()
);
create index projects_user_id_idx on videoplanet.projects (user_id, created desc, id desc);
comment on table videoplanet.projects is 'A film in the making; user_id is its owner.';
comment on column videoplanet.projects.status is 'Null: follows from the dates (videoplanet.effective_status).';
comment on column videoplanet.projects.progress is 'Null: follows from the dates (videoplanet.effective_progress).';
comment on column videoplanet.projects.details is 'Further fields of single frontends: reference_link, budget, shooting_date and the like.';

create table videoplanet.project_stages (
    id         bigint generated always as identity primary key,
    project_id bigint not null references videoplanet.projects on delete cascade,
    key        text not null references videoplanet.stages,
    start_date timestamptz,
    end_date   timestamptz,
    created    timestamptz not null default now(),
    updated    timestamptz not null default now(),
    unique (project_id, key),
    check (end_date >= start_date)
);
create index project_stages_key_idx on videoplanet.project_stages (key);
comment on table videoplanet.project_stages is 'Dates of a project''s stages: always eight rows, made with the project.';

create table videoplanet.project_members (
    id         bigint generated always as identity primary key,
    project_id bigint not null references videoplanet.projects on delete cascade,
    user_id    bigint not null references videoplanet.users on delete cascade,
    rating     text not null default 'normal' check (rating in ('manager', 'normal')),
    created    timestamptz not null default now(),
    updated    timestamptz not null default now(),
    unique (project_id, user_id)
);
create index project_members_user_id_idx on videoplanet.project_members (user_id, project_id, rating);
comment on table videoplanet.project_members is 'Who takes part in a project besides its owner.';

create table videoplanet.project_files (
    id          bigint generated always as identity primary key,
    project_id  bigint not null references videoplanet.projects on delete cascade,
    files       text not null check (files <> ''),
    file_name   text not null check (length(file_name) between 1 and 255),
    file_size   bigint not null check (file_size >= 0),
    file_type   text not null default 'application/octet-stream' check (length(file_type) <= 255),
    uploaded_by bigint references videoplanet.users on delete set null,
    created     timestamptz not null default now(),
    updated     timestamptz not null default now()
);
create index project_files_project_id_idx on videoplanet.project_files (project_id, id);
create index project_files_uploaded_by_idx on videoplanet.project_files (uploaded_by);
comment on column videoplanet.project_files.files is 'Stored name: where the bytes are. file_name is what the uploader called it.';

create table videoplanet.project_memos (
    id         bigint generated always as identity primary key,
    project_id bigint not null references videoplanet.projects on delete cascade,
    user_id    bigint references videoplanet.users on delete set null,
    date       date not null,
    memo       text not null check (memo <> ''),
    created    timestamptz not null default now(),
    updated    timestamptz not null default now()
);
create index project_memos_project_id_idx on videoplanet.project_memos (project_id, date, id);
create index project_memos_user_id_idx on videoplanet.project_memos (user_id);

create table videoplanet.project_invites (
    id           bigint generated always as identity primary key,
    project_id   bigint not null references videoplanet.projects on delete cascade,
    email        text not null check (length(email) <= 254 and email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
    token_hash   bytea not null unique check (length(token_hash) = 32),
    inviter_id   bigint references videoplanet.users on delete set null,
    role         text not null default 'normal' check (length(role) <= 20),
    message      text,
    status       text not null default 'pending'
                 check (status in ('pending', 'sent', 'accepted', 'declined', 'expired', 'cancelled')),
    sent_count   integer not null default 0 check (sent_count >= 0),
    last_sent_at timestamptz,
    expires_at   timestamptz not null default now() + interval '14 days',
    accepted_at  timestamptz,
    created      timestamptz not null default now(),
    updated      timestamptz not null default now()
);
create unique index project_invites_live_key on videoplanet.project_invites (project_id, lower(email))
    where status in ('pending', 'sent');
create index project_invites_project_id_idx on videoplanet.project_invites (project_id, id);
create index project_invites_email_idx on videoplanet.project_invites (lower(email));
create index project_invites_inviter_id_idx on videoplanet.project_invites (inviter_id);
comment on column videoplanet.project_invites.token_hash is 'SHA-256 of the token in the mailed link; no request role reads it.';

create table videoplanet.milestones (
    id          bigint generated always as identity primary key,
    project_id  bigint not null references videoplanet.projects on delete cascade,
    name        text not null check (length(name) between 1 and 200),
    description text not null default '',
    due_date    date,
    completed   boolean not null default false,
    progress    smallint not null default 0 check (progress between 0 and 100),
    created     timestamptz not null default now(),
    updated     timestamptz not null default now()
);
create index milestones_project_id_idx on videoplanet.milestones (project_id, due_date, id);

-- The film and its remarks -------------------------------------------------------------------------------------------
-- Rows below a remark repeat its project, held true by composite foreign keys: rights are then one indexed comparison.

create table videoplanet.feedbacks (
    id          bigint generated always as identity primary key,
    project_id  bigint not null unique references videoplanet.projects on delete cascade,
    files       text check (files <> ''),
    file_status text not null default 'ready' check (file_status in ('ready', 'processing', 'failed')),
    created     timestamptz not null default now(),
    updated     timestamptz not null default now(),
    unique (id, project_id)
);
comment on table videoplanet.feedbacks is 'The screening room of a project, made with it: files is the film under review.';

create table videoplanet.feedback_items (
    id          bigint generated always as identity primary key,
    feedback_id bigint not null,
    project_id  bigint not null,
    user_id     bigint not null references videoplanet.users on delete cascade,
    security    boolean not null default false,
    title       text not null default '' check (length(title) <= 200),
    section     text not null default '' check (length(section) <= 100),
    text        text not null,
    seconds     numeric(12, 3) check (seconds >= 0),
    type        text not null default 'comment' check (type in ('comment', 'suggestion', 'issue', 'approval')),
    status      text not null default 'open' check (status in ('open', 'in_progress', 'resolved', 'closed')),
    priority    text not null default 'medium' check (priority in ('low', 'medium', 'high', 'critical')),
    tags        text[] not null default '{}' check (cardinality(tags) <= 10),
    assignee_id bigint references videoplanet.users on delete set null,
    drawing     jsonb,
    screenshot  text,
    created     timestamptz not null default now(),
    updated     timestamptz not null default now(),
    foreign key (feedback_id, project_id) references videoplanet.feedbacks (id, project_id) on delete cascade,
    unique (id, project_id)
);
create index feedback_items_feedback_id_idx on videoplanet.feedback_items (feedback_id);
create index feedback_items_project_id_idx on videoplanet.feedback_items (project_id, created desc, id desc);
create index feedback_items_user_id_idx on videoplanet.feedback_items (user_id);
create index feedback_items_assignee_id_idx on videoplanet.feedback_items (assignee_id);
comment on table videoplanet.feedback_items is 'Remarks on the film.';
comment on column videoplanet.feedback_items.security is 'True: anonymous. The author is then shown to nobody but himself.';
comment on column videoplanet.feedback_items.user_id is 'The author. Request roles cannot read it: it would name those who stay anonymous.';
comment on column videoplanet.feedback_items.section is 'Where in the film, as written; seconds is parsed from it when it is [H:]MM:SS.';

create table videoplanet.feedback_reads (
    item_id    bigint not null,
    project_id bigint not null,
    user_id    bigint not null references videoplanet.users on delete cascade,
    created    timestamptz not null default now(),
    primary key (item_id, user_id),
    foreign key (item_id, project_id) references videoplanet.feedback_items (id, project_id) on delete cascade
);
create index feedback_reads_user_id_idx on videoplanet.feedback_reads (user_id);
comment on table videoplanet.feedback_reads is 'Who has read which remark (is_read of a remark).';

create table videoplanet.comments (
    id              bigint generated always as identity primary key,
    item_id         bigint not null,
    project_id      bigint not null,
    parent_id       bigint,
    user_id         bigint not null references videoplanet.users on delete cascade,
    client_id       text check (length(client_id) between 1 and 100),
    content         text not null check (length(content) between 1 and 2000),
    video_timestamp numeric(12, 3) check (video_timestamp >= 0),
    mentions        bigint[] not null default '{}',
    edited_at       timestamptz,
    deleted_at      timestamptz,
    created         timestamptz not null default now(),
    updated         timestamptz not null default now(),
    foreign key (item_id, project_id) references videoplanet.feedback_items (id, project_id) on delete cascade,
    foreign key (parent_id, item_id) references videoplanet.comments (id, item_id) on delete cascade,
    unique (item_id, client_id),
    unique (id, item_id),
    unique (id, project_id)
);
create index comments_item_id_idx on videoplanet.comments (item_id, created, id);
create index comments_project_id_idx on videoplanet.comments (project_id);
create index comments_parent_id_idx on videoplanet.comments (parent_id);
create index comments_user_id_idx on videoplanet.comments (user_id);
comment on table videoplanet.comments is 'Replies below a remark, threaded: a parent belongs to the same remark.';

create table videoplanet.reactions (
    id         bigint generated always as identity primary key,
    item_id    bigint,
    comment_id bigint,
    project_id bigint not null,
    user_id    bigint not null references videoplanet.users on delete cascade,
    kind       text not null check (length(kind) between 1 and 16),
    created    timestamptz not null default now(),
    updated    timestamptz not null default now(),
    foreign key (item_id, project_id) references videoplanet.feedback_items (id, project_id) on delete cascade,
    foreign key (comment_id, project_id) references videoplanet.comments (id, project_id) on delete cascade,
    check (num_nonnulls(item_id, comment_id) = 1),
    unique (item_id, user_id, kind),
    unique (comment_id, user_id, kind)
);
create index reactions_project_id_idx on videoplanet.reactions (project_id);
create index reactions_user_id_idx on videoplanet.reactions (user_id);
comment on table videoplanet.reactions is 'Reactions to a remark or to a comment, one of each kind by a person.';

create table videoplanet.chat_messages (
    id         bigint generated always as identity primary key,
    project_id bigint not null references videoplanet.projects on delete cascade,
    user_id    bigint not null references videoplanet.users on delete cascade,
    message    text not null check (length(message) between 1 and 5000),
    client_id  text check (length(client_id) between 1 and 100),
    created    timestamptz not null default now(),
    updated    timestamptz not null default now()
);
create index chat_messages_project_id_idx on videoplanet.chat_messages (project_id, id desc);
create index chat_messages_user_id_idx on videoplanet.chat_messages (user_id);

-- What people are told -----------------------------------------------------------------------------------------------

create table videoplanet.notifications (
    id              bigint generated always as identity primary key,
    user_id         bigint not null references videoplanet.users on delete cascade,
    kind            text not null check (kind in ('feedback', 'project')),
    type            text not null check (length(type) between 1 and 50),
    category        text not null
                    check (category in ('feedback', 'project', 'comment', 'mention', 'system', 'collaboration')),
    priority        text not null default 'medium' check (priority in ('low', 'medium', 'high', 'urgent')),
    title           text not null default '',
    message         text not null default '',
    project_id      bigint references videoplanet.projects on delete cascade,
    sender_id       bigint references videoplanet.users on delete set null,
    action_required boolean not null default false,
    metadata        jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    group_id        text check (length(group_id) <= 100),
    expires_at      timestamptz,
    read_at         timestamptz,
    created         timestamptz not null default now(),
    updated         timestamptz not null default now()
);
create index notifications_user_id_idx on videoplanet.notifications (user_id, created desc, id desc);
create index notifications_unread_idx on videoplanet.notifications (user_id, kind) where read_at is null;
create index notifications_project_id_idx on videoplanet.notifications (project_id);
create index notifications_sender_id_idx on videoplanet.notifications (sender_id);

create table videoplanet.activities (
    id         bigint generated always as identity primary key,
    project_id bigint not null references videoplanet.projects on delete cascade,
    actor_id   bigint references videoplanet.users on delete set null,
    action     text not null check (length(action) between 1 and 50),
    target     text not null default '',
    details    jsonb not null default '{}' check (jsonb_typeof(details) = 'object'),
    created    timestamptz not null default now(),
    updated    timestamptz not null default now()
);
create index activities_project_id_idx on videoplanet.activities (project_id, created desc, id desc);
create index activities_actor_id_idx on videoplanet.activities (actor_id);
comment on table videoplanet.activities is 'What happened in a project: feeds timelines and event streams.';

create table videoplanet.online_videos (
    id      bigint generated always as identity primary key,
    link    text not null check (link <> ''),
    created timestamptz not null default now(),
    updated timestamptz not null default now()
);
comment on table videoplanet.online_videos is 'Lectures on the page of online videos, in order of entry; kept by the operator.';

create table videoplanet.sample_files (
    id          bigint generated always as identity primary key,
    sample_file text not null check (sample_file <> ''),
    file_name   text not null check (length(file_name) between 1 and 255),
    created     timestamptz not null default now(),
    updated     timestamptz not null default now()
);
comment on table videoplanet.sample_files is 'Documents offered to every user; sample_file is the stored name.';

do $$
declare
    name text;
begin
    for name in
        select table_name from information_schema.columns where table_schema = 'videoplanet' and column_name = 'updated'
    loop
        execute format('create trigger touch before update on videoplanet.%I for each row execute function trestle.touch()', name);
    end loop;
end
$$;
