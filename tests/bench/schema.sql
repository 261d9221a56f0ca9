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

GRANT USAGE ON SCHEMA api TO bench_anonymous, bench_user;
GRANT SELECT ON ALL TABLES IN SCHEMA api TO bench_anonymous, bench_user;
VACUUM ANALYZE;
