-- 100,000 flat items of about 400 bytes as JSON; the same once more under row-level security.
CREATE SCHEMA api;
CREATE TABLE api.item (
    id bigint PRIMARY KEY,
    owner bigint NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    status text NOT NULL,
    customer text NOT NULL,
    manager text NOT NULL,
    progress integer NOT NULL,
    open boolean NOT NULL,
    created timestamptz NOT NULL,
    updated timestamptz NOT NULL
);
INSERT INTO api.item
SELECT n, n % 1000, 'Item number ' || n, repeat('A sentence about ' || n % 10 || '. ', 6), 'production', 'Customer ' || n % 100,
       'Manager ' || n % 50, n % 101, n % 2 = 0, timestamptz '2025-01-01 00:00:00+00' + n * interval '1 minute',
       timestamptz '2025-06-01 00:00:00+00' + n * interval '1 minute'
FROM generate_series(1, 100000) AS n;
CREATE TABLE api.guarded (LIKE api.item INCLUDING ALL);
INSERT INTO api.guarded SELECT * FROM api.item;

CREATE FUNCTION api.account_id() RETURNS bigint STABLE LANGUAGE sql
RETURN (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::bigint;
ALTER TABLE api.guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY anonymous ON api.guarded FOR SELECT TO bench_anonymous USING (status <> 'draft');
CREATE POLICY signed_in ON api.guarded FOR SELECT TO bench_user
    USING (status <> 'draft' OR owner = (SELECT api.account_id()));

CREATE FUNCTION api.item_json(id bigint) RETURNS json STABLE LANGUAGE sql
RETURN (SELECT row_to_json(i) FROM api.item AS i WHERE i.id = item_json.id);
CREATE FUNCTION api.item_list(after bigint) RETURNS SETOF api.item STABLE LANGUAGE sql ROWS 20
BEGIN ATOMIC SELECT i.* FROM api.item AS i WHERE i.id > after ORDER BY i.id LIMIT 20; END;

-- A list as pages show it: 20 items, each with its owner and the number of its remarks.
CREATE TABLE api.owner (id bigint PRIMARY KEY, name text NOT NULL, email text NOT NULL);
INSERT INTO api.owner SELECT n, 'Owner ' || n, 'owner' || n || '@example.test' FROM generate_series(0, 999) AS n;
CREATE TABLE api.remark (id bigint PRIMARY KEY, item bigint NOT NULL, text text NOT NULL);
INSERT INTO api.remark SELECT n, n % 100000, 'Remark ' || n FROM generate_series(1, 300000) AS n;
CREATE INDEX ON api.remark (item);
CREATE TYPE api.shown_item AS (id bigint, name text, description text, status text, customer text, manager text, progress integer,
    open boolean, created timestamptz, updated timestamptz, owner json, remarks bigint);
CREATE FUNCTION api.shown_items(after bigint) RETURNS SETOF api.shown_item STABLE LANGUAGE sql ROWS 20
BEGIN ATOMIC
SELECT i.id, i.name, i.description, i.status, i.customer, i.manager, i.progress, i.open, i.created, i.updated,
       (SELECT row_to_json(o) FROM api.owner AS o WHERE o.id = i.owner),
       (SELECT count(*) FROM api.remark AS r WHERE r.item = i.id)
FROM api.item AS i WHERE i.id > after ORDER BY i.id LIMIT 20; END;

-- Creating, with what has to be checked: a name, a known owner, a progress within bounds.
CREATE TABLE api.task (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner bigint NOT NULL REFERENCES api.owner,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text NOT NULL DEFAULT '',
    progress integer NOT NULL CHECK (progress BETWEEN 0 AND 100),
    created timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE api.task ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON api.task FOR ALL TO bench_user USING (owner = (SELECT api.account_id()));
CREATE FUNCTION api.task_create(owner bigint, name text, description text, progress integer) RETURNS json LANGUAGE plpgsql AS $$
DECLARE made api.task;
BEGIN
    INSERT INTO api.task (owner, name, description, progress)
    VALUES (task_create.owner, trim(task_create.name), task_create.description, task_create.progress) RETURNING * INTO made;
    PERFORM set_config('response.status', '201', true);
    RETURN row_to_json(made);
END $$;

GRANT USAGE ON SCHEMA api TO bench_anonymous, bench_user;
GRANT SELECT ON ALL TABLES IN SCHEMA api TO bench_anonymous, bench_user;
GRANT INSERT ON api.task TO bench_user;
VACUUM ANALYZE;
