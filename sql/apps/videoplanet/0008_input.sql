-- Reading what clients send, and asking for the right to change a project. What cannot be read is refused with the name
-- of its field.

-- Days and moments ---------------------------------------------------------------------------------------------------

create function videoplanet.moment(written text, field text) returns timestamptz
    language plpgsql stable strict as $$
declare
    moment timestamptz;
begin
    if written ~* '^\s*\d{4}-\d{1,2}-\d{1,2}([t ]\d{1,2}:\d{2}(:\d{2}(\.\d{1,9})?)?( ?(z|[-+]\d{2}(:?\d{2})?))?)?\s*$' then
        begin
            moment := case when written ~* ':.*(z|[-+]\d{2}(:?\d{2})?)\s*$' then written::timestamptz
                           else written::timestamp at time zone 'Asia/Seoul' end;
        exception when data_exception then
            null; -- such as the 30th of February
        end;
    end if;
    if moment between '1900-01-01Z' and '9999-12-31Z' then
        return moment;
    end if;
    perform trestle.refuse(400, 'VALIDATION_ERROR', '날짜를 읽을 수 없습니다. 예: 2025-08-04, 2025-08-04T09:00:00Z', field);
end
$$;
comment on function videoplanet.moment(text, text) is
    'The moment that a client wrote as a day (midnight in Seoul) or as a timestamp with Z, an offset or neither (then Seoul''s '
    'clock); null for null. field: its name in the request. Errors: 400 VALIDATION_ERROR with the field; also for years '
    'before 1900.';

create function videoplanet.day(written text, field text) returns date
    language plpgsql stable strict as $$
begin
    return (videoplanet.moment(written, field) at time zone 'Asia/Seoul')::date;
end
$$;
comment on function videoplanet.day(text, text) is 'The day in Seoul that a client wrote; null for null. Errors: as videoplanet.moment().';

create function videoplanet.today() returns date
    language sql stable parallel safe
    return (now() at time zone 'Asia/Seoul')::date;
comment on function videoplanet.today() is 'Today in Seoul.';

-- Members of JSON ----------------------------------------------------------------------------------------------------

create function videoplanet.json_value(given jsonb, type text, field text) returns jsonb
    language plpgsql immutable strict as $$
declare
    value jsonb := given;
begin
    if jsonb_typeof(given) = 'string' and type in ('object', 'array') then
        begin
            value := given #>> '{}';
        exception when data_exception then
            null; -- not JSON: stays the string that it is
        end;
    end if;
    if jsonb_typeof(value) <> type then
        perform trestle.refuse(400, 'VALIDATION_ERROR',
            case type when 'object' then 'JSON 객체여야 합니다.' when 'array' then 'JSON 배열이어야 합니다.' else '문자열이어야 합니다.' end, field);
    end if;
    return value;
end
$$;
comment on function videoplanet.json_value(jsonb, text, text) is
    'The value, when it is of this type (object, array, string); an object or array may also be given as a string that holds it, as '
    'forms send it. Null for null. Errors: 400 VALIDATION_ERROR with the field.';

create function videoplanet.text_member(object jsonb, name text, field text) returns text
    language plpgsql immutable as $$
begin
    return videoplanet.json_value(nullif(object -> name, 'null'), 'string', field) #>> '{}';
end
$$;
comment on function videoplanet.text_member(jsonb, text, text) is
    'A member of an object as text; null when it is not there or null. Errors: 400 VALIDATION_ERROR with the field for another '
    'value than a string.';

-- Rights -------------------------------------------------------------------------------------------------------------

create function videoplanet.require_admin(project bigint) returns void
    language plpgsql as $$
begin
    perform from videoplanet.projects where id = project for no key update;
    if not found then
        perform videoplanet.refuse_project(project);
    end if;
end
$$;
comment on function videoplanet.require_admin(bigint) is
    'Holds a project that the caller may change until the end of the transaction, so that changes of one project follow each other. '
    'The policies of projects decide. Errors: as videoplanet.refuse_project().';

grant execute on function
    videoplanet.moment(text, text),
    videoplanet.day(text, text),
    videoplanet.today(),
    videoplanet.json_value(jsonb, text, text),
    videoplanet.text_member(jsonb, text, text),
    videoplanet.require_admin(bigint)
    to :"user";
