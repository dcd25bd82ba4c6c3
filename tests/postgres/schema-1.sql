CREATE SCHEMA "jobwright";

CREATE TABLE "jobwright".store (
  one integer PRIMARY KEY CHECK (one = 1),
  version integer NOT NULL,
  control text
);
INSERT INTO "jobwright".store (one, version) VALUES (1, 1);
CREATE SEQUENCE "jobwright".lease_tokens;

CREATE TABLE "jobwright".jobs (
  n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text COLLATE "C" NOT NULL UNIQUE,
  status text COLLATE "C",
  parent_id text COLLATE "C",
  revision bigint NOT NULL,
  ended double precision,
  last_seq bigint NOT NULL,
  marks bigint[] NOT NULL,
  lease_owner text,
  lease_token bigint,
  lease_until timestamptz,
  head text NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX jobs_by_status ON "jobwright".jobs (status, n);
CREATE INDEX jobs_by_parent ON "jobwright".jobs (parent_id, n) WHERE parent_id IS NOT NULL;
CREATE INDEX jobs_by_end ON "jobwright".jobs (ended, n) WHERE ended IS NOT NULL;

CREATE TABLE "jobwright".plans (
  job bigint PRIMARY KEY,
  plan text NOT NULL
);

CREATE TABLE "jobwright".context (
  job bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  place bigint GENERATED ALWAYS AS IDENTITY,
  name text,
  value text NOT NULL,
  PRIMARY KEY (job, key)
) WITH (fillfactor = 80);

CREATE TABLE "jobwright".steps (
  job bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  place bigint GENERATED ALWAYS AS IDENTITY,
  name text,
  state text NOT NULL,
  PRIMARY KEY (job, key)
) WITH (fillfactor = 80);

CREATE TABLE "jobwright".events (
  job bigint NOT NULL,
  seq bigint NOT NULL,
  event text NOT NULL,
  PRIMARY KEY (job, seq)
);

CREATE FUNCTION "jobwright".clear_parts(p_job bigint) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
DELETE FROM "jobwright".plans WHERE job = p_job;
DELETE FROM "jobwright".context WHERE job = p_job;
DELETE FROM "jobwright".steps WHERE job = p_job;
DELETE FROM "jobwright".events WHERE job = p_job;
END
$body$;

CREATE FUNCTION "jobwright".write_parts(
p_job bigint, p_plan text, p_gone text[], p_keys text[], p_names text[], p_values text[],
p_step_keys text[], p_step_names text[], p_steps text[], p_last bigint, p_seqs bigint[], p_events text[]
) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
IF p_plan IS NOT NULL THEN
  INSERT INTO "jobwright".plans (job, plan) VALUES (p_job, p_plan)
    ON CONFLICT (job) DO UPDATE SET plan = excluded.plan;
END IF;
IF p_gone IS NOT NULL THEN
  DELETE FROM "jobwright".context WHERE job = p_job AND key = ANY (p_gone);
END IF;
IF p_keys IS NOT NULL THEN
  INSERT INTO "jobwright".context (job, key, name, value)
    SELECT p_job, t.key, t.name, t.value
    FROM unnest(p_keys, p_names, p_values) WITH ORDINALITY AS t (key, name, value, i) ORDER BY t.i
    ON CONFLICT (job, key) DO UPDATE SET value = excluded.value;
END IF;
IF p_step_keys IS NOT NULL THEN
  INSERT INTO "jobwright".steps (job, key, name, state)
    SELECT p_job, t.key, t.name, t.state
    FROM unnest(p_step_keys, p_step_names, p_steps) WITH ORDINALITY AS t (key, name, state, i) ORDER BY t.i
    ON CONFLICT (job, key) DO UPDATE SET state = excluded.state;
END IF;
IF p_events IS NOT NULL THEN
  INSERT INTO "jobwright".events (job, seq, event)
    SELECT p_job, coalesce(t.seq, p_last + t.i), t.event
    FROM unnest(p_seqs, p_events) WITH ORDINALITY AS t (seq, event, i);
END IF;
END
$body$;

-- What is wrong with a commit that found no job to change.
CREATE FUNCTION "jobwright".refusal(
p_id text, p_expected bigint, p_token bigint, p_mark bigint, p_again boolean, OUT outcome text, OUT stored bigint
) LANGUAGE plpgsql AS $body$
DECLARE
v_row record;
BEGIN
SELECT revision, lease_token, last_seq, marks INTO v_row FROM "jobwright".jobs WHERE id = p_id;
stored := v_row.revision;
IF p_mark = ANY (v_row.marks) THEN
  outcome := 'done';
ELSIF p_again AND v_row.revision - p_expected > 16 THEN
  outcome := 'unknown';
ELSIF coalesce(v_row.revision, 0) <> p_expected THEN
  outcome := 'revision';
ELSIF p_token IS NOT NULL AND p_token IS DISTINCT FROM v_row.lease_token THEN
  outcome := 'lease';
ELSE
  outcome := 'event';
  stored := coalesce(v_row.last_seq, 0);
END IF;
END
$body$;

-- A commit where a revision is expected; else the whole job is replaced.
CREATE FUNCTION "jobwright".write_job(
p_id text, p_expected bigint, p_token bigint, p_mark bigint, p_again boolean, p_notice text,
p_status text, p_parent text, p_ended double precision, p_revision bigint, p_head text,
p_plan text, p_gone text[], p_keys text[], p_names text[], p_values text[],
p_step_keys text[], p_step_names text[], p_steps text[],
p_unnumbered bigint, p_first bigint, p_final bigint, p_seqs bigint[], p_events text[],
OUT outcome text, OUT stored bigint
) LANGUAGE plpgsql AS $body$
DECLARE
v_job bigint;
v_last bigint := 0;
v_marks bigint[];
BEGIN
-- Whoever makes a job holds this until that is committed: see list_jobs.
IF coalesce(p_expected, 0) = 0 THEN
  PERFORM pg_advisory_xact_lock_shared(1785684599, '"jobwright".jobs'::regclass::oid::integer);
END IF;
IF p_unnumbered > 0 OR p_expected IS NULL THEN
  SELECT n, last_seq, marks INTO v_job, v_last, v_marks FROM "jobwright".jobs WHERE id = p_id FOR UPDATE;
  v_last := coalesce(v_last, 0);
END IF;
IF p_expected IS NOT NULL THEN
  UPDATE "jobwright".jobs SET status = p_status, parent_id = p_parent, ended = p_ended, revision = p_revision,
      last_seq = coalesce(p_final, last_seq + p_unnumbered), head = p_head, marks = p_mark || marks[1:15]
    WHERE id = p_id AND revision = p_expected AND (p_token IS NULL OR lease_token = p_token)
      AND (p_unnumbered = 0 OR last_seq = v_last) AND (p_first IS NULL OR last_seq + p_unnumbered < p_first)
    RETURNING n INTO v_job;
ELSIF p_mark = ANY (v_marks) THEN
  outcome := 'done';
  RETURN;
ELSIF v_job IS NOT NULL THEN
  PERFORM "jobwright".clear_parts(v_job);
  UPDATE "jobwright".jobs SET status = p_status, parent_id = p_parent, ended = p_ended, revision = p_revision,
      last_seq = coalesce(p_final, 0), head = p_head, marks = p_mark || marks[1:15]
    WHERE n = v_job;
END IF;
IF v_job IS NULL AND coalesce(p_expected, 0) = 0 AND p_token IS NULL AND (p_first IS NULL OR p_unnumbered < p_first)
THEN
  INSERT INTO "jobwright".jobs (id, status, parent_id, ended, revision, last_seq, head, marks)
    VALUES (p_id, p_status, p_parent, p_ended, p_revision, coalesce(p_final, p_unnumbered), p_head, ARRAY[p_mark])
    ON CONFLICT (id) DO NOTHING RETURNING n INTO v_job;
  v_last := 0;
END IF;
IF v_job IS NULL AND p_expected IS NULL THEN
  outcome := 'again';
ELSIF v_job IS NULL THEN
  SELECT r.outcome, r.stored INTO outcome, stored
    FROM "jobwright".refusal(p_id, p_expected, p_token, p_mark, p_again) AS r;
ELSE
  PERFORM "jobwright".write_parts(v_job, p_plan, p_gone, p_keys, p_names, p_values,
    p_step_keys, p_step_names, p_steps, v_last, p_seqs, p_events);
  PERFORM pg_notify('CHANNEL', p_notice);
  outcome := 'done';
END IF;
END
$body$;


CREATE FUNCTION "jobwright".list_jobs(p_statuses text[], p_parent text, p_cursor text, p_limit bigint)
RETURNS TABLE (listed text) LANGUAGE plpgsql AS $body$
DECLARE
v_after bigint := 0;
v_newest bigint;
BEGIN
IF p_cursor IS NOT NULL THEN
  SELECT n INTO v_after FROM "jobwright".jobs WHERE id = p_cursor;
  IF v_after IS NULL THEN
    RETURN QUERY SELECT NULL::text;
    RETURN;
  END IF;
END IF;
BEGIN
  PERFORM pg_advisory_xact_lock(1785684599, '"jobwright".jobs'::regclass::oid::integer);
  SELECT last_value INTO v_newest FROM "jobwright".jobs_n_seq;
  RAISE EXCEPTION USING ERRCODE = 'JW000';
EXCEPTION WHEN SQLSTATE 'JW000' THEN
  NULL;
END;
RETURN QUERY EXECUTE 'SELECT head FROM "jobwright".jobs WHERE n > $1 AND n <= $2'
  || CASE WHEN p_parent IS NULL THEN '' ELSE ' AND parent_id = $3' END
  || CASE WHEN p_statuses IS NULL THEN '' ELSE ' AND status = ANY ($4)' END
  || ' ORDER BY n LIMIT $5' USING v_after, v_newest, p_parent, p_statuses, p_limit;
END
$body$;

CREATE FUNCTION "jobwright".delete_job(p_id text) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
v_job bigint;
BEGIN
DELETE FROM "jobwright".jobs WHERE id = p_id RETURNING n INTO v_job;
IF v_job IS NOT NULL THEN
  PERFORM "jobwright".clear_parts(v_job);
  PERFORM pg_notify('CHANNEL', '{"type":"missed"}');
END IF;
END
$body$;

-- The next so many jobs, after the one given, that ended before.
CREATE FUNCTION "jobwright".prune_jobs(
p_before double precision, p_keep boolean, p_most bigint, p_ended double precision, p_job bigint,
OUT pruned bigint, OUT last_ended double precision, OUT last_job bigint
) LANGUAGE plpgsql AS $body$
DECLARE
v_jobs bigint[];
BEGIN
SELECT array_agg(t.n), max(t.ended) INTO v_jobs, last_ended FROM (
  SELECT n, ended FROM "jobwright".jobs
  WHERE ended < p_before AND (ended, n) > (p_ended, p_job)
    AND (NOT p_keep OR EXISTS (SELECT FROM "jobwright".events WHERE job = n))
  ORDER BY ended, n LIMIT p_most FOR UPDATE
) AS t;
pruned := coalesce(cardinality(v_jobs), 0);
last_job := v_jobs[pruned];
DELETE FROM "jobwright".events WHERE job = ANY (v_jobs);
IF pruned > 0 AND NOT p_keep THEN
  DELETE FROM "jobwright".plans WHERE job = ANY (v_jobs);
  DELETE FROM "jobwright".context WHERE job = ANY (v_jobs);
  DELETE FROM "jobwright".steps WHERE job = ANY (v_jobs);
  DELETE FROM "jobwright".jobs WHERE n = ANY (v_jobs);
  PERFORM pg_notify('CHANNEL', '{"type":"missed"}');
END IF;
END
$body$;
