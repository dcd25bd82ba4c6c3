// @ts-check

/** "jobw": tells our advisory locks from those of other programs in the database. */
export const LOCK_CLASS = 0x6a6f6277;

/** How many writes back a job's row remembers. */
const MARKS = 16;

/** Planning a commit takes longer than doing it, and every job's is the same. */
const PLANNED_ONCE = 'SET plan_cache_mode TO force_generic_plan';

/** @param {string} mark */
const marked = (mark) => `${mark} || marks[1:${MARKS - 1}]`;

/** Whether who commits under a lease still has it, or gave it back with the end of the job. */
const isHeld = '(p_token IS NULL OR lease_token = p_token OR (lease_token IS NULL AND ended IS NOT NULL))';

/** Whoever ends a job under its lease gives the lease back with that. */
const leaseAfter = ['lease_owner', 'lease_token', 'lease_until']
  .map((column) => `${column} = CASE WHEN p_ended IS NULL OR p_token IS NULL THEN ${column} END`)
  .join(', ');

/**
 * What runs inside the server, so that a commit is one message and one answer. Every name is written with its schema:
 * whatever the connection's search path is, no other table is meant.
 *
 * `advance_job` is for nearly every commit: of a job that is there, with events that have their numbers. Where it can't be
 * done it is null, nothing is written, and `write_job` is asked, which knows all cases and says why. `advance_jobs` does
 * many.
 *
 * `write_job` answers with a row: `done`; or why nothing was written: `revision` (which one is stored, null where there
 * is no job), `lease`, `event` (which one is stored last), `control` (it is not what it was taken for), or `unknown`. A
 * refusal is no error, so that in a statement with several writes it is nobody else's. Each write leaves its mark in the
 * job's row: one that is sent again, because its answer was lost, finds it there.
 *
 * @param {string} s the schema, quoted
 * @param {string} channel
 */
