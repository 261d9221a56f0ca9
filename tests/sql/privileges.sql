-- What the catalogue must say of roles, grants and functions, whatever is added later.
\ir setup.psql

create table tap.schemas as select oid, nspname from pg_namespace where nspname in ('trestle', 'videoplanet', 'api');
create table tap.functions as
select p.oid::regprocedure::text as name, p.* from pg_proc p where pronamespace in (select oid from tap.schemas);

select * from no_plan();

-- roles
select results_eq(
    $$select rolname::text collate "default", rolcanlogin, rolinherit, rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls
      from pg_roles where rolname like 'videoplanet%' order by 1$$,
    $$values ('videoplanet_anonymous', false, true, false), ('videoplanet_hub', false, true, false),
             ('videoplanet_login', true, false, false), ('videoplanet_owner', false, true, false),
             ('videoplanet_user', false, true, false), ('videoplanet_worker', false, true, false)$$,
    'six roles; only the login role signs in, and it inherits nothing');
select results_eq(
    $$select granted.rolname::text collate "default", admin_option from pg_auth_members
      join pg_roles granted on granted.oid = roleid
      join pg_roles member on member.oid = member where member.rolname like 'videoplanet%' order by 1$$,
    $$values ('videoplanet_anonymous', false), ('videoplanet_user', false)$$,
    'the login role may become its two request roles; no other role is a member of anything');
select is_empty($$select relname from pg_class where relowner in (select oid from pg_roles where rolname ~ '^videoplanet_(anonymous|user|login|hub|worker)$')$$,
    'request roles own no relation');
select is_empty($$select proname from pg_proc where proowner in (select oid from pg_roles where rolname ~ '^videoplanet_(anonymous|user|login|hub|worker)$')$$,
    'request roles own no function');

-- PUBLIC
select is_empty($$select datname from pg_database where datname = current_database()
                  and (has_database_privilege('public', oid, 'connect') or has_database_privilege('public', oid, 'temporary'))$$,
    'PUBLIC may neither connect nor make temporary tables');
select ok(not has_schema_privilege('public', 'public', 'usage') and not has_schema_privilege('public', 'public', 'create'),
    'PUBLIC has nothing in schema public');
select is_empty($$select nspname from tap.schemas where has_schema_privilege('public', oid, 'usage')$$, 'PUBLIC has no schema of ours');
select is_empty($$select name from tap.functions where has_function_privilege('public', oid, 'execute')$$, 'PUBLIC executes no function');
select is_empty($$select relname from pg_class where relnamespace in (select oid from tap.schemas) and relkind in ('r', 'p', 'v', 'm')
                  and (has_table_privilege('public', oid, 'select,insert,update,delete,truncate,references,trigger')
                       or has_any_column_privilege('public', oid, 'select,insert,update,references'))$$,
    'PUBLIC has no relation');
select is_empty($$select typname from pg_type where typnamespace in (select oid from tap.schemas) and typtype in ('d', 'e', 'r')
                  and has_type_privilege('public', oid, 'usage')$$, 'PUBLIC uses no type');

-- functions
select is_empty($$select name from tap.functions where prosecdef
                  and not coalesce(proconfig, '{}') && array['search_path=pg_catalog, pg_temp']$$,
    'every SECURITY DEFINER function pins its search_path');
select is_empty($$select name from tap.functions where obj_description(oid, 'pg_proc') is null$$,
    'every function carries a comment');
select is_empty($$select name from tap.functions where pronamespace = 'api'::regnamespace and prosecdef$$,
    'exposed functions run with the caller''s rights');
select is_empty($$select name from tap.functions
                  where name ~ '^trestle\.(login_|session_|register|account_json|applied_)|^videoplanet\.login_|^videoplanet\.user_json'
                    and (has_function_privilege('videoplanet_user', oid, 'execute')
                         or has_function_privilege('videoplanet_anonymous', oid, 'execute'))$$,
    'request roles cannot call what sign-in uses');
select set_eq($$select proname::text from tap.functions where has_function_privilege('videoplanet_login', oid, 'execute')$$,
              $$values ('login_begin'), ('login_rehash'), ('session_open'), ('session_refresh'), ('session_end'), ('register'), ('register_confirm'),
                       ('require_account'), ('account_json'), ('normal_name'), ('normal_email'), ('decided_account'), ('decided_registration'), ('applied_migrations'), ('login_claims'), ('login_answer')$$,
    'the login role itself calls these and nothing else');

-- tables
select is_empty($$select relname from pg_class where relnamespace = 'videoplanet'::regnamespace and relkind in ('r', 'p') and not relrowsecurity$$,
    'row-level security is on for every table');
select is_empty($$select r.rolname, c.relname from pg_class c, pg_roles r
                  where c.relnamespace = 'trestle'::regnamespace and c.relkind in ('r', 'p', 'v', 'S')
                    and r.rolname ~ '^videoplanet_(anonymous|user|login|hub|worker)$'
                    and case c.relkind when 'S' then has_sequence_privilege(r.oid, c.oid, 'usage,select,update')
                             else has_table_privilege(r.oid, c.oid, 'select,insert,update,delete,truncate,references,trigger')
                                  or has_any_column_privilege(r.oid, c.oid, 'select,insert,update,references') end$$,
    'no role of requests reaches a table of the core');
select is_empty($$select r.rolname, c.relname from pg_class c, pg_roles r
                  where c.relnamespace = 'videoplanet'::regnamespace and c.relkind in ('r', 'p')
                    and (r.rolname ~ '^videoplanet_(login|hub|worker)$'
                         or r.rolname = 'videoplanet_anonymous' and c.relname <> 'online_videos')
                    and (has_table_privilege(r.oid, c.oid, 'select,insert,update,delete,truncate,references,trigger')
                         or has_any_column_privilege(r.oid, c.oid, 'select,insert,update,references'))$$,
    'only signed-in people reach tables of the application, and anonymous ones the list of lectures');
select is_empty($$select relname from pg_class where relnamespace = 'api'::regnamespace and relkind = 'v'
                  and not coalesce(reloptions, '{}') && array['security_invoker=true', 'security_invoker=on']$$,
    'exposed views run with the caller''s rights');
select is_empty($$
    select conrelid::regclass, conname from pg_constraint c
    where contype = 'f' and connamespace in (select oid from tap.schemas)
      and not exists (select from pg_index i
                      where i.indrelid = c.conrelid and i.indpred is null and i.indkey[0] = any (c.conkey))$$,
    'every foreign key has an index that begins with one of its columns');
select * from finish();
rollback;
