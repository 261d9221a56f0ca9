-- The schemas every application has, and what nobody gets by default.

-- PostgreSQL lets PUBLIC execute every new function and use every new type. Here each right is granted by name.
alter default privileges revoke execute on functions from public;
alter default privileges revoke usage on types from public;

comment on schema trestle is 'Core: accounts, sessions, migrations, and the functions that application SQL builds on. Never exposed.';
grant usage on schema trestle to :"login", :"anonymous", :"user";

create schema api;
comment on schema api is 'What clients see: views and functions of the application. The only exposed schema.';
grant usage on schema api to :"anonymous", :"user";

create function trestle.touch() returns trigger
    language plpgsql as $$
begin
    new.updated = now();
    return new;
end
$$;
comment on function trestle.touch() is
    'Trigger function, before update for each row: sets the column updated to the time of the transaction.';