export const writeFunctions = (s, channel) => `
CREATE FUNCTION ${s}.clear_parts(p_job bigint) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
  DELETE FROM ${s}.plans WHERE job = p_job;
  DELETE FROM ${s}.commits WHERE job = p_job;
END
$body$;

CREATE FUNCTION ${s}.advance_job(
  p_id text, p_expected bigint, p_token bigint, p_mark bigint, p_control bigint, p_notice text,
  p_status text, p_parent text, p_ended double precision, p_head text, p_first bigint, p_last bigint,
  p_parts text, p_events text, OUT advanced bigint
) LANGUAGE plpgsql ${PLANNED_ONCE} AS $body$
BEGIN
  WITH changed AS (
    UPDATE ${s}.jobs SET status = p_status, parent_id = p_parent, ended = p_ended, revision = p_expected + 1,
        last_seq = p_last, head = p_head, marks = ${marked('p_mark')}, ${leaseAfter}
      WHERE id = p_id AND revision = p_expected AND ${isHeld} AND last_seq < p_first
        AND (p_control IS NULL OR p_control = (SELECT control_number FROM ${s}.store))
      RETURNING n
  ), added AS (
    INSERT INTO ${s}.commits (job, last_seq, parts, events, before)
      SELECT n, p_last, p_parts, p_events, 0 FROM changed
  )
  SELECT n FROM changed WHERE pg_notify('${channel}', p_notice) IS NOT NULL INTO advanced;
END
$body$;

CREATE FUNCTION ${s}.advance_jobs(
  p_id text[], p_expected bigint[], p_token bigint[], p_mark bigint[], p_control bigint[], p_notice text[],
  p_status text[], p_parent text[], p_ended double precision[], p_head text[], p_first bigint[], p_last bigint[],
  p_parts text[], p_events text[]
) RETURNS SETOF bigint LANGUAGE plpgsql AS $body$
BEGIN
  FOR i IN 1 .. cardinality(p_id) LOOP
    RETURN NEXT ${s}.advance_job(
      p_id[i], p_expected[i], p_token[i], p_mark[i], p_control[i], p_notice[i], p_status[i], p_parent[i], p_ended[i],
      p_head[i], p_first[i], p_last[i], p_parts[i], p_events[i]);
  END LOOP;
END
$body$;

-- What is wrong with a commit that found no job to change.
CREATE FUNCTION ${s}.refusal(
  p_id text, p_expected bigint, p_token bigint, p_mark bigint, p_again boolean, OUT outcome text, OUT stored bigint
) LANGUAGE plpgsql AS $body$
DECLARE
  v_row record;
BEGIN
  SELECT revision, lease_token, ended, last_seq, marks INTO v_row FROM ${s}.jobs WHERE id = p_id;
  stored := v_row.revision;
  IF p_mark = ANY (v_row.marks) THEN
    outcome := 'done';
  ELSIF p_again AND v_row.revision - p_expected > ${MARKS} THEN
    outcome := 'unknown';
  ELSIF coalesce(v_row.revision, 0) <> p_expected THEN
    outcome := 'revision';
  ELSIF p_token IS NOT NULL AND p_token IS DISTINCT FROM v_row.lease_token
      AND (v_row.lease_token IS NOT NULL OR v_row.ended IS NULL) THEN
    outcome := 'lease';
  ELSE
    outcome := 'event';
    stored := coalesce(v_row.last_seq, 0);
  END IF;
END
$body$;

-- A commit where a revision is expected; else the whole job is replaced.
CREATE FUNCTION ${s}.write_job(
  p_id text, p_expected bigint, p_token bigint, p_mark bigint, p_again boolean, p_control bigint, p_notice text,
  p_status text, p_parent text, p_ended double precision, p_revision bigint, p_head text, p_plan text,
  p_unnumbered bigint, p_first bigint, p_final bigint,
  p_lasts bigint[], p_parts text[], p_events text[], p_seqs text[],
  OUT outcome text, OUT stored bigint
) LANGUAGE plpgsql ${PLANNED_ONCE} AS $body$
DECLARE
  v_job bigint;
  v_before bigint := 0;
  v_last bigint;
  v_marks bigint[];
BEGIN
  IF p_control IS NOT NULL AND p_control <> (SELECT control_number FROM ${s}.store) THEN
    SELECT marks INTO v_marks FROM ${s}.jobs WHERE p_again AND id = p_id;
    outcome := CASE WHEN p_mark = ANY (v_marks) THEN 'done' ELSE 'control' END;
    RETURN;
  END IF;
  -- Whoever makes a job holds this until that is committed: see list_jobs.
  IF coalesce(p_expected, 0) = 0 THEN
    PERFORM pg_advisory_xact_lock_shared(${LOCK_CLASS}, '${s}.jobs'::regclass::oid::integer);
  END IF;
  IF p_unnumbered > 0 OR p_expected IS NULL THEN
    SELECT n, last_seq, marks INTO v_job, v_before, v_marks FROM ${s}.jobs WHERE id = p_id FOR UPDATE;
    v_before := coalesce(v_before, 0);
  END IF;
  IF p_expected IS NOT NULL THEN
    UPDATE ${s}.jobs SET status = p_status, parent_id = p_parent, ended = p_ended, revision = p_revision,
        last_seq = coalesce(p_final, last_seq + p_unnumbered), head = p_head, marks = ${marked('p_mark')}, ${leaseAfter}
      WHERE id = p_id AND revision = p_expected AND ${isHeld}
        AND (p_unnumbered = 0 OR last_seq = v_before) AND (p_first IS NULL OR last_seq + p_unnumbered < p_first)
      RETURNING n, last_seq INTO v_job, v_last;
  ELSIF p_mark = ANY (v_marks) THEN
    outcome := 'done';
    RETURN;
  ELSIF v_job IS NOT NULL THEN
    PERFORM ${s}.clear_parts(v_job);
    v_last := coalesce(p_final, 0);
    UPDATE ${s}.jobs SET status = p_status, parent_id = p_parent, ended = p_ended, revision = p_revision,
        last_seq = v_last, pruned_seq = 0, head = p_head, marks = ${marked('p_mark')}
      WHERE n = v_job;
  END IF;
  IF v_job IS NULL AND coalesce(p_expected, 0) = 0 AND p_token IS NULL AND (p_first IS NULL OR p_unnumbered < p_first)
  THEN
    v_last := coalesce(p_final, p_unnumbered);
    INSERT INTO ${s}.jobs (id, status, parent_id, ended, revision, last_seq, head, marks)
      VALUES (p_id, p_status, p_parent, p_ended, p_revision, v_last, p_head, ARRAY[p_mark])
      ON CONFLICT (id) DO NOTHING RETURNING n INTO v_job;
    v_before := 0;
  END IF;
  IF v_job IS NULL AND p_expected IS NULL THEN
    outcome := 'again';
    RETURN;
  ELSIF v_job IS NULL THEN
    SELECT r.outcome, r.stored INTO outcome, stored
      FROM ${s}.refusal(p_id, p_expected, p_token, p_mark, p_again) AS r;
    RETURN;
  END IF;
  IF p_plan IS NOT NULL THEN
    INSERT INTO ${s}.plans (job, plan) VALUES (v_job, p_plan)
      ON CONFLICT (job) DO UPDATE SET plan = excluded.plan;
  END IF;
  IF cardinality(p_parts) = 1 THEN
    INSERT INTO ${s}.commits (job, last_seq, parts, events, seqs, before)
      VALUES (v_job, v_last, p_parts[1], p_events[1], p_seqs[1], v_before);
  ELSIF p_parts IS NOT NULL THEN
    INSERT INTO ${s}.commits (job, last_seq, parts, events, seqs, before)
      SELECT v_job, t.last, t.parts, t.events, t.seqs, 0
      FROM unnest(p_lasts, p_parts, p_events, p_seqs) WITH ORDINALITY AS t (last, parts, events, seqs, i) ORDER BY t.i;
  END IF;
  PERFORM pg_notify('${channel}', p_notice);
  outcome := 'done';
END
$body$;
`;

