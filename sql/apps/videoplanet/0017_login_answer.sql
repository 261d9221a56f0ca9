-- The answer to a sign-in, made from the body that mod_identity would send. Only the login role calls it.

drop function videoplanet.login_answer(bigint, text);

create function videoplanet.login_answer(account bigint, body jsonb) returns json
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select row_to_json(answer)
    from (select true as success,
                 'success' as message,
                 body ->> 'access_token' as vridge_session,
                 email as user,
                 videoplanet.user_json(id) as result
          from videoplanet.users
          where id = account) as answer;
end;
comment on function videoplanet.login_answer(bigint, jsonb) is
    'The body that answers a sign-in: the token as vridge_session, the address, the person.';

grant execute on function videoplanet.login_answer(bigint, jsonb) to :"login";
