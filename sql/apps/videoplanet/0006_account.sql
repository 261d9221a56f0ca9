-- What sign-in asks the application for. Only the login role calls these.

create function videoplanet.login_claims(account bigint) returns jsonb
    language sql stable security definer set search_path = pg_catalog, pg_temp
    return jsonb_build_object('user_id', account, 'token_type', 'session');
comment on function videoplanet.login_claims(bigint) is 'Claims that the token of a sign-in carries besides the registered ones.';

create function videoplanet.login_answer(account bigint, token text) returns json
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select row_to_json(answer)
    from (select true as success,
                 'success' as message,
                 token as vridge_session,
                 email as user,
                 videoplanet.user_json(id) as result
          from videoplanet.users
          where id = account) as answer;
end;
comment on function videoplanet.login_answer(bigint, text) is
    'The body that answers a sign-in: the token as vridge_session, the address, the person.';

grant execute on function videoplanet.login_claims(bigint), videoplanet.login_answer(bigint, text) to :"login";