/**
 * Jobs are numbered when they are made, and may appear in another order, when that is committed. Who makes one holds a
 * lock, which `list_jobs` takes alone for a moment: every number given out until then is there to be read or never will
 * be, and it lists no later one. So no page misses a job that appears behind its end. The block ends with an error that
 * it catches itself, because that gives the lock back at once, whatever happens.
 *
 * @param {string} s the schema, quoted
 */
export const listFunction = (s) => `
CREATE FUNCTION ${s}.list_jobs(p_statuses text[], p_parent text, p_cursor text, p_limit bigint)
RETURNS TABLE (listed text) LANGUAGE plpgsql AS $body$
DECLARE
  v_after bigint := 0;
  v_newest bigint;
BEGIN
  IF p_cursor IS NOT NULL THEN
    SELECT n INTO v_after FROM ${s}.jobs WHERE id = p_cursor;
    IF v_after IS NULL THEN
      RETURN QUERY SELECT NULL::text;
      RETURN;
    END IF;
  END IF;
  BEGIN
    PERFORM pg_advisory_xact_lock(${LOCK_CLASS}, '${s}.jobs'::regclass::oid::integer);
    SELECT last_value INTO v_newest FROM ${s}.jobs_n_seq;
    RAISE EXCEPTION USING ERRCODE = 'JW000';
  EXCEPTION WHEN SQLSTATE 'JW000' THEN
    NULL;
  END;
  RETURN QUERY EXECUTE 'SELECT head FROM ${s}.jobs WHERE n > $1 AND n <= $2'
    || CASE WHEN p_parent IS NULL THEN '' ELSE ' AND parent_id = $3' END
    || CASE WHEN p_statuses IS NULL THEN '' ELSE ' AND status = ANY ($4)' END
    || ' ORDER BY n LIMIT $5' USING v_after, v_newest, p_parent, p_statuses, p_limit;
END
$body$;
`;

/**
 * What takes jobs, or their history, away.
 *
 * @param {string} s the schema, quoted
 * @param {string} channel
 */
export const removeFunctions = (s, channel) => `
CREATE FUNCTION ${s}.delete_job(p_id text) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  v_job bigint;
BEGIN
  DELETE FROM ${s}.jobs WHERE id = p_id RETURNING n INTO v_job;
  IF v_job IS NOT NULL THEN
    PERFORM ${s}.clear_parts(v_job);
    PERFORM pg_notify('${channel}', '{"type":"missed"}');
  END IF;
END
$body$;

-- The next so many jobs, after the one given, that ended before.
CREATE FUNCTION ${s}.prune_jobs(
  p_before double precision, p_keep boolean, p_most bigint, p_ended double precision, p_job bigint,
  OUT pruned bigint, OUT last_ended double precision, OUT last_job bigint
) LANGUAGE plpgsql AS $body$
DECLARE
  v_jobs bigint[];
BEGIN
  SELECT array_agg(t.n), max(t.ended) INTO v_jobs, last_ended FROM (
    SELECT n, ended FROM ${s}.jobs
    WHERE ended < p_before AND (ended, n) > (p_ended, p_job) AND (NOT p_keep OR last_seq > pruned_seq)
    ORDER BY ended, n LIMIT p_most FOR UPDATE
  ) AS t;
  pruned := coalesce(cardinality(v_jobs), 0);
  last_job := v_jobs[pruned];
  IF pruned > 0 AND p_keep THEN
    DELETE FROM ${s}.commits WHERE job = ANY (v_jobs) AND parts IS NULL;
    UPDATE ${s}.commits SET events = NULL, seqs = NULL WHERE job = ANY (v_jobs);
    UPDATE ${s}.jobs SET pruned_seq = last_seq WHERE n = ANY (v_jobs);
  ELSIF pruned > 0 THEN
    DELETE FROM ${s}.plans WHERE job = ANY (v_jobs);
    DELETE FROM ${s}.commits WHERE job = ANY (v_jobs);
    DELETE FROM ${s}.jobs WHERE n = ANY (v_jobs);
    PERFORM pg_notify('${channel}', '{"type":"missed"}');
  END IF;
END
$body$;
`;
