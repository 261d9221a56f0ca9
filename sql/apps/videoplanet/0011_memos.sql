-- Memos: in a person's own calendar, and on projects. A memo without text is none: it is answered with null and not stored.

-- In one's own calendar ----------------------------------------------------------------------------------------------

create function videoplanet.user_memo_forms() returns table (id bigint, date date, form json)
    language sql stable
begin atomic
    select m.id, m.date, row_to_json(form)
    from videoplanet.user_memos m
    join videoplanet.users u on u.id = m.user_id
    cross join lateral (
        select m.id, m.date, m.memo, m.memo as content,
               trestle.timestamp_text(m.created) as created_at, trestle.timestamp_text(m.updated) as updated_at,
               m.user_id as "userId", videoplanet.display_name(u.nickname, u.email) as "userName",
               true as "isUserMemo") as form;
end;
comment on function videoplanet.user_memo_forms() is 'The caller''s own memos as clients are shown them. The policies of user_memos decide.';

create function videoplanet.refuse_user_memo(wanted bigint) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from videoplanet.user_memos where id = wanted) then
        return trestle.refuse(403, 'PERMISSION_DENIED', '다른 사람의 메모입니다.');
    end if;
    return trestle.refuse(404, 'NOT_FOUND', '메모를 찾을 수 없습니다.');
end
$$;
comment on function videoplanet.refuse_user_memo(bigint) is
    'Refuses a request for a memo out of the caller''s reach. Never returns. Errors: 403 PERMISSION_DENIED when it is another''s, else 404 '
    'NOT_FOUND.';

create function api.user_memo_list() returns json
    language plpgsql stable as $$
declare
    me constant bigint := trestle.require_account();
    memos constant json := (select coalesce(json_agg(form order by date, id), '[]') from videoplanet.user_memo_forms());
begin
    return (select row_to_json(answer) from (select true as success, 'success' as message, memos as result, memos) as answer);
end
$$;
comment on function api.user_memo_list() is 'The caller''s own memos by date. Errors: 401 as trestle.require_account().';

create function api.user_memo_create(date text default null, memo text default null, content text default null) returns json
    language plpgsql as $$
#variable_conflict use_column
declare
    me constant bigint := trestle.require_account();
    day constant date := coalesce(videoplanet.day(user_memo_create.date, 'date'), videoplanet.today());
    written constant text := coalesce(user_memo_create.memo, content);
    stored bigint;
    shown json;
begin
    if btrim(written) <> '' then
        insert into videoplanet.user_memos (user_id, date, memo) values (me, day, written) returning id into stored;
        shown := (select form from videoplanet.user_memo_forms() where id = stored);
    end if;
    return (select row_to_json(answer) from (select true as success, 'success' as message, shown as result, shown as memo) as answer);
end
$$;
comment on function api.user_memo_create(text, text, text) is
    'A memo in the caller''s own calendar; memo and content are the same. Without a date it is today''s in Seoul. Errors: 401 as '
    'trestle.require_account(); 400 VALIDATION_ERROR with field date.';

create function api.user_memo_delete(id bigint) returns json
    language plpgsql as $$
#variable_conflict use_column
declare
    me constant bigint := trestle.require_account();
begin
    delete from videoplanet.user_memos where id = user_memo_delete.id;
    if not found then
        perform videoplanet.refuse_user_memo(user_memo_delete.id);
    end if;
    return (select row_to_json(answer) from (select true as success, 'success' as message, user_memo_delete.id as result) as answer);
end
$$;
comment on function api.user_memo_delete(bigint) is
    'Deletes a memo of the caller''s own calendar. Errors: 401 as trestle.require_account(); 403 PERMISSION_DENIED for another''s; 404 '
    'NOT_FOUND.';

-- On projects --------------------------------------------------------------------------------------------------------

create function videoplanet.refuse_project_memo(wanted bigint) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from videoplanet.project_memos where id = wanted) then
        return trestle.refuse(403, 'PERMISSION_DENIED', '이 프로젝트에 대한 권한이 없습니다.');
    end if;
    return trestle.refuse(404, 'NOT_FOUND', '메모를 찾을 수 없습니다.');
end
$$;
comment on function videoplanet.refuse_project_memo(bigint) is
    'Refuses a request for a memo that the caller may not delete. Never returns. Errors: 403 PERMISSION_DENIED when it exists, else 404 '
    'NOT_FOUND.';

create function api.project_memo_create(
    id bigint, date text default null, memo text default null, content text default null)
    returns json
    language plpgsql as $$
#variable_conflict use_column
declare
    me constant bigint := trestle.require_account();
    written constant text := coalesce(project_memo_create.memo, content);
    day date;
    stored bigint;
    shown json;
begin
    perform videoplanet.require_admin(project_memo_create.id);
    day := coalesce(videoplanet.day(project_memo_create.date, 'date'), videoplanet.today());
    if btrim(written) <> '' then
        insert into videoplanet.project_memos (project_id, user_id, date, memo)
        values (project_memo_create.id, me, day, written)
        returning id into stored;
        shown := (select form from videoplanet.project_memo_forms(array[project_memo_create.id]) where id = stored);
    end if;
    return (select row_to_json(answer) from (select true as success, 'success' as message, shown as result, shown as memo) as answer);
end
$$;
comment on function api.project_memo_create(bigint, text, text, text) is
    'A memo on a project; memo and content are the same. Without a date it is today''s in Seoul. Errors: 401 as '
    'trestle.require_account(); 403 and 404 as videoplanet.refuse_project(); 400 VALIDATION_ERROR with field date.';

create function api.project_memo_delete(id bigint, memo_id bigint default null) returns json
    language plpgsql as $$
#variable_conflict use_column
declare
    me constant bigint := trestle.require_account();
    project constant bigint := case when memo_id is not null then project_memo_delete.id end;
    wanted constant bigint := coalesce(memo_id, project_memo_delete.id);
begin
    if project is not null then
        perform videoplanet.require_admin(project);
    end if;
    delete from videoplanet.project_memos where id = wanted and (project is null or project_id = project);
    if not found and project is not null then
        perform trestle.refuse(404, 'NOT_FOUND', '메모를 찾을 수 없습니다.', 'memo_id');
    elsif not found then
        perform videoplanet.refuse_project_memo(wanted);
    end if;
    return (select row_to_json(answer) from (select true as success, 'success' as message, wanted as result) as answer);
end
$$;
comment on function api.project_memo_delete(bigint, bigint) is
    'Deletes a memo of a project. With memo_id, id is the project, else the memo. Errors: 401 as trestle.require_account(); 403 '
    'PERMISSION_DENIED; 404 NOT_FOUND.';

grant execute on function
    videoplanet.user_memo_forms(),
    videoplanet.refuse_user_memo(bigint),
    videoplanet.refuse_project_memo(bigint)
    to :"user";
grant execute on function
    api.user_memo_list(),
    api.user_memo_create(text, text, text),
    api.user_memo_delete(bigint),
    api.project_memo_create(bigint, text, text, text),
    api.project_memo_delete(bigint, bigint)
    to :"anonymous", :"user";
